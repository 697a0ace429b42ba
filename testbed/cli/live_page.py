"""``run --live``: the page in a browser beside the terminal, where it was asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from testbed.core.events import Observer
from testbed.rig.orders import Orders


class Watched(Protocol):
    """A live page, or none."""

    def beside(self, observer: Observer) -> Observer:
        """An observer that tells the page and ``observer``."""
        ...

    def ended(self, valid: bool) -> None:
        """The run is over; without this it was broken off."""
        ...


class _None:
    def beside(self, observer: Observer) -> Observer:
        return observer

    def ended(self, valid: bool) -> None:
        """Nobody watches."""


@contextmanager
def live_page(
    title: str,
    folder: Path,
    host: str | None,
    port: int | None,
    controls: Orders,
    about: dict[str, str] | None = None,
) -> Iterator[Watched]:
    """The page while the context lasts; ``port`` None: none. ``about``: labels of its figures. Raises ``TestbedError``
    for a port that is taken.
    """
    if port is None:
        yield _None()
        return
    from testbed.web.guard import ANY, LOCAL
    from testbed.web.live.run_side import LivePage

    with LivePage(title, folder, host or LOCAL, port, controls, about) as page:
        others = " (or any other address of this machine)" if host in ANY else ""
        print(f"live: {page.address}{others}", file=sys.stderr, flush=True)
        yield page

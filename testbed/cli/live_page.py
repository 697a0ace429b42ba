"""``run --live``: the page in a browser beside the terminal, where it was asked for."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from testbed.core.events import Event
from testbed.engines.control import Controls

Observer = Callable[[Event], None]


class Watched(Protocol):
    """A live page, or none."""

    def beside(self, observer: Observer) -> Observer:
        """Tells both."""
        ...

    def ended(self, valid: bool, folder: Path) -> None:
        """The run is over, and its report is written."""
        ...


class _None:
    def beside(self, observer: Observer) -> Observer:
        return observer

    def ended(self, valid: bool, folder: Path) -> None:
        """Nobody watches."""


@contextmanager
def live_page(title: str, host: str, port: int | None, controls: Controls) -> Iterator[Watched]:
    """The page while the context lasts; ``port`` None: none. Raises ``TestbedError`` for a port that is taken."""
    if port is None:
        yield _None()
        return
    from testbed.web.live import LivePage

    with LivePage(title, host, port, controls) as page:
        print(f"live: {page.url}", file=sys.stderr, flush=True)
        yield page

"""Which pages a guest wrote, found from outside: start, then collect again and again; no write is ever missed.

    start() ─── the guest writes ─── collect() ─── the guest writes ─── collect() ─── guest stopped ─── collect()
    round 1 sends everything      round 2 sends what the first found     ...          the last round sends the rest

The rule that loses nothing: a page is protected again *before* it is read. ``collect`` returns with everything
protected, so a write that comes while the page is being sent is found by the next ``collect``.

To add one: a file here with a class registered by name that has the methods of ``Tracker`` and a ``probe``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from testbed.core.extents import Extents
from testbed.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestPorts:
    """What a tracker may know of a guest. ``ram_address`` is in the guest; ``new_userfaultfd`` gives a fresh
    userfaultfd of the guest's address space, which is then the tracker's to close (raises ``TestbedError``).
    """

    pid: int
    ram_address: int
    ram_bytes: int
    ram_fd: int
    new_userfaultfd: Callable[[], int]


class Tracker(Protocol):
    """Finds written pages. Not for two threads at a time. Every method raises ``TestbedError`` if the guest is gone."""

    name: str

    @property
    def pages_fd(self) -> int:
        """The descriptor to read pages from, at their offsets in RAM: the guest's memfd, or a snapshot of it."""
        ...

    def __init__(self, ports: GuestPorts) -> None:
        """Raises ``PrerequisiteMissing`` when this guest cannot be tracked so."""
        ...

    @staticmethod
    def probe() -> str | None:
        """Tries it on memory of this process. None: it works; else what is missing, in a few words."""
        ...

    def start(self) -> None:
        """From here on every write is seen. Everything is to be sent after this. May be called again to begin anew."""
        ...

    def collect(self) -> Extents:
        """What was written since the last ``collect``, or since ``start``; protected again."""
        ...

    def close(self) -> None:
        """Lets the guest's memory go; it runs on untracked."""
        ...


@runtime_checkable
class Copying(Protocol):
    """A tracker whose ``pages_fd`` is of copies, which it frees when it collects."""

    def keep(self, unsent: Extents) -> None:
        """These it collected before, and they were not sent: the next ``collect`` leaves their copies as they are, but
        for those that were written since.
        """
        ...


registry: Registry[Tracker] = Registry("tracker", __name__)
register = registry.register

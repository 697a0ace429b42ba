"""Which pages a guest wrote, found from outside: start, then collect again and again; no write is ever missed.

    start() ─── the guest writes ─── collect() ─── the guest writes ─── collect() ─── guest stopped ─── collect()
    round 1 sends everything      round 2 sends what the first found     ...          the last round sends the rest

The rule that loses nothing: a page is protected again *before* it is read. ``collect`` returns with everything
protected, so a write that comes while the page is being sent is found by the next ``collect``.

To add one: a file here with a subclass of ``Tracker``, registered by name. ``choice`` finds the best that works;
``own_file`` is the user's, made with ``guest_pages``; ``interleavings`` tries it in every order in which it and a guest
can act, without either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

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
    """Finds written pages. Not for two threads at a time. Every method raises ``TestbedError`` if the guest is gone.

    What a tracker may do beside, ``keep`` and ``delay``, has a default here: nothing.
    """

    name: ClassVar[str]
    rank: ClassVar[int] = 100
    """``auto`` takes the lowest that works here; those of one rank in alphabetical order."""
    works: ClassVar[str] = "works here"
    """What its working means, in a few words for the record and for ``doctor``."""
    pages_fd: int
    """The descriptor to read pages from, at their offsets in RAM: the guest's memfd, or a snapshot of it."""
    delayed_s: float = 0.0
    """Seconds that ``delay`` has kept writers waiting, all together."""

    def __init__(self, ports: GuestPorts) -> None:
        """Raises ``PrerequisiteMissing`` when this guest cannot be tracked so."""
        ...

    @staticmethod
    def lacks() -> str | None:
        """Tries it on memory of this process. None: it works; else what is missing, in a few words."""
        ...

    def start(self) -> None:
        """From here on every write is seen. Everything is to be sent after this. May be called again to begin anew."""
        ...

    def keep(self, unsent: Extents) -> None:
        """These it collected before, and they were not sent. If ``pages_fd`` is of copies, which are freed by the next
        ``collect``, that one leaves the copies of these as they are, but for those that were written since.
        """
        return None

    def collect(self) -> Extents:
        """What was written since the last ``collect``, or since ``start``; protected again."""
        ...

    def delay(self, dirty_rate: float | None) -> bool:
        """From now on at most so many bytes per second of first writes, None: no delay at all, nor any more of one that
        has begun. False: this tracker cannot, since no write waits for it.
        """
        return False

    def close(self) -> None:
        """Lets the guest's memory go; it runs on untracked."""
        ...


registry: Registry[Tracker] = Registry("tracker", __name__)
register = registry.register

"""Who makes points: this very process, or others; to a sweep they are alike.

free() ──> a machine with room        give(wanted, machine)        take() ──> how one ended, whichever it was
"""

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, Self

from testbed.sweeps.ended import PointMade
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.making import machine_name, point_made
from testbed.sweeps.points import PointWanted

WINDOW = 2
"""Points that a maker has: one that it makes, and one that it need not wait for."""


class Makers(Protocol):
    """Whoever makes points. A context manager: leaving it ends what is under way. ``count``: how many at once; 0 where
    that is not known.
    """

    count: int

    def free(self) -> str | None:
        """A machine that takes one more; None where none does, at the moment."""

    def give(self, wanted: PointWanted, machine: str) -> None:
        """A point, for that machine."""

    def take(self) -> PointMade:
        """Waits until one has ended. Raises ``TestbedError`` for what ends the whole sweep."""

    def __len__(self) -> int:
        """How many were given and not taken."""

    def __enter__(self) -> Self:
        """Begins to take points."""

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Ends what is under way."""


class Here:
    """This process, one point at a time."""

    count = 1

    def __init__(self, folder: SweepFolder, say: Callable[[str], None]) -> None:
        self._folder, self._say, self._given = folder, say, deque[PointWanted]()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._staging = self._stack.enter_context(self._folder.staging())
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __len__(self) -> int:
        return len(self._given)

    def free(self) -> str | None:
        """This machine, unless it has one."""
        return None if self._given else machine_name()

    def give(self, wanted: PointWanted, _machine: str) -> None:
        """One point, for this machine."""
        self._given.append(wanted)

    def take(self) -> PointMade:
        """Makes the one that was given."""
        made = point_made(self._given[0], self._folder, self._staging, self._say)
        self._given.popleft()
        return made

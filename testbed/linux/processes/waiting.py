"""Waiting for somebody else's bytes: read first, judge then, and hold against nobody what one was absent oneself.

A process that was stopped (Ctrl-Z, a suspended machine) finds its deadlines past when it goes on, whatever lies in its
pipes. So nothing here compares two times: waiting is done in slices, and one in which the clock ran away counts as one.
"""

import select
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

SLICE_S = 0.25
"""Seconds. Also how much may be waited too long."""


def readable(watched: Sequence[Any], timeout_s: float, progress: Callable[[], object] | None = None) -> list[Any]:
    """Those of ``watched`` (as ``select`` takes them) that can be read now; empty when that time was waited in vain.

    ``progress``: something that changes while the other side gets on: as long as it does, the time begins anew.
    """
    return _ready(watched, (), timeout_s, progress)[0]


def writable(watched: Sequence[Any], beside: Sequence[Any], timeout_s: float) -> tuple[list[Any], list[Any]]:
    """Those of ``watched`` that can be written to, or of ``beside`` that can be read; both empty after that time."""
    found, ready = _ready(beside, watched, timeout_s, None)
    return ready, found


def _ready(
    reading: Sequence[Any], writing: Sequence[Any], timeout_s: float, progress: Callable[[], object] | None
) -> tuple[list[Any], list[Any]]:
    left, seen = timeout_s, progress() if progress else None
    while True:
        now = min(SLICE_S, max(0.0, left))
        # The second look: a select that a signal woke up too late says nothing of what is there.
        for patience in (now, 0.0):
            found, ready, _ = select.select(reading, writing, [], patience)
            if found or ready:
                return found, ready
        left -= now
        if progress and (news := progress()) != seen:
            left, seen = timeout_s, news
        if left <= 0:
            return [], []


class Patience:
    """Seconds that somebody may take, counted by looks: a look that comes late counts as two slices at most."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._limit_s, self._clock = limit_s, clock
        self._waited_s, self._looked = 0.0, clock()

    def over(self) -> bool:
        """A look: whether more than the limit has been waited. It has to come every slice or so."""
        now = self._clock()
        self._waited_s += min(2 * SLICE_S, max(0.0, now - self._looked))
        self._looked = now
        return self._waited_s > self._limit_s

    @property
    def waited_s(self) -> float:
        """Seconds that were waited up to the last look, by that count."""
        return self._waited_s

    def anew(self, limit_s: float | None = None) -> None:
        """The other side was heard, or something else is waited for now."""
        self._limit_s = self._limit_s if limit_s is None else limit_s
        self._waited_s, self._looked = 0.0, self._clock()

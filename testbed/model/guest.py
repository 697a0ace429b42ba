"""A guest as a fluid: how many distinct bytes it dirties in a time, starting from a clean memory.

    each cell      clean share = (1 - swept) x (1 - p)^writes       p the chance of each of its n pages
    all of them    dirty = sum of n (1 - clean)                     never falls, and rises ever more slowly

Throttles. ``auto_converge`` takes CPU away: all writes become slower by 1 - level. ``sdps`` and ``dirty_limit`` stop
the guest at first writes alone: the *dirty rate* is held at a cap, rewrites cost nothing. So while the guest's own
dirty rate is above the cap what is dirty grows linearly, and from there on freely:

    dirty |        __---- free: f(n), n = writes
          |     _/
          |   /  linear: cap x t
          +------------------ t

Services share the guest's one processor: they get on as its operations do, and dirty a few pages of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from testbed.core.rounds import Throttle
from testbed.core.units import PAGE_SIZE
from testbed.model.services import area_pages, dirtied_pages
from testbed.model.writes import OWN_PAGES, Phase, Vector, phases

SLICE_S = 0.01
"""For so long the guest runs between two of the times that auto-converge stops it (throttles.stop_and_continue)."""
STEPS = 60
"""Halvings of an interval, more than a float has bits in its fraction."""


class FluidGuest:
    """Runs, is throttled, and tells what is dirty."""

    def __init__(self, workload: Mapping[str, Any], ram_bytes: int, services: Sequence[Mapping[str, Any]] = ()) -> None:
        """Raises ``ScenarioError`` for a workload without a model."""
        self._ram_bytes, self._services, self._served_s = ram_bytes, services, 0.0
        self._phases = phases(workload, ram_bytes - area_pages(services) * PAGE_SIZE)
        self._pages = np.diff(self._phases[0].edges)
        with np.errstate(divide="ignore"):  # one page that gets every write is missed by none: log 0
            self._log_miss = [np.log1p(-phase.share / self._pages) for phase in self._phases]
        self._index, self._done, self._touched = 0, 0.0, False
        self.wanted = self.operations = 0.0
        self.take_all()

    def take_all(self) -> None:
        """All of memory is to be sent, as if it had just been collected, and nothing is dirty."""
        self._clean()
        self._taken, self._whole = self._pages, True
        self._elsewhere = self._ram_bytes / PAGE_SIZE - float(self._pages.sum())

    def run(self, duration_s: float, throttle: Throttle | None = None) -> None:
        """Lets time pass. ``operations`` counts what it did, ``wanted`` what it would have done unthrottled."""
        slowed = 1 - throttle.level if throttle and throttle.dirty_rate is None else 1.0
        cap = throttle.dirty_rate / PAGE_SIZE if throttle and throttle.dirty_rate is not None else None
        self._touched = self._touched or duration_s > 0
        while duration_s > 0:
            phase = self._phases[self._index]
            spent, done = self._advance(phase, duration_s, phase.pace * slowed, cap)
            duration_s -= spent
            self.wanted += spent * phase.pace
            self.operations += done
            self._served_s += done / phase.pace
            self._done += done
            if phase.operations is not None and self._done >= phase.operations * (1 - 1e-12):
                self._index, self._done = (self._index + 1) % len(self._phases), 0.0

    def collect(self, unsent: int = 0) -> int:
        """Bytes that are dirty, whole pages, or were taken before and of those the last ``unsent`` ones, which have not
        been sent; from now on none is dirty.
        """
        left, elsewhere = self._last(unsent / PAGE_SIZE)
        dirty = self._found(self._dirty_shares(self._swept, self._missed))
        self._taken = left + (self._pages - left) * dirty
        self._elsewhere = elsewhere + dirtied_pages(self._services, self._served_s) + (OWN_PAGES * self._touched)
        self._whole = False
        self._clean()
        return min(round(float(self._taken.sum()) + self._elsewhere) * PAGE_SIZE, self._ram_bytes)

    def _last(self, pages: float) -> tuple[Vector, float]:
        """Where the last of the pages taken are, by cell, and how many elsewhere. The full copy goes by address, the
        working set first; a later pass begins where the one before was left, elsewhere first.
        """
        cells = float(self._taken.sum())
        inside = max(0.0, pages - self._elsewhere) if self._whole else min(pages, cells)
        return self._taken * (inside / cells if cells else 0.0), pages - inside

    @property
    def spread_bytes(self) -> int:
        """All that it writes lies within so many bytes."""
        return round(float(self._pages.sum())) * PAGE_SIZE

    def held_s(self, throttle: Throttle | None) -> float:
        """How long who wants to collect has to wait on average, since the guest is being kept from running and is not
        to be found half stopped.
        """
        stopped = stopped_s(throttle)
        return stopped * stopped / (stopped + SLICE_S) / 2

    def _found(self, shares: Vector) -> Vector:
        """What of each cell a collection finds dirty, when so much is expected: just that."""
        return shares

    def _clean(self) -> None:
        self._swept = np.zeros_like(self._pages)
        self._missed = np.zeros_like(self._pages)
        self._touched, self._served_s = False, 0.0

    def _advance(self, phase: Phase, time: float, pace: float, cap: float | None) -> tuple[float, float]:
        """Runs this phase for that time or to its end. Returns seconds and operations."""
        left = np.inf if phase.operations is None else phase.operations - self._done
        done = min(left, self._operations(phase, time, pace, cap))
        spent = time if done < left else min(time, self._time(phase, done, pace, cap))
        self._swept, self._missed = self._after(phase, done)
        return spent, done

    def _operations(self, phase: Phase, time: float, pace: float, cap: float | None) -> float:
        """What it gets done in that time."""
        free = pace * time
        if cap is None or phase.rate == 0:
            return free
        already = self._dirty(self._swept, self._missed)
        held = self._knee(phase, free, pace, cap)
        grown = self._dirty(*self._after(phase, held)) - already
        if grown > cap * time:
            return _largest(lambda n: self._dirty(*self._after(phase, n)) - already <= cap * time, held)
        return held + pace * (time - (grown / cap if cap else 0.0))

    def _time(self, phase: Phase, done: float, pace: float, cap: float | None) -> float:
        """How long that many operations take."""
        if cap is None or phase.rate == 0:
            return done / pace
        held = self._knee(phase, done, pace, cap)
        grown = self._dirty(*self._after(phase, held)) - self._dirty(self._swept, self._missed)
        return (grown / cap if cap else 0.0) + (done - held) / pace

    def _knee(self, phase: Phase, most: float, pace: float, cap: float) -> float:
        """Operations up to which its own dirty rate is above the cap."""
        return _largest(lambda n: self._newly(phase, n) * pace > cap, most)

    def _newly(self, phase: Phase, operations: float) -> float:
        """The chance that the operation after those dirties a clean page."""
        swept, missed = self._after(phase, operations)
        if phase.swept:
            return float((phase.share * np.exp(missed) * (swept < 1)).sum())
        return float((phase.share * (1 - swept) * np.exp(missed)).sum())

    def _after(self, phase: Phase, operations: float) -> tuple[Vector, Vector]:
        """Swept shares and logarithms of the missed ones once that many operations are done."""
        if phase.rate == 0 or operations == 0:
            return self._swept, self._missed
        if phase.swept:
            return np.minimum(1.0, self._swept + phase.share * operations / self._pages), self._missed
        return self._swept, self._missed + operations * self._log_miss[self._index]

    def _dirty(self, swept: Vector, missed: Vector) -> float:
        return float((self._pages * self._dirty_shares(swept, missed)).sum())

    def _dirty_shares(self, swept: Vector, missed: Vector) -> Vector:
        return 1 - (1 - swept) * np.exp(missed)


def stopped_s(throttle: Throttle | None) -> float:
    """For how long auto-converge stops the guest each time; 0 for other throttles. Its level is below 1
    (``source.as_done``).
    """
    if throttle is None or throttle.dirty_rate is not None:
        return 0.0
    return SLICE_S * throttle.level / (1 - throttle.level)


def _largest(holds: Callable[[float], bool], most: float) -> float:
    """The largest number up to ``most`` for which that holds, of a condition that holds up to some number only."""
    if holds(most):
        return most
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low

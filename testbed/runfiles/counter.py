"""A counter as its samples know it: in a gap between two of them it lies anywhere between the two.

    most   ┌─────────────●     in a gap it has at least what the sample before it had,
           │             │     and at most what the sample after it has
    least  ●─────────────┘

Samples of a machine that was busy elsewhere have such gaps. Who takes a counter to have gone on evenly in them finds
honest runs wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
import numpy.typing as npt

GAP_S = 0.1
"""Samples that are no further apart leave none: between them a counter is taken to go on evenly."""


@dataclass(frozen=True, slots=True, eq=False)
class SampledCounter:
    """A count that never falls, read at ``times`` (s, CLOCK_MONOTONIC, in order): ``counts``, of the same length."""

    times: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]

    @classmethod
    def read(cls, rows: Iterable[tuple[float, Mapping[str, object]]], name: str) -> Self | None:
        """The field ``name`` of samples and their times. None of fewer than two that have a number there."""
        known = [(t, float(count)) for t, row in rows if isinstance(count := row.get(name), int | float)]
        if len(known) < 2:
            return None
        times, counts = np.array(known).T
        return cls(times, counts)

    def least(self, time: float) -> float:
        """What it had by then for certain; 0 before its first sample."""
        after = self._after(time)
        if after == 0:
            return 0.0
        return self.at(time) if self._near(after) else float(self.counts[after - 1])

    def most(self, time: float) -> float:
        """What it can have had by then; without end after its last sample."""
        after = self._after(time)
        if after == len(self.times):
            return inf
        return self.at(time) if self._near(after) else float(self.counts[after])

    def at(self, time: float) -> float:
        """As if it had gone on evenly from sample to sample: to be said, and not to be judged by."""
        return float(np.interp(time, self.times, self.counts))

    def left_open(self, time: float) -> float:
        """What was counted between the samples before and after that moment, however near; without end where one of
        them is missing.
        """
        after = self._after(time)
        return float(self.counts[after] - self.counts[after - 1]) if 0 < after < len(self.times) else inf

    def gained(self, begin: float, end: float) -> tuple[float, float]:
        """At least and at most how much it rose in that time."""
        return max(0.0, self.least(end) - self.most(begin)), self.most(end) - self.least(begin)

    def _after(self, time: float) -> int:
        """The place of the first sample that is later."""
        return int(np.searchsorted(self.times, time, side="right"))

    def _near(self, after: int) -> bool:
        """Whether the sample there and the one before it leave no gap."""
        return 0 < after < len(self.times) and bool(self.times[after] - self.times[after - 1] <= GAP_S)

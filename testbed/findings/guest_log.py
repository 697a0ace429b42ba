"""What the guest's own log says: rates before, during and after, and the longest gap around the switchover."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

GAP_WINDOW_S = 1.0
"""How far around the switchover the longest gap is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class GuestLog:
    """When how many operations were done: ``times`` in seconds of CLOCK_MONOTONIC, rising; ``operations`` in all."""

    times: Times
    operations: Counts

    @classmethod
    def joined(cls, *parts: tuple[Times, Counts]) -> "GuestLog":
        """The logs of both hosts' guests as the log of the one guest that they are."""
        times = np.concatenate([np.empty(0), *(part[0] for part in parts)])
        operations = np.concatenate([np.empty(0, np.int64), *(part[1] for part in parts)])
        order = np.argsort(times, kind="stable")
        return cls(times[order], operations[order])

    def rate(self, begin: float, end: float) -> float | None:
        """Operations per second between the first and the last entry within these times; None with fewer than two."""
        inside = (self.times >= begin) & (self.times <= end)
        times, operations = self.times[inside], self.operations[inside]
        if len(times) < 2 or times[-1] <= times[0]:
            return None
        return float((operations[-1] - operations[0]) / (times[-1] - times[0]))

    def longest_gap(self, begin: float, end: float) -> float | None:
        """The longest time without a completed operation within these times; None when nothing is logged there."""
        inside = self.times[(self.times >= begin) & (self.times <= end)]
        return float(np.diff(inside).max()) if len(inside) > 1 else None

    def gap_around(self, asked: float, first_step: float) -> float | None:
        """``guest_gap_s``: the longest gap in the window around a switchover."""
        return self.longest_gap(asked - GAP_WINDOW_S, first_step + GAP_WINDOW_S)

    def gap_begin_around(self, asked: float, first_step: float) -> float | None:
        """When that gap began."""
        near = (self.times >= asked - GAP_WINDOW_S) & (self.times <= first_step + GAP_WINDOW_S)
        inside = self.times[near]
        return float(inside[np.diff(inside).argmax()]) if len(inside) > 1 else None

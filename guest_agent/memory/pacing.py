"""When operation n is due: a closed loop around the rate asked for. Knows no clock; times are arguments, in seconds.

due(n) = anchor + (n - anchor_n) / rate          late operations are made up for, so the mean rate is exact
         debt older than 100 ms is forgiven      after a stop of 10 s nobody gets 10 s of work in one go
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

Pace = Callable[[int], tuple[float, int | None]]


@dataclass(slots=True)
class Pacer:
    """Says how many operations to carry out now, and how long to wait for the next.

    ``pace(n)`` gives the rate from operation n on and where it changes. ``shortfall`` counts operations forgiven:
    those that were asked for and never made up.
    """

    pace: Pace
    batch_s: float
    most: int = 1024
    longest_debt_s: float = 0.1
    shortfall: float = 0.0
    _anchor: float = 0.0
    _operation: int = 0
    _rate: float = 1.0
    _until: int | None = None
    _last: float = 0.0

    def start(self, now: float, operation: int) -> None:
        """The next operation, ``operation``, is due now: at the beginning, and after every resume."""
        self._last = now - self.batch_s
        self._set(now, operation)

    def due(self, now: float, operation: int) -> int:
        """How many operations are due, beginning with ``operation``; 0 when it is too early for another batch."""
        if now < self._last + self.batch_s:
            return 0
        if operation == self._until:
            self._set(self._due_at(operation), operation)
        self._forgive(now, operation)
        count = min(math.floor((now - self._anchor) * self._rate) + self._operation + 1 - operation, self.most)
        if self._until is not None:
            count = min(count, self._until - operation)
        if count <= 0:
            return 0
        self._last = max(now - self.batch_s, self._last + self.batch_s)
        return count

    def wait(self, now: float, operation: int) -> float:
        """Seconds until a batch that begins with ``operation`` may be due."""
        return max(0.0, self._due_at(operation) - now, self._last + self.batch_s - now)

    def _due_at(self, operation: int) -> float:
        return self._anchor + (operation - self._operation) / self._rate

    def _set(self, anchor: float, operation: int) -> None:
        self._anchor, self._operation = anchor, operation
        self._rate, self._until = self.pace(operation)

    def _forgive(self, now: float, operation: int) -> None:
        debt = now - self._due_at(operation)
        if debt > self.longest_debt_s:
            self.shortfall += debt * self._rate
            self._anchor, self._operation = now, operation

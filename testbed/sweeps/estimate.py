"""How long what is left will take, and how much room, by the model."""

from collections.abc import Iterable

from testbed.engines import registry
from testbed.engines.forecasting import expected
from testbed.sweeps.grid import Arm
from testbed.sweeps.points import Point

SIMULATED_S = 0.006
"""Seconds of a simulated migration on a core at 3 GHz, with its files."""
FILES_BYTES = 9_000
"""Bytes of a simulated migration's files."""
PAGE_BYTES, SECOND_BYTES = 2_500_000, 60_000
"""Bytes of a native run's page and pictures, and of each second of its samples: as seen."""


class Estimate:
    """Seconds and bytes of points by one engine. A combination without a model is not known, nor its whole."""

    def __init__(self, engine: str) -> None:
        self._native = registry.get(engine).needs_machine
        self._known: dict[int, float | None] = {}

    def seconds(self, points: Iterable[Point]) -> float | None:
        """How long one machine and core needs for these; None where that is not known."""
        each = [self._seconds(point.arm) for point in points]
        return None if None in each else sum(s for s in each if s is not None)

    def size(self, points: Iterable[Point]) -> float:
        """Bytes that their runs will have, as far as that is known."""
        total = 0.0
        for point in points:
            count = len(point.arm.scenario.plans())
            total += FILES_BYTES * count
            if self._native:
                total += PAGE_BYTES + SECOND_BYTES * (self._seconds(point.arm) or 0.0)
        return total

    def _seconds(self, arm: Arm) -> float | None:
        """Of each point of a combination; reckoned once."""
        if arm.index not in self._known:
            self._known[arm.index] = self._of_arm(arm)
        return self._known[arm.index]

    def _of_arm(self, arm: Arm) -> float | None:
        plans = arm.scenario.plans()
        if not self._native:
            return SIMULATED_S * len(plans)
        each = [expected(plan).whole_s for plan in plans]
        return None if None in each else sum(s for s in each if s is not None)

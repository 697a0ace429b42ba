"""Whether a machine is still the same: one point made first there and again every so many, and held against the first.

What drifts is told and goes on: the points that lie between two canaries are what a reader has to doubt.
"""

from collections.abc import Callable
from dataclasses import replace

from testbed.core.units import in_seconds
from testbed.scenario import Scenario
from testbed.sweeps.ended import PointMade
from testbed.sweeps.folder import SweepFolder
from testbed.sweeps.grid import CanaryKeys
from testbed.sweeps.making import told
from testbed.sweeps.points import PointWanted, canary

FIGURE = "total_time"


class Canaries:
    """When each machine is to make one, and what became of them. ``say`` is told where one drifts."""

    def __init__(
        self,
        keys: CanaryKeys,
        scenario: Scenario,
        engine: str,
        folder: SweepFolder,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._keys, self._say = keys, say
        self._wanted = canary(scenario, engine, 0)
        self._first: dict[str, float] = {}
        self._number = 0  # of all machines together: a worker is called otherwise than the machine that it is on
        self._since: dict[str, int] = {}
        self.drifts: list[str] = []
        for kept in folder.kept_canaries():
            self._number = max(self._number, kept.record.number)
            if kept.record.id == self._wanted.id:
                self.note(told(kept.record.number, kept.record, kept.summary, canary=True), again=False)

    def due(self, machine: str) -> PointWanted | None:
        """The canary that is to be made there before the next point; None if none is."""
        if self._since.get(machine, self._keys.every) < self._keys.every:
            self._since[machine] += 1
            return None
        self._since[machine] = 0
        self._number += 1
        return replace(self._wanted, number=self._number)

    def note(self, made: PointMade, *, again: bool = True) -> None:
        """One that has ended. ``again`` False: it lies there from before, and is told no more."""
        where = f"canary {made.number} on {made.machine}"
        value = next((each.get(FIGURE) for each in made.figures.values()), None)
        if value is None or made.reason:
            self._drifted(f"{where} {made.state}: {made.reason or 'it did not complete'}", again)
            return
        first = self._first.setdefault(made.machine, value)
        if abs(value - first) > self._keys.within * first:
            off = f"{value / first - 1:+.0%}"
            drift = f"{where} took {in_seconds(value)}, {off} from the first one's {in_seconds(first)}"
            self._drifted(f"{drift}: the machine is not what it was", again)

    def _drifted(self, line: str, told_now: bool) -> None:
        self.drifts.append(line)
        if told_now:
            self._say(line)

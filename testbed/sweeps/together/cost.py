"""What a sweep takes beside the runs of its points: what it does for each, and what it writes of all at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import monotonic

from testbed.core.units import in_seconds


@dataclass(slots=True, kw_only=True)
class SweepCost:
    """Grows while a sweep goes on. ``made``: points that were made now, canaries too, by ``count`` processes at once
    (0: none of this machine), in ``seconds`` from the first to the last, and ``runs_s`` seconds of their runs;
    ``cpu_s``: of a processor, by us and by those processes, their start too; ``told_s``: tables and page.
    """

    made: int = 0
    count: int = 0
    seconds: float = 0.0
    runs_s: float = 0.0
    cpu_s: float = 0.0
    told_s: float = 0.0

    @contextmanager
    def growing(self) -> Iterator[None]:
        """While points are made, by processes that begin and end within it: what they took is known at their end."""
        began, spent = monotonic(), _cpu_s()
        try:
            yield
        finally:
            self.seconds, self.cpu_s = monotonic() - began, _cpu_s() - spent

    def note(self, run_s: float) -> None:
        """A point whose run took so long; what was refused had none."""
        self.made += run_s > 0
        self.runs_s += run_s

    @property
    def each_s(self) -> float:
        """Seconds beside its run that a point takes, of one process."""
        return max(0.0, self.seconds * self.count - self.runs_s) / self.made

    @property
    def share(self) -> float:
        """What a point takes beside its run, as a share of that."""
        return self.each_s * self.made / self.runs_s

    @property
    def rate(self) -> float:
        """Points a second of a processor."""
        return self.made / self.cpu_s


def _cpu_s() -> float:
    """Seconds of a processor: ours, and those of processes that have ended."""
    each = (getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
    return sum(spent.ru_utime + spent.ru_stime for spent in each)


def cost_in_words(cost: SweepCost, *, native: bool) -> str:
    """In a line: of real runs what is not theirs, of simulated ones how many a second."""
    many = f"{cost.made:,} points" if cost.made > 1 else "1 point"
    rest = f"; tables and page {in_seconds(cost.told_s)}"
    if not native:
        by = f" by {cost.count} processes" if cost.count > 1 else ""
        return f"{many} in {in_seconds(cost.seconds)}{by}, {cost.rate:.0f} for each second of a processor{rest}"
    beside = f"{in_seconds(cost.each_s)} a point beside its run, {cost.share:.2%}"
    return f"{many} in {in_seconds(cost.seconds)}, {in_seconds(cost.runs_s)} of it their runs: {beside}{rest}"

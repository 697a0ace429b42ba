"""What a sweep takes beside the runs of its points: what it does for each, and what it writes of all at the end."""

from dataclasses import dataclass

from testbed.core.units import in_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCost:
    """``made``: points that were made now, canaries too, by ``count`` processes at once, in ``seconds`` from the first
    to the last, and ``runs_s`` seconds of their runs; ``cpu_s``: of a processor, by us and by those processes, their
    start too; ``told_s``: tables and page.
    """

    made: int
    count: int
    seconds: float
    runs_s: float
    cpu_s: float
    told_s: float

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


def cost_in_words(cost: SweepCost, *, native: bool) -> str:
    """In a line: of real runs what is not theirs, of simulated ones how many a second."""
    many = f"{cost.made:,} points" if cost.made > 1 else "1 point"
    rest = f"; tables and page {in_seconds(cost.told_s)}"
    if not native:
        by = f" by {cost.count} processes" if cost.count > 1 else ""
        return f"{many} in {in_seconds(cost.seconds)}{by}, {cost.rate:.0f} for each second of a processor{rest}"
    beside = f"{in_seconds(cost.each_s)} a point beside its run, {cost.share:.2%}"
    return f"{many} in {in_seconds(cost.seconds)}, {in_seconds(cost.runs_s)} of it their runs: {beside}{rest}"

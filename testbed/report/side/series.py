"""Time series of several runs over one another, from the moment when each of their migrations was asked for.

Groups are those of a comparison: runs that are repeats of one another, or a single run's settings.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord
from testbed.core.text.nearest import nearest
from testbed.report.axis.timeline import COLUMNS, timeline
from testbed.report.charts.curves import RepeatLine, curves_chart
from testbed.report.page.figures import Figure
from testbed.report.side.runs import ComparedRun, groups_of, scale_of
from testbed.runfiles import samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.samples import Recording

MOST_GROUPS, MOST_REPEATS, LEAST_POINTS = 6, 10, 60
"""Colours that can be told apart; repeats that are drawn of each; points of a line at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is drawn over time: in words, its axis, by how much its values are multiplied, and of which part of a
    record or of the samples it is.
    """

    title: str
    axis: str
    factor: float
    sampled: str = ""
    of_round: str = ""


SERIES = {
    "throughput": Series(title="Link throughput", axis="MB/s", factor=1e-6, sampled="throughput", of_round="bandwidth"),
    "operations": Series(title="Operations of the guest", axis="1000 operations/s", factor=1e-3, sampled="operations"),
    "latency": Series(title="Latency of the client", axis="ms", factor=1e3, sampled="latency"),
    "bandwidth": Series(title="Bandwidth of each round", axis="MB/s", factor=1e-6, of_round="bandwidth"),
    "dirty_rate": Series(title="Dirty rate of each round", axis="MB/s", factor=1e-6, of_round="dirty_rate"),
    "dirtied": Series(title="What each round left", axis="MB", factor=1e-6, of_round="dirtied_bytes"),
    "throttle": Series(title="Throttle of each round", axis="%", factor=100, of_round="throttle"),
}


def overlay(runs: Sequence[ComparedRun], what: str) -> Figure:
    """The chart of one series. Raises ``ScenarioError`` for a series that there is not, one that no run has, runs of
    different scales, and damaged samples.
    """
    if what not in SERIES:
        raise ScenarioError(f"there is no series '{what}'; {nearest(what, list(SERIES))}")
    if len({scale_of(done) for run in runs for done in run.summary.migrations}) > 1:
        raise ScenarioError("migrations of different scales have no time axis in common; compare those of one scale")
    found = _grouped(runs)
    chosen, series = dict(list(found.items())[:MOST_GROUPS]), SERIES[what]
    lines = sum(min(len(each), MOST_REPEATS) for each in chosen.values())
    points = max(LEAST_POINTS, 4 * COLUMNS // max(1, lines))
    known = _Recordings()
    curves = [each for label, made in chosen.items() for each in _curves(label, made, series, points, known.of)]
    if not curves:
        hint = "; simulated runs have bandwidth, dirty_rate, dirtied and throttle" if not series.of_round else ""
        raise ScenarioError(f"no run has samples of '{what}'{hint}")
    return Figure(
        name=f"overlay-{what}",
        title=series.title,
        caption=_caption(found),
        chart=curves_chart(curves, series.axis),
    )


def _grouped(runs: Sequence[ComparedRun]) -> dict[str, list[tuple[MigrationRecord, ComparedRun]]]:
    """Migrations by what a comparison calls their group: the run's, the migration's name, or both."""
    groups, found = groups_of(runs), dict[str, list[tuple[MigrationRecord, ComparedRun]]]()
    alone = all(len({done.name for run in each for done in run.summary.migrations}) == 1 for each in groups.values())
    for label, members in groups.items():
        for run in members:
            for done in run.summary.migrations:
                name = done.name if len(groups) == 1 else label if alone else f"{done.name} {label}"
                found.setdefault(name, []).append((done, run))
    return found


def _curves(
    label: str,
    made: Sequence[tuple[MigrationRecord, ComparedRun]],
    series: Series,
    points: int,
    recordings: Callable[[ComparedRun], list[Recording]],
) -> Iterator[RepeatLine]:
    for index, (done, run) in enumerate(made[:MOST_REPEATS]):
        curve = _curve(done, samples.find(recordings(run), done) if series.sampled else None, series, points)
        if curve is not None:
            yield RepeatLine(group=label, line=f"{label} {index}", times=curve[0], values=curve[1], stepped=curve[2])


def _curve(
    done: MigrationRecord, recording: Recording | None, series: Series, points: int
) -> tuple[list[float], list[float], bool] | None:
    """Times in seconds, values in the axis's unit, and whether they are of whole rounds; None where there are none."""
    if recording is not None:
        band = getattr(timeline(done, recording, points), series.sampled)
        if band is not None:
            return band.times.tolist(), (band.mean * series.factor).tolist(), False
    rounds = [each for each in done.rounds if series.of_round == "bandwidth" or each.kind == "precopy"]
    if not series.of_round or not rounds:
        return None
    times = [each.started_s for each in rounds] + [rounds[-1].started_s + rounds[-1].duration_s]
    values = [getattr(each, series.of_round) * series.factor for each in rounds]
    return times, [*values, values[-1]], True


class _Recordings:
    """The samples of each run, read once."""

    def __init__(self) -> None:
        self._known: dict[Path, list[Recording]] = {}

    def of(self, run: ComparedRun) -> list[Recording]:
        if run.path not in self._known:
            self._known[run.path] = samples.read(RunFolder(run.path).samples)
        return self._known[run.path]


def _caption(found: dict[str, list[tuple[MigrationRecord, ComparedRun]]]) -> str:
    """What a line is, and that not all are drawn, where they are not."""
    said = "A line is a repeat, from the moment when its migration was asked for."
    if len(found) > MOST_GROUPS:
        said += f" The first {MOST_GROUPS} of {len(found)} groups."
    if any(len(each) > MOST_REPEATS for each in found.values()):
        said += f" Of more than {MOST_REPEATS} repeats the first {MOST_REPEATS}."
    return said

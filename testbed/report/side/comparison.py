"""Runs laid side by side: what is compared with what, at which size, what comes out, and what was left out.

Groups of repeats (``runs``) are compared migration by migration, by name; of a single group its migrations'
settings are compared with each other. The first group is what the others are held against. Where two groups have the
same seeds, each as often, they are compared by pairs of equal seeds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord
from testbed.report.side.measures import Measure, measures
from testbed.report.side.runs import ComparedRun, groups_of, load, refusals, scale_of
from testbed.report.side.several import AT, Bound, bound, compared, holm
from testbed.report.side.spread import Difference, Spread, spread

MODEL, CONSTANT = "a model, no noise", "the same in every repeat: the noise is not known"
HALF = "one of the two is the same in every repeat: its noise is not known"
FEW = "too few repeats to tell it from noise; run with --repeat 5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Migrations that are repeats of one another. Those that did not complete are left out of ``migrations``, and
    counted in ``made``. ``seeds``: each one's own.
    """

    label: str
    migrations: list[MigrationRecord]
    seeds: list[int]
    made: int
    model: bool = False

    def values(self, measure: Measure, real: bool) -> dict[tuple[int, int], float]:
        """A number a repeat that has it, by its seed and which one of that seed it is (from 0), in that order."""
        read, found = measure.real if real else measure.emulated, dict[tuple[int, int], float]()
        seen = Counter[int]()
        for seed, done in zip(self.seeds, self.migrations, strict=True):
            if read and (value := read(done)) is not None:
                found[seed, seen[seed]] = value
                seen[seed] += 1
        return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonLine:
    """One figure of one group, and how it differs from the first group's. ``real``: at real-world size. ``doubt`` says
    why there is no difference with an interval; empty for the first group, which the others are held against.

    ``values`` are in the order of their seeds. ``first``: those of the first group; ``paired``: each has the seed of
    this group's at its place. ``adjusted``: the difference's p after Holm's correction over all of a comparison.
    """

    migration: str
    measure: Measure
    group: str
    spread: Spread
    values: list[float]
    difference: Difference | None = None
    base: float | None = None
    real: bool = False
    doubt: str = ""
    first: Sequence[float] = ()
    paired: bool = False
    adjusted: float | None = None

    @property
    def significant(self) -> bool | None:
        """Whether it differs at 5 % with all figures of the comparison in view (Holm); None where that is not known."""
        return None if self.adjusted is None else self.adjusted < AT

    def bound(self, share: float) -> Bound:
        """The figure held against the first group's and ``share`` more (0.05: 5 % more; -0.05: 5 % less), by this
        comparison's own pairs and intervals: see ``several.bound``. Raises ``ValueError`` for the first group itself.
        """
        return bound(self.first, self.values, share, paired=self.paired, model=self.doubt == MODEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``reasons``: why these runs should not be compared; ``notes``: what was left out, and at which size it is;
    ``paired``: groups of the same seeds were compared by pairs.
    """

    runs: list[ComparedRun]
    reasons: list[str]
    lines: list[ComparisonLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    paired: bool = True


def laid(paths: Sequence[Path], *, anyway: bool = False, option: str = "--anyway", paired: bool = True) -> Comparison:
    """Raises ``ScenarioError`` for what is no run or cannot be compared; ``anyway`` compares what should not be.

    ``option``: what the caller calls that; ``paired`` False: not by pairs of equal seeds either.
    """
    comparison = compare(load(paths), paired=paired)
    if comparison.reasons and not anyway:
        raise ScenarioError(f"not comparable: {'; '.join(comparison.reasons)}; {option} compares them all the same")
    if not comparison.lines:
        raise ScenarioError("; ".join(["nothing to compare: no migration completed in these runs", *comparison.notes]))
    return comparison


def compare(runs: Sequence[ComparedRun], *, paired: bool = True) -> Comparison:
    """Migration by migration, figure by figure, a line a group. Figures that nobody has are left out."""
    comparison = Comparison(runs=list(runs), reasons=refusals(runs), paired=paired)
    kinds = measures(done for run in runs for done in run.completed)
    strangers = _strangers(groups_of(runs))
    comparison.notes.extend(f"{label} has no migration in common with the others" for label in strangers)
    for migration, groups in _matched(runs):
        real = len({scale_of(done) for group in groups for done in group.migrations}) > 1
        comparison.notes.extend(_left_out(migration, groups, strangers))
        for measure in kinds:
            comparison.lines.extend(_lines(migration, measure, groups, real, paired))
        if real:
            comparison.notes.append(_sized(migration, kinds, groups))
    return replace(comparison, lines=_corrected(comparison.lines))


def _corrected(lines: Sequence[ComparisonLine]) -> list[ComparisonLine]:
    """With each p after Holm's correction over all of them."""
    adjusted = iter(holm([line.difference.p for line in lines if line.difference]))
    return [replace(line, adjusted=next(adjusted)) if line.difference else line for line in lines]


def _matched(runs: Sequence[ComparedRun]) -> Iterator[tuple[str, list[Group]]]:
    """What is compared with what: one migration over the groups, or the migrations of the only group."""
    groups = groups_of(runs)
    names = {label: _names(each) for label, each in groups.items()}
    if len(groups) == 1:
        (only,) = groups.values()
        yield "", [_group(name, only, name) for each in names.values() for name in each]
    elif all(len(each) == 1 for each in names.values()):
        yield "", [_group(label, each, names[label][0]) for label, each in groups.items()]
    else:
        for name in dict.fromkeys(name for each in names.values() for name in each):
            yield name, [_group(label, each, name) for label, each in groups.items()]


def _names(runs: Sequence[ComparedRun]) -> list[str]:
    return list(dict.fromkeys(done.name for run in runs for done in run.summary.migrations))


def _group(label: str, runs: Sequence[ComparedRun], name: str) -> Group:
    """The seed rises by one with each repeat (``Scenario.plans``)."""
    made = [(run.summary.seed, done) for run in runs for done in run.summary.migrations if done.name == name]
    completed = [(seed + done.repeat - 1, done) for seed, done in made if done.outcome == "completed"]
    return Group(
        label=label,
        migrations=[done for _, done in completed],
        seeds=[seed for seed, _ in completed],
        made=len(made),
        model=any(run.model for run in runs),
    )


def _strangers(groups: dict[str, list[ComparedRun]]) -> list[str]:
    """Groups that have no migration of any other's, where migrations are matched by their names."""
    names = {label: set(_names(each)) for label, each in groups.items()}
    if len(names) == 1 or all(len(each) == 1 for each in names.values()):
        return []
    others = {own: set().union(*(each for label, each in names.items() if label != own)) for own in names}
    return [label for label, own in names.items() if not own & others[label]]


def _left_out(migration: str, groups: Sequence[Group], strangers: Sequence[str]) -> Iterator[str]:
    """Of a stranger it is clear already that it lacks what others have, and they what it has."""
    met = any(group.made for group in groups if group.label not in strangers)
    for group in groups:
        where = f"{migration}: {{}} in {group.label}" if migration else f"{group.label}: {{}}"
        if not group.made:
            if met and group.label not in strangers:
                yield where.format("not made")
        elif len(group.migrations) < group.made:
            yield where.format(f"{len(group.migrations)} of {group.made} completed")


def _sized(migration: str, known: Sequence[Measure], groups: Sequence[Group]) -> str:
    """That the figures are of real-world size, and which are missing for it."""
    where = f"{migration}: " if migration else ""
    missing = [m.words for m in known if m.real is None and any(group.values(m, False) for group in groups)]
    left = f"; left out, as they have none: {', '.join(missing)}" if missing else ""
    return f"{where}the scales differ, so figures are of real-world size{left}"


def _lines(
    migration: str, measure: Measure, groups: Sequence[Group], real: bool, paired: bool
) -> Iterator[ComparisonLine]:
    known = [group.values(measure, real) for group in groups]
    first = list(known[0].values())
    for index, (group, found) in enumerate(zip(groups, known, strict=True)):
        values, model = list(found.values()), group.model and groups[0].model
        pairs = paired and bool(index) and known[0].keys() == found.keys()
        apart = compared(first, values, paired=pairs) if index and first and values and not model else None
        if values:
            yield ComparisonLine(
                migration=migration,
                measure=measure,
                group=group.label,
                spread=_spread(values, group.model),
                values=values,
                difference=apart,
                base=spread(first).mean if index and first else None,
                real=real,
                doubt=_doubt(groups[0].label, first, values, model, apart) if index else "",
                first=first if index else (),
                paired=pairs,
            )


def _spread(values: Sequence[float], model: bool) -> Spread:
    """Of a model without an interval: what differs in it is no noise."""
    made = spread(values)
    return replace(made, low=None, high=None) if model else made


def _doubt(base: str, first: Sequence[float], values: Sequence[float], model: bool, apart: Difference | None) -> str:
    if not first:
        return f"nothing to hold it against: {base} has none"
    if model:
        return MODEL
    if min(len(first), len(values)) < 2:
        return FEW
    if apart is None:
        return CONSTANT if len(set(first)) == len(set(values)) == 1 else HALF
    return ""

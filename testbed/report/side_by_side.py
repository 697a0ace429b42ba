"""Runs laid side by side: which belong together as repeats, whether they may be compared, and what comes out.

Runs of the same scenario, by the same version of the testbed, are repeats of one another and make one group; what is
compared is groups. Of a single group its migrations' settings are compared with each other.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.core.errors import ScenarioError
from testbed.core.record import MigrationRecord, Summary
from testbed.report.folder import RunFolder
from testbed.report.page_html import flat
from testbed.report.spread import Difference, Spread, difference, spread

SAME = ("kernel", "machine", "cpu", "cores")
"""Of ``environment``: where these differ, so may everything."""
FIGURES: dict[str, Callable[[MigrationRecord], float | None]] = {
    "total_time_s": lambda done: done.total_time_s,
    "downtime_s": lambda done: done.downtime_s,
    "guest_gap_s": lambda done: done.guest_gap_s,
    "client_blackout_s": lambda done: done.client_blackout_s,
    "bytes_sent": lambda done: float(done.bytes_sent) if done.outcome == "completed" else None,
    "rounds": lambda done: float(len(done.rounds)) if done.outcome == "completed" else None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run's folder, its summary, and its scenario without its seed."""

    path: Path
    summary: Summary
    scenario: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Migrations that are repeats of one another; those that did not complete are left out."""

    label: str
    migrations: list[MigrationRecord]

    def values(self, figure: str) -> list[float]:
        """Of one of ``FIGURES``, a number a repeat that has it."""
        return [value for done in self.migrations if (value := FIGURES[figure](done)) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of one group, and how it differs from the first group's."""

    migration: str
    figure: str
    group: str
    spread: Spread
    values: list[float]
    difference: Difference | None
    base: float | None


def load(paths: Sequence[Path]) -> list[Run]:
    """Raises ``ScenarioError`` for what is no run."""
    return [_load(path) for path in paths]


def refusals(runs: Sequence[Run]) -> list[str]:
    """Why these runs should not be compared, a sentence each; empty if nothing speaks against it."""
    found = [f"{run.path} is not valid: {_first(run.summary)}" for run in runs if not run.summary.valid]
    found += _differing("engine", [run.summary.engine for run in runs])
    for name in SAME:
        found += _differing(name, [run.summary.environment.get(name) for run in runs])
    return found


def compare(runs: Sequence[Run]) -> list[Line]:
    """Migration by migration, figure by figure, a line a group. Figures that nobody has are left out."""
    lines: list[Line] = []
    for migration, groups in _matched(runs):
        for figure in FIGURES:
            lines += _lines(migration, figure, groups)
    return lines


def groups_of(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs that are repeats of one another, by a label that says what sets them apart."""
    kinds: dict[str, list[Run]] = {}
    for run in runs:
        kinds.setdefault(repr((run.scenario, run.summary.testbed_version, _commit(run))), []).append(run)
    found = list(kinds.values())
    return dict(zip(_labels(found), found, strict=True))


def _matched(runs: Sequence[Run]) -> Iterator[tuple[str, list[Group]]]:
    """What is compared with what: one migration over the groups, or the migrations of the only group."""
    groups = groups_of(runs)
    names = [dict.fromkeys(done.name for run in each for done in run.summary.migrations) for each in groups.values()]
    if len(groups) == 1:
        (only,) = groups.values()
        yield "", [Group(label=name, migrations=_of(only, name)) for name in names[0]]
        return
    if all(len(each) == 1 for each in names):
        pairs = zip(groups.items(), names, strict=True)
        yield "", [Group(label=label, migrations=_of(each, next(iter(name)))) for (label, each), name in pairs]
        return
    for name in names[0]:
        yield name, [Group(label=label, migrations=_of(each, name)) for label, each in groups.items()]


def _of(runs: Sequence[Run], name: str) -> list[MigrationRecord]:
    return [
        done for run in runs for done in run.summary.migrations if done.name == name and done.outcome == "completed"
    ]


def _lines(migration: str, figure: str, groups: Sequence[Group]) -> Iterator[Line]:
    first = groups[0].values(figure)
    for index, group in enumerate(groups):
        values = group.values(figure)
        if values:
            yield Line(
                migration=migration,
                figure=figure,
                group=group.label,
                spread=spread(values),
                values=values,
                difference=difference(first, values) if index and first else None,
                base=spread(first).mean if index and first else None,
            )


def _load(path: Path) -> Run:
    folder = RunFolder(path)
    summary = folder.read_summary()
    try:
        known = yaml.safe_load(folder.scenario.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ScenarioError("the scenario of this run cannot be read", str(folder.scenario)) from error
    known = known if isinstance(known, dict) else {}
    return Run(path=path, summary=summary, scenario={name: value for name, value in known.items() if name != "seed"})


def _labels(groups: Sequence[Sequence[Run]]) -> list[str]:
    """The scenarios' names where they differ, else what in them does, else the folders'."""
    names = [each[0].summary.scenario for each in groups]
    if len(set(names)) == len(names):
        return names
    rows = [dict(flat(each[0].scenario)) | {"commit": str(_commit(each[0]))[:8]} for each in groups]
    keys = dict.fromkeys(key for row in rows for key in row if key not in ("title", "name"))
    apart = [key for key in keys if all(key in row for row in rows) and len({row[key] for row in rows}) > 1]
    labels = [", ".join(f"{re.sub('^.*[.]', '', key)}={row[key]}" for key in apart[:3]) for row in rows]
    if len(set(labels)) == len(labels):
        return labels
    return [", ".join(run.path.name for run in each) for each in groups]


def _differing(what: str, values: Sequence[Any]) -> Iterator[str]:
    seen = list(dict.fromkeys(map(str, values)))
    if len(seen) > 1:
        yield f"the runs differ in {what}: {', '.join(seen)}"


def _commit(run: Run) -> Any:
    return run.summary.environment.get("commit")


def _first(summary: Summary) -> str:
    return summary.invalid_reasons[0] if summary.invalid_reasons else "it does not say why"

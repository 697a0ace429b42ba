"""Runs that are to be compared: read, held against each other, and put into groups of repeats.

Runs of the same scenario, by the same version of the testbed and the same code of one's own, are repeats of one another
and make one group.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.text.yaml_text import Tree, tree_of
from testbed.report.page.html import flat
from testbed.runfiles import files
from testbed.runfiles.folder import RunFolder

SAME = ("kernel", "machine", "cpu", "cores")
"""Of ``environment``: where these differ, so may everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A run's folder, its summary, and its scenario without its seed."""

    path: Path
    summary: Summary
    scenario: Tree

    @property
    def model(self) -> bool:
        """Whether its figures are a model's without chance: repeats of that differ by no noise."""
        return self.summary.engine == "simulated" and self.scenario.get("chance") is not True

    @property
    def completed(self) -> list[MigrationRecord]:
        """The migrations that have figures."""
        return [each for each in self.summary.migrations if each.outcome == "completed"]


def load(paths: Sequence[Path]) -> list[ComparedRun]:
    """Raises ``ScenarioError`` for what is no run, and for a run that is there twice: it is no repeat of itself."""
    runs = [_load(path) for path in paths]
    for index, run in enumerate(runs):
        for other in runs[:index]:
            if run.path.resolve() == other.path.resolve():
                raise ScenarioError(f"{run.path} is given twice; a run is no repeat of itself")
            if (run.summary, run.scenario) == (other.summary, other.scenario):
                raise ScenarioError(f"{other.path} and {run.path} are copies of one run, no repeats; leave one out")
    return runs


def refusals(runs: Sequence[ComparedRun]) -> list[str]:
    """Why these runs should not be compared, a sentence each; empty if nothing speaks against it."""
    reasons = [f"{run.path} is not valid: {_first(run.summary)}" for run in runs if not run.summary.valid]
    reasons += _differing("engine", [run.summary.engine for run in runs])
    for name in SAME:
        reasons += _differing(name, [run.summary.environment.get(name) for run in runs])
    if len({scale for run in runs for done in run.completed for scale in [scale_of(done)]}) > 1:
        unsized = [str(run.path) for run in runs if any("total_time_s" not in m.full_scale for m in run.completed)]
        reasons += [f"the runs differ in scale, and {path} has no figures at real-world size" for path in unsized]
    return reasons


def groups_of(runs: Sequence[ComparedRun]) -> dict[str, list[ComparedRun]]:
    """Runs that are repeats of one another, by a label that says what sets them apart."""
    kinds: dict[str, list[ComparedRun]] = {}
    for run in runs:
        kinds.setdefault(repr((run.scenario, run.summary.testbed_version, _commit(run), _own_code(run))), []).append(
            run
        )
    groups = list(kinds.values())
    return dict(zip(_labels(groups), groups, strict=True))


def scale_of(record: MigrationRecord) -> tuple[float, float]:
    """By what sizes and times were divided, in this order."""
    return record.scale["size"], record.scale["time"]


def _load(path: Path) -> ComparedRun:
    folder = RunFolder(path)
    summary = folder.read_summary()
    tree, _ = tree_of(files.text(folder.scenario, files.MOST_SCENARIO), str(folder.scenario))
    return ComparedRun(
        path=path, summary=summary, scenario={name: value for name, value in tree.items() if name != "seed"}
    )


def _labels(groups: Sequence[Sequence[ComparedRun]]) -> list[str]:
    """The scenarios' names where they differ, else what in them does, else the folders'."""
    names = [each[0].summary.scenario for each in groups]
    if len(set(names)) == len(names):
        return names
    rows = [
        dict(flat(each[0].scenario)) | {"commit": str(_commit(each[0]))[:8]} | dict(_own_code(each[0]))
        for each in groups
    ]
    keys = dict.fromkeys(key for row in rows for key in row if key not in ("title", "name"))
    apart = [key for key in keys if all(key in row for row in rows) and len({row[key] for row in rows}) > 1]
    labels = [", ".join(f"{_last(key)}={row[key]}" for key in apart[:3]) for row in rows]
    if len(set(labels)) == len(labels):
        return labels
    return [", ".join(run.path.name for run in each) for each in groups]


def _own_code(run: ComparedRun) -> list[tuple[str, str]]:
    """Of each file its name, without what a file's may end in, and how its SHA-256 begins."""
    known = {name: sha256 for each in run.summary.migrations for name, sha256 in each.own_code.items()}
    return [(Path(name).stem, sha256[:8]) for name, sha256 in sorted(known.items())]


def _last(key: str) -> str:
    """Its last part that says something: ``policy`` of ``migration.policy.name``."""
    return key.removesuffix(".name").rpartition(".")[2]


def _differing(what: str, values: Sequence[Any]) -> Iterator[str]:
    different = list(dict.fromkeys(map(str, values)))
    if len(different) > 1:
        yield f"the runs differ in {what}: {', '.join(different)}"


def _commit(run: ComparedRun) -> Any:
    return run.summary.environment.get("commit")


def _first(summary: Summary) -> str:
    return summary.invalid_reasons[0] if summary.invalid_reasons else "it does not say why"

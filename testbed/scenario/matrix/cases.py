"""``matrix.cases``: what changes together, each case a mapping of paths; all of them set the same paths.

matrix:
  cases:                                                         ram=128GiB write_rate=5.77Gbit
    - {vm.ram: 128GiB, vm.workload.write_rate: 5.77Gbit}         ram=256GiB write_rate=3.56Gbit
    - {vm.ram: 256GiB, vm.workload.write_rate: 3.56Gbit}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.settings import Settings
from testbed.core.text.label import label
from testbed.core.text.yaml_text import KeyPath
from testbed.scenario.document import Document, dotted, parts
from testbed.scenario.values import meaning, spellings

CASES = "cases"
MATRIX: KeyPath = ("matrix",)
"""Where the axes of one run stand."""
SETTABLE = ("network", "vm", "migration", "scale", "warmup", "cooldown", "expect", "faults")
"""What may differ between the migrations of one run."""

LISTS = ("vm.services", "faults")
"""Paths whose values are lists themselves."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that the matrix puts in, and where that was written."""

    path: str
    value: Any
    place: str


def check_path(path: str, place: str) -> None:
    """Raises ``ScenarioError`` for what the matrix cannot set."""
    if parts(path)[0] not in SETTABLE:
        raise ScenarioError(f"the matrix cannot set '{path:.60}', only what begins with {', '.join(SETTABLE)}", place)


def is_value(path: str, value: Any) -> bool:
    """Whether an axis may set that: something, and a list only where a scenario has one."""
    return value is not None and (path in LISTS or not isinstance(value, list))


def axes(document: Document, given: Any, at: KeyPath) -> dict[str, list[Any]]:
    """The paths of the cases with their different values. Raises ``ScenarioError`` for cases that are none."""
    place = document.place((*at, CASES))
    if not isinstance(given, list) or not given:
        example = "[{vm.ram: 1GiB, migration.streams: 2}]"
        raise ScenarioError(f"'{dotted(at)}.cases' must be a list of mappings: {example}", place)
    for index, case in enumerate(given):
        _check(case, given[0], document.place((*at, CASES, index)))
    seen = [tuple(meaning(path, case[path]) for path in given[0]) for case in given]
    for index, case in enumerate(seen):
        if case in seen[:index]:
            raise ScenarioError("this case stands here a second time; remove one", document.place((*at, CASES, index)))
    return {path: list(spellings(path, [case[path] for case in given]).values()) for path in given[0]}


def settings(case: Mapping[str, Any], spelt: Mapping[str, Mapping[str, Any]], place: str) -> tuple[Setting, ...]:
    """What a case sets, each value as ``spelt`` has it: as the first case with it does."""
    return tuple(Setting(path, spelt[path][meaning(path, value)], place) for path, value in case.items())


def check_apart(document: Document, matrix: Mapping[str, Any], at: KeyPath) -> None:
    """Raises ``ScenarioError`` for an axis that the cases set too."""
    for axis in matrix:
        if axis != CASES and any(axis in case for case in matrix.get(CASES, ())):
            place = document.place((*at, axis))
            raise ScenarioError(f"'{dotted(at)}.cases' sets '{axis:.60}' too; remove it from one of them", place)


def without(given: Any, path: str) -> list[Settings]:
    """The cases without a path and what lies below it, those that are alike then only once."""
    kept: dict[str, Settings] = {}
    for case in given if isinstance(given, list) else ():
        left = {axis: value for axis, value in case.items() if not f"{axis}.".startswith(f"{path}.")}
        if left:
            kept[label(left)] = left
    return list(kept.values())


def _check(case: Any, first: Any, place: str) -> None:
    if not isinstance(case, Mapping) or not case:
        raise ScenarioError("a case maps paths to values: {vm.ram: 1GiB, migration.streams: 2}", place)
    if not isinstance(first, Mapping) or set(case) != set(first):
        raise ScenarioError("every case sets the same paths as the first one", place)
    for path, value in case.items():
        check_path(path, place)
        if not is_value(path, value):
            raise ScenarioError(f"'{path:.60}' is empty or a list in this case; give a value such as 1GiB", place)

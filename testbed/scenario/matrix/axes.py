"""The matrix: every combination of its axes' values is one migration, with a name that says which.

vm.ram: [128GiB, 256GiB]                 ram=128GiB rate=10Gbit, ram=128GiB rate=40Gbit,
network.vmotion.rate: [10Gbit, 40Gbit]   ram=256GiB rate=10Gbit, ram=256GiB rate=40Gbit

What changes together stands in ``cases`` (``cases.py``), which count as one axis.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.settings import Settings
from testbed.core.text.label import label
from testbed.core.text.yaml_text import KeyPath
from testbed.scenario.document import Document, dotted, parts
from testbed.scenario.matrix import cases
from testbed.scenario.matrix.cases import CASES, Setting, check_path, is_value
from testbed.scenario.values import meaning, spellings

MOST = 1000
"""Combinations. More is a mistake: at 5 s each they would take more than an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """One migration of the matrix: ``settings`` as the scenario wrote them, and the scenario with these put in."""

    name: str
    settings: Settings
    document: Document


def expand(document: Document, fallback: str) -> Iterator[Combination]:
    """All combinations in order, the last axis running fastest. ``fallback`` names the only one if there is no matrix.

    Raises ``ScenarioError`` for an axis that is none.
    """
    steps = _steps(document)
    if math.prod(len(choices) for choices in steps) > MOST:
        raise ScenarioError(
            f"the matrix has more than {MOST} combinations; take values away", document.place(("matrix",))
        )
    labels = _labels(list(axes_of(document)))
    base = document.with_value(("matrix",), None, document.place(("matrix",)))
    base = base.with_value(("published",), None, document.place(("published",)))
    for choice in itertools.product(*steps):
        chosen = [setting for settings in choice for setting in settings]
        settings = {setting.path: setting.value for setting in chosen}
        name = " ".join(f"{labels[path]}={label(value)}" for path, value in settings.items())
        yield Combination(name=name or fallback, settings=settings, document=_put(base, chosen))


def axes_of(document: Document) -> dict[str, list[Any]]:
    """The axes by path, checked: each a list of different values under a key that may differ between migrations.

    Of ``cases`` each path is an axis here, with its different values in their order.
    """
    matrix = document.tree.get("matrix")
    if matrix is None:
        return {}
    if not isinstance(matrix, Mapping):
        raise ScenarioError("'matrix' must map paths to lists: vm.ram: [1GiB, 2GiB]", document.place(("matrix",)))
    axes: dict[str, list[Any]] = {}
    for axis, values in matrix.items():
        if axis == CASES:
            axes |= cases.axes(document, values)
        else:
            _check(axis, values, document)
            axes[axis] = values
    cases.check_apart(document, matrix)
    _check_order(list(axes), document)
    return axes


def _steps(document: Document) -> list[list[tuple[Setting, ...]]]:
    """For each axis, and for the cases as one, what it may be set to."""
    steps = []
    spelt = {axis: spellings(axis, values) for axis, values in axes_of(document).items()}
    for axis, values in (document.tree.get("matrix") or {}).items():
        places = [document.place(("matrix", axis, index)) for index in range(len(values))]
        if axis == CASES:
            steps.append([cases.settings(case, spelt, place) for case, place in zip(values, places, strict=True)])
        else:
            steps.append([(Setting(axis, value, place),) for value, place in zip(values, places, strict=True)])
    return steps


def _check(axis: str, values: Any, document: Document) -> None:
    place = document.place(("matrix", axis))
    check_path(axis, place)
    if not isinstance(values, list) or not values:
        raise ScenarioError(f"'matrix.{axis:.60}' must be a list of values: [1GiB, 2GiB]", place)
    if not all(is_value(axis, value) for value in values):
        raise ScenarioError(f"'matrix.{axis:.60}' holds an empty value or a list; give values such as 1GiB", place)
    seen: dict[str, str] = {}
    for index, value in enumerate(values):
        means = meaning(axis, value)
        if means in seen:
            _refuse_twice(axis, seen[means], label(value), document.place(("matrix", axis, index)))
        seen[means] = label(value)


def _check_order(axes: list[str], document: Document) -> None:
    """Refuse an axis that takes back what one before it set."""
    for index, axis in enumerate(axes):
        lost = next((before for before in axes[:index] if before.startswith(f"{axis}.")), None)
        if lost:
            message = f"'{axis:.60}' replaces what '{lost:.60}' sets before it; put it first, or remove one"
            raise ScenarioError(message, document.place(("matrix", axis)))


def _refuse_twice(axis: str, before: str, said: str, place: str) -> None:
    same = f"{said:.60} twice" if said == before else f"{before:.60} and {said:.60}, which are the same"
    raise ScenarioError(f"'matrix.{axis:.60}' lists {same}; remove one", place)


def _put(base: Document, chosen: list[Setting]) -> Document:
    for setting in chosen:
        base = base.with_value(parts(setting.path), setting.value, setting.place)
    return base


def _labels(axes: list[str]) -> dict[str, str]:
    """The shortest end of each path that no other axis shares: ``ram``, or ``vmotion.rate`` beside ``vm.rate``."""
    return {axis: next(end for end in _ends(parts(axis)) if _owners(end, axes) == 1) for axis in axes}


def _ends(path: KeyPath) -> Iterator[str]:
    return (dotted(path[start:]) for start in range(len(path) - 1, -1, -1))


def _owners(end: str, axes: list[str]) -> int:
    return sum(f".{axis}".endswith(f".{end}") for axis in axes)

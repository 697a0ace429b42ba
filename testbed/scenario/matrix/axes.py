"""The matrix: every combination of its axes' values is one migration, with a name that says which.

vm.ram: [128GiB, 256GiB]                 ram=128GiB rate=10Gbit, ram=128GiB rate=40Gbit,
network.vmotion.rate: [10Gbit, 40Gbit]   ram=256GiB rate=10Gbit, ram=256GiB rate=40Gbit

What changes together stands in ``cases`` (``cases.py``), which count as one axis.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.settings import Settings
from testbed.core.text.label import label
from testbed.core.text.yaml_text import KeyPath
from testbed.scenario.document import Document, dotted, parts, value_at
from testbed.scenario.matrix import cases
from testbed.scenario.matrix.cases import CASES, MATRIX, Setting, check_path, is_value
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
    base = document.with_value(MATRIX, None, document.place(MATRIX))
    base = base.with_value(("published",), None, document.place(("published",)))
    for name, chosen in choices(document, MATRIX, MOST):
        settings = {setting.path: setting.value for setting in chosen}
        yield Combination(name=name or fallback, settings=settings, document=put_in(base, chosen))


def choices(document: Document, at: KeyPath, most: int) -> Iterator[tuple[str, list[Setting]]]:
    """Each combination of the axes that stand ``at`` a key, by the name that its values make, in order; one without a
    name if there are none. Raises ``ScenarioError``, for more than ``most`` as well.
    """
    steps = _steps(document, at)
    if math.prod(len(each) for each in steps) > most:
        message = f"'{dotted(at)}' has more than {most} combinations; take values away"
        raise ScenarioError(message, document.place(at))
    labels = _labels(list(axes_of(document, at)))
    for choice in itertools.product(*steps):
        chosen = [setting for settings in choice for setting in settings]
        yield " ".join(f"{labels[setting.path]}={label(setting.value)}" for setting in chosen), chosen


def axes_of(document: Document, at: KeyPath = MATRIX) -> dict[str, list[Any]]:
    """The axes by path, checked: each a list of different values under a key that may differ between migrations.

    Of ``cases`` each path is an axis here, with its different values in their order.
    """
    matrix = value_at(document.tree, dotted(at))
    if matrix is None:
        return {}
    if not isinstance(matrix, Mapping):
        raise ScenarioError(f"'{dotted(at)}' must map paths to lists: vm.ram: [1GiB, 2GiB]", document.place(at))
    axes: dict[str, list[Any]] = {}
    for axis, values in matrix.items():
        if axis == CASES:
            axes |= cases.axes(document, values, at)
        else:
            _check(axis, values, document, at)
            axes[axis] = values
    cases.check_apart(document, matrix, at)
    _check_order(list(axes), document, at)
    return axes


def put_in(base: Document, chosen: Sequence[Setting]) -> Document:
    """The document with these values in it, in their order."""
    for setting in chosen:
        base = base.with_value(parts(setting.path), setting.value, setting.place)
    return base


def _steps(document: Document, at: KeyPath) -> list[list[tuple[Setting, ...]]]:
    """For each axis, and for the cases as one, what it may be set to."""
    steps = []
    spelt = {axis: spellings(axis, values) for axis, values in axes_of(document, at).items()}
    for axis, values in (value_at(document.tree, dotted(at)) or {}).items():
        places = [document.place((*at, axis, index)) for index in range(len(values))]
        if axis == CASES:
            steps.append([cases.settings(case, spelt, place) for case, place in zip(values, places, strict=True)])
        else:
            steps.append([(Setting(axis, value, place),) for value, place in zip(values, places, strict=True)])
    return steps


def _check(axis: str, values: Any, document: Document, at: KeyPath) -> None:
    place, named = document.place((*at, axis)), f"'{dotted(at)}.{axis:.60}'"
    check_path(axis, place)
    if not isinstance(values, list) or not values:
        raise ScenarioError(f"{named} must be a list of values: [1GiB, 2GiB]", place)
    if not all(is_value(axis, value) for value in values):
        raise ScenarioError(f"{named} holds an empty value or a list; give values such as 1GiB", place)
    seen: dict[str, str] = {}
    for index, value in enumerate(values):
        means = meaning(axis, value)
        if means in seen:
            _refuse_twice(named, seen[means], label(value), document.place((*at, axis, index)))
        seen[means] = label(value)


def _check_order(axes: list[str], document: Document, at: KeyPath) -> None:
    """Refuse an axis that takes back what one before it set."""
    for index, axis in enumerate(axes):
        lost = next((before for before in axes[:index] if before.startswith(f"{axis}.")), None)
        if lost:
            message = f"'{axis:.60}' replaces what '{lost:.60}' sets before it; put it first, or remove one"
            raise ScenarioError(message, document.place((*at, axis)))


def _refuse_twice(named: str, before: str, said: str, place: str) -> None:
    same = f"{said:.60} twice" if said == before else f"{before:.60} and {said:.60}, which are the same"
    raise ScenarioError(f"{named} lists {same}; remove one", place)


def _labels(axes: list[str]) -> dict[str, str]:
    """The shortest end of each path that no other axis shares: ``ram``, or ``vmotion.rate`` beside ``vm.rate``; of a
    name that of what has it: ``policy``.
    """
    called = {axis: owner if (owner := axis.removesuffix(".name")) not in axes else axis for axis in axes}
    known = list(called.values())
    return {axis: next(end for end in _ends(parts(path)) if _owners(end, known) == 1) for axis, path in called.items()}


def _ends(path: KeyPath) -> Iterator[str]:
    return (dotted(path[start:]) for start in range(len(path) - 1, -1, -1))


def _owners(end: str, axes: list[str]) -> int:
    return sum(f".{axis}".endswith(f".{end}") for axis in axes)

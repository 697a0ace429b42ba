"""The matrix: every combination of its axes' values is one migration, with a name that says which.

vm.ram: [128GiB, 256GiB]                 ram=128GiB rate=10Gbit, ram=128GiB rate=40Gbit,
network.vmotion.rate: [10Gbit, 40Gbit]   ram=256GiB rate=10Gbit, ram=256GiB rate=40Gbit
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.scenario.document import Document, KeyPath, dotted, parts

MOST = 1000
"""Combinations. More is a mistake: at 5 s each they would take more than an hour."""
SETTABLE = ("network", "vm", "migration", "scale", "warmup", "cooldown")
"""What may differ between the migrations of one run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """One migration of the matrix: ``settings`` as the scenario wrote them, and the scenario with these put in."""

    name: str
    settings: dict[str, Any]
    document: Document


def expand(document: Document, fallback: str) -> Iterator[Combination]:
    """All combinations in order, the last axis running fastest. ``fallback`` names the only one if there is no matrix.

    Raises ``ScenarioError`` for an axis that is none.
    """
    axes = axes_of(document)
    if math.prod(len(values) for values in axes.values()) > MOST:
        raise ScenarioError(
            f"the matrix has more than {MOST} combinations; take values away", document.place(("matrix",))
        )
    labels = _labels(list(axes))
    base = document.with_value(("matrix",), None, document.place(("matrix",)))
    base = base.with_value(("published",), None, document.place(("published",)))
    for choice in itertools.product(*(range(len(values)) for values in axes.values())):
        settings = {axis: axes[axis][index] for axis, index in zip(axes, choice, strict=True)}
        name = " ".join(f"{labels[axis]}={label(value)}" for axis, value in settings.items())
        yield Combination(name=name or fallback, settings=settings, document=_put(base, document, axes, choice))


def axes_of(document: Document) -> dict[str, list[Any]]:
    """The axes by path, checked: each a list of different values under a key that may differ between migrations."""
    matrix = document.tree.get("matrix")
    if matrix is None:
        return {}
    if not isinstance(matrix, Mapping):
        raise ScenarioError("'matrix' must map paths to lists: vm.ram: [1GiB, 2GiB]", document.place(("matrix",)))
    for axis, values in matrix.items():
        _check(axis, values, document)
    return dict(matrix)


def label(value: Any) -> str:
    """A value of an axis in a few characters: ``128GiB``; ``uniform,write_rate=1GB/s`` for a mapping."""
    if isinstance(value, Mapping):
        others = [f"{key}={label(part)}" for key, part in value.items() if key != "name"]
        return ",".join([str(value.get("name", "")), *others]).strip(",")
    if isinstance(value, list):
        return f"[{' '.join(label(item) for item in value)}]"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value).replace(" ", "")


def _check(axis: str, values: Any, document: Document) -> None:
    place = document.place(("matrix", axis))
    if parts(axis)[0] not in SETTABLE:
        raise ScenarioError(f"the matrix cannot set '{axis:.60}', only what begins with {', '.join(SETTABLE)}", place)
    if not isinstance(values, list) or not values:
        raise ScenarioError(f"'matrix.{axis:.60}' must be a list of values: [1GiB, 2GiB]", place)
    labels = [label(value) for value in values]
    twice = [text for text in labels if labels.count(text) > 1]
    if twice:
        raise ScenarioError(f"'matrix.{axis:.60}' lists {twice[0]:.60} twice; remove one", place)
    if any(value is None or isinstance(value, list) for value in values):
        raise ScenarioError(f"'matrix.{axis:.60}' holds an empty value or a list; give values such as 1GiB", place)


def _put(base: Document, document: Document, axes: dict[str, list[Any]], choice: tuple[int, ...]) -> Document:
    for (axis, values), index in zip(axes.items(), choice, strict=True):
        base = base.with_value(parts(axis), values[index], document.place(("matrix", axis, index)))
    return base


def _labels(axes: list[str]) -> dict[str, str]:
    """The shortest end of each path that no other axis shares: ``ram``, or ``vmotion.rate`` beside ``vm.rate``."""
    return {axis: next(end for end in _ends(parts(axis)) if _owners(end, axes) == 1) for axis in axes}


def _ends(path: KeyPath) -> Iterator[str]:
    return (dotted(path[start:]) for start in range(len(path) - 1, -1, -1))


def _owners(end: str, axes: list[str]) -> int:
    return sum(f".{axis}".endswith(f".{end}") for axis in axes)

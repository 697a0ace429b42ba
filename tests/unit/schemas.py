"""What the tests of several schemas share: how the loader itself answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.scenario import document

NO_FILE = "there is no such file to load"

BETWEEN = {
    "a working set beside the RAM": "a working set of .* does not fit",
    "services beside the RAM": "the services need",
    "RAM at its scale": "too small at this scale|\\(at this scale\\)",
    "cross traffic beside the link": "leaves nothing of the vMotion link",
    "a rate by the file, goodput by the matrix": "give rate or goodput, not both",
    "two parameters, or what only their owner knows": "(workload|policy|service) '[^']+': |\\./[a-z/]+\\.py: ",
    "a file that is not there": NO_FILE,
    "how large a text with a unit is": "must be (at least|more than|at most) ",
    "a number with an exponent": "[0-9][eE][+-]?[0-9].*(without a unit|whole number|expected)",
    "a value of the matrix twice": "lists .* (twice|the same); remove one|stands here a second time",
    "the order of the axes": "replaces what .* sets before it",
    "what an axis and the cases both set": "'matrix.cases' sets",
    "whose parameter an axis sets: echo's size is bytes, iometer's a size": r"'vm\.services\.[0-9]+\.size': ",
    "cases that differ in their paths": "every case sets the same paths",
    "the size of the matrix": "more than 1000 combinations",
    "what one axis sets beside another, or beside the file": "|".join(
        (
            *("has no parameter", "service has a parameter", "needs the name of", "'[a-z_.0-9]+' is missing"),
            *("has no part", "number its items from 0", "is a list of"),
        )
    ),
    "what a claim says beside the matrix": "is not an axis of the matrix|has one value only|is never .* in the matrix",
}
"""What shows only between two keys, or in how large a text is: no schema says that."""


def refusal(load: Callable[[Path], object], tree: Any, folder: Path) -> str | None:
    """Why a loader refuses a tree; None if it does not."""
    file = folder / "tree.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    try:
        load(file)
    except ScenarioError as error:
        return str(error)
    return None


def as_read(tree: Any, folder: Path) -> Any:
    """As the loader reads it, or nothing where it is no scenario's tree at all."""
    file = folder / "tree.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    try:
        return document.read(file).tree
    except ScenarioError:
        return None

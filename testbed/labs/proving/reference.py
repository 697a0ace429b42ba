"""Answers by which a lab is tested: the right ones (``right.yaml``), and each mistake that it knows (``wrong/``).

right.yaml      answers: {total_s: ram * 1.048576 / (goodput / 8 - write_rate)}     expressions, for numbers
wrong/pass.yaml check: total, hint: one pass, answers: {total_s: ...}               instead of the right ones
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from testbed.core.errors import ScenarioError
from testbed.core.settings import Settings
from testbed.core.text.yaml_text import text_of
from testbed.labs.catalogue import RIGHT, WRONG, LabFolder
from testbed.labs.definition.render import evaluated, rendered
from testbed.labs.definition.spec import P, Scalar, part_of
from testbed.scenario.models import Part
from testbed.scenario.quantities import text

Listed: TypeAlias = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class RightWork(Part):
    """How each question is answered rightly, and what is run for it."""

    answers: dict[str, Any] = Field(
        default_factory=dict, description="for numbers expressions of parameters, run, runs and earlier answers"
    )
    runs: dict[str, list[Settings]] = Field(
        default_factory=dict, description="for each run what is set, once for each time that it is made"
    )
    files: dict[str, str] = Field(default_factory=dict, description="what is handed in: a file of the lab's folder")


class WrongWork(RightWork):
    """A mistake: what it answers instead, and the check that knows it, by this ``hint`` (or a part of it)."""

    check: Listed = Field(description="the checks that have to tell it")
    hint: Annotated[str, *text(300)] = Field(description="a part of the hint")


def right(lab: LabFolder) -> RightWork:
    """The reference work. Raises ``ScenarioError``."""
    return _read(lab.path / RIGHT, RightWork)


def wrong(lab: LabFolder) -> dict[str, WrongWork]:
    """Every known mistake, by its name. Raises ``ScenarioError``."""
    return {file.stem: _read(file, WrongWork) for file in sorted((lab.path / WRONG).glob("*.yaml"))}


def answered(lab: LabFolder, work: RightWork, known: Mapping[str, Any]) -> dict[str, Scalar]:
    """Every answer of a work; ``known``: parameters, ``run`` and ``runs``. Raises ``ScenarioError``."""
    found: dict[str, Scalar] = {}
    for name, given in work.answers.items():
        if name not in lab.spec.answers:
            raise ScenarioError(f"there is no question '{name:.40}'", str(lab.path))
        kind = lab.spec.answers[name].type
        if isinstance(given, str):
            values, place = {**known, **found}, f"{lab.path}: answers.{name}"
            reckoned = kind in ("number", "integer")
            given = evaluated(given, values, place) if reckoned else rendered(given, values, place)
        found[name] = given
    return found


def _read(file: Path, model: type[P]) -> P:
    return part_of(model, text_of(file), str(file), "work")[0]

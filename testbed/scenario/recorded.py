"""The plan that a recorded migration had, out of the scenario beside its record. Nothing that it names is run.

Code of one's own is a file, and to load it would be to run it: the plan has another in its place, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.core.plan import Plan
from testbed.core.text.yaml_text import KeyPath
from testbed.scenario import document as documents
from testbed.scenario.document import Document, own_files, parts
from testbed.scenario.extends import EXTENDS
from testbed.scenario.faults import scenario_error
from testbed.scenario.models import Root
from testbed.scenario.plans import plan

HOUSE: dict[KeyPath, str] = {
    ("migration", "policy"): "plain",
    ("migration", "tracker"): "auto",
    ("vm", "workload"): "idle",
}
"""What of ours stands in the place of a user's own."""
MOST_SETTINGS, DEEPEST = 64, 12
"""Paths that a matrix sets, and parts of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """``plan`` is of emulated size. ``own_policy``, ``own_workload``: the files that stood where the plan now has
    ``plain`` and ``idle``.
    """

    plan: Plan
    own_policy: str | None
    own_workload: str | None


def base(text: str, place: str) -> Document:
    """The scenario without its matrix; ``place`` stands for its file in messages. It is whole, as a run writes it: what
    it says to stand on is not looked for. Raises ``ScenarioError``.
    """
    document = documents.parse(text, place)
    if EXTENDS in document.tree:
        message = f"'{EXTENDS}' does not stand in a run's scenario, which is whole; it is not followed"
        raise ScenarioError(message, document.place((EXTENDS,)))
    for gone in ("matrix", "published"):
        document = document.with_value((gone,), None, place)
    return document


def recorded(document: Document, key: MigrationKey, settings: Mapping[str, Any]) -> Recorded:
    """The plan of one migration: the scenario's ``base``, with what the matrix set for it. Raises ``ScenarioError``."""
    place = document.place(())
    if len(settings) > MOST_SETTINGS or any(path.count(".") >= DEEPEST for path in settings):
        raise ScenarioError("no matrix sets so much", place)
    for path, value in settings.items():
        document = document.with_value(parts(path), value, place)
    own = dict(own_files(document.tree))
    for part in own:
        document = document.with_value(part, HOUSE[part], place)
    try:
        root = Root.model_validate(document.tree)
    except ValidationError as error:
        raise scenario_error(error, document, Root) from error
    made = plan(root, key.name, dict(settings), document)
    return Recorded(
        plan=made.repeated(key.repeat),
        own_policy=own.get(("migration", "policy")),
        own_workload=own.get(("vm", "workload")),
    )

"""Whose each line of ``samples.jsonl`` is, for who writes and who reads it: schema 2.

    {"t": 1.00, "m": 1, "kind": "event", "event": "migration", "schema": 2, "name": "hello", ...}
    {"t": 1.02, "m": 1, "kind": "link", ...}

Every line has ``m``, the number that its migration has in this file: its name a hundred times a second would be a third
of the file. One line says of which migration and guest that is; some lines may stand before it, and lines of several
migrations between each other. In schema 1 there was no ``m``, and a line was of the migration that was named last.
"""

from collections.abc import Mapping
from dataclasses import asdict

from testbed.core.migration_key import MigrationKey
from testbed.core.text.from_json import built, value

SCHEMA = 2
NUMBER = "m"
NAMED = "migration"
"""The event of the line that says who ``m`` is."""


def named(migration: MigrationKey, seed: int) -> dict[str, object]:
    """The fields of that line."""
    return {"schema": SCHEMA, **asdict(migration), "seed": seed}


def owner(row: Mapping[str, object]) -> MigrationKey:
    """The migration that such a line, of either schema, names. Raises ``ValueError``."""
    schema = value(int, row.get("schema", 1), "schema")
    if not 1 <= schema <= SCHEMA:
        raise ValueError(f"schema: {schema} is not known here; 1 to {SCHEMA} are")
    return built(MigrationKey, row)

"""A table: columns with a kind and a unit, rows of plain values, and nothing where nothing was measured."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.exports.units import unit_of

Cell: TypeAlias = int | float | str | bool | None
"""None where nothing was measured: an empty cell, and never 0."""
MOST_COLUMNS = 400
"""What a run's own keys may make of a table: no honest one has a fourth of it."""


class CellKind(Enum):
    """What stands in a column, by the word that a table's schema has for it."""

    INTEGER = "integer"
    NUMBER = "number"
    TRUTH = "boolean"
    TEXT = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; ``name`` is where the figure stands in ``summary.json``. ``unit`` None: it counts nothing."""

    name: str
    kind: CellKind
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table by name, the values of each column in the order of its rows."""

    name: str
    columns: list[Column]
    values: list[list[Cell]]

    def __len__(self) -> int:
        return len(self.values[0]) if self.values else 0


KEY = tuple(Column(name=name, kind=kind) for name, kind in
            (("migration", CellKind.TEXT), ("repeat", CellKind.INTEGER), ("guest", CellKind.TEXT)))  # fmt: skip
"""What every table begins with: which migration of the run a row is of."""


def key_cells(key: MigrationKey) -> dict[str, Cell]:
    """The values of those columns."""
    return {"migration": key.name, "repeat": key.repeat, "guest": key.guest}


def table(name: str, known: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """A table of these rows: the columns that are known, whether or not a row has them, and then those that rows have
    beside. Raises ``ScenarioError`` for more of them than anybody could read.
    """
    columns = {each.name: each for each in known}
    others = dict.fromkeys(column for row in rows for column in row if column not in columns)
    if len(others) > MOST_COLUMNS:
        raise ScenarioError(f"the table {name} would have {len(others)} columns beside those of every run")
    for other in others:
        kind = kind_of(row.get(other) for row in rows)
        columns[other] = Column(name=other, kind=kind, unit=None if kind is CellKind.TEXT else unit_of(other))
    values = [[cell(row.get(column.name), column.kind) for row in rows] for column in columns.values()]
    return Sheet(name=name, columns=list(columns.values()), values=values)


def kind_of(values: Iterable[Any]) -> CellKind:
    """The narrowest kind that holds all of these; text where they are of several."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return CellKind.TRUTH
    if kinds == {int}:
        return CellKind.INTEGER
    return CellKind.NUMBER if kinds and kinds <= {int, float} else CellKind.TEXT


def cell(value: Any, kind: CellKind) -> Cell:
    """A value as its column has it: what is no single one as JSON, in a column of text."""
    if value is None:
        return None
    match kind:
        case CellKind.INTEGER:
            return int(value)
        case CellKind.NUMBER:
            return float(value)
        case CellKind.TRUTH:
            return bool(value)
    return value if isinstance(value, str) else json.dumps(value)

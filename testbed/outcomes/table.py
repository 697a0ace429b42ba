"""A table of a run as pandas, polars and others take it, from the very tables of ``testbed export``."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.exports import parquet
from testbed.exports.cells import Cell, CellKind, Sheet
from testbed.runfiles.samples import Column

Values: TypeAlias = Column | list[Cell]
_DTYPES = {CellKind.INTEGER: np.int64, CellKind.NUMBER: np.float64, CellKind.TRUTH: np.bool_}


class RunTable(dict[str, Values]):
    """A table: the values of each column by its name, in the order of rows.

    It is a mapping, so ``pandas.DataFrame(table)`` and ``polars.DataFrame(table)`` take it as it is, and it has Arrow's
    stream (``__arrow_c_stream__``), by pyarrow where that is installed, for all that reads one:
    ``pyarrow.RecordBatchReader.from_stream(table)``, with the kind of each column, and units.

    Numbers are arrays of int64, float64 or bool; texts, and columns in which something was not measured, are lists,
    with None there. In a notebook the first rows show themselves.

    Attributes:
        name: as in ``testbed export``: ``rounds``.
        units: of each column that has one: ``{"duration_s": "s", "sent_bytes": "byte"}``.

    Example:
        >>> rounds = testbed.load("results/hello-20260101-120000").table("rounds")
        >>> rounds.units["duration_s"], len(rounds["sent_bytes"])
        ('s', 4)
    """

    def __init__(self, sheet: Sheet) -> None:
        columns = zip(sheet.columns, sheet.values, strict=True)
        super().__init__({column.name: _values(column.kind, values) for column, values in columns})
        self._sheet, self.name = sheet, sheet.name
        self.units = {column.name: column.unit for column in sheet.columns if column.unit}

    @property
    def rows(self) -> int:
        """How many rows there are.

        Example:
            >>> testbed.load("results/hello-20260101-120000").table("migrations").rows
            1
        """
        return len(self._sheet)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Raises ``PrerequisiteMissing`` where there is no pyarrow, which this alone needs."""
        parquet.required("a stream of Arrow's")
        return parquet.arrow(self._sheet).__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        from testbed.outcomes.markup import html_of

        rows = zip(*(values[:SHOWN] for values in self._sheet.values), strict=True)
        cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
        return html_of([*self], cells, f"{self.name}: {self.rows} rows", left_out=self.rows - len(cells))

    def __repr__(self) -> str:
        return f"<RunTable {self.name}: {self.rows} rows of {len(self)} columns>"


SHOWN = 8
"""Rows that a notebook shows of a table."""


def chosen(sheets: Iterable[Sheet], name: str) -> RunTable:
    """The table of that name. Raises ``ScenarioError`` for none."""
    names = []
    for each in sheets:
        if each.name == name:
            return RunTable(each)
        names.append(each.name)
    raise ScenarioError(f"there is no table '{name}'; {nearest(name, names)}")


def _values(kind: CellKind, values: list[Cell]) -> Values:
    """An array where every row has a number."""
    if kind is CellKind.TEXT or any(value is None for value in values):
        return values
    return np.array(values, _DTYPES[kind])

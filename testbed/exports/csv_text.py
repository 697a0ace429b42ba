"""Tables as CSV: texts always in quotes, numbers never, nothing where nothing was measured.

So ``""`` is an empty text and an empty cell is null, for those readers that tell them apart. Numbers have all their
digits. No text is a formula to a spreadsheet, whatever stands in the run's files.
"""

from testbed.core.text.printable import printable
from testbed.exports.cells import Cell, Sheet

_FORMULA = ("=", "+", "-", "@")
MOST_CELL = 100_000
"""Characters."""


def text(table: Sheet) -> str:
    """A line for the names and one a row."""
    lines = [",".join(_quoted(column.name) for column in table.columns)]
    lines += [",".join(map(_written, row)) for row in zip(*table.values, strict=True)]
    return "\n".join(lines) + "\n"


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return _quoted(cell)
    return repr(cell)


def _quoted(text: str) -> str:
    """An apostrophe is put before what a spreadsheet would take for a formula."""
    shown = printable(text, MOST_CELL).replace('"', '""')
    return f'"\'{shown}"' if shown.lstrip().startswith(_FORMULA) else f'"{shown}"'

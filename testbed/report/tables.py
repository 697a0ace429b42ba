"""Tables for a terminal: no word is broken where there is any other way, and what can be spared goes first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from testbed.core.printable import printable


@dataclass(frozen=True, slots=True)
class Fitting:
    """A table that becomes narrower as it must: first its names and heads fold at spaces, then the columns ``spare``
    go, one after the other; words are broken only if that is not enough. ``>`` before a title: a column to the right.
    """

    titles: Sequence[str]
    spare: Sequence[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)

    def row(self, *cells: str) -> None:
        """Cells as they are: a name in brackets is no markup."""
        self.rows.append([printable(cell) for cell in cells])

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        for columns in self._narrower():
            if (widths := _widths(columns, options.max_width)) is not None:
                yield _table(columns, widths)
                return
        yield _table(columns, None)

    def _narrower(self) -> Iterator[list[list[str]]]:
        """Columns, each with its title first."""
        columns = [list(column) for column in zip(self.titles, *self.rows, strict=True)]
        yield columns
        columns = [[title.replace(" ", "\n"), *cells] for title, *cells in columns]
        for count in range(len(self.spare) + 1):
            yield [each for each in columns if each[0].lstrip(">").replace("\n", " ") not in self.spare[:count]]


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """One a column, so that no word is broken, and no figure folded; None if there is no room for that."""
    most = [max(cell_len(line) for text in _texts(column) for line in text.split("\n")) for column in columns]
    least = [
        wide if column[0].startswith(">") else max((cell_len(w) for text in column for w in text.split()), default=1)
        for column, wide in zip(columns, most, strict=True)
    ]
    free, wanted = room - (len(columns) - 1) - sum(least), sum(most) - sum(least)
    if free < 0:
        return None
    share = min(1.0, free / wanted) if wanted else 0.0
    return [low + int(share * (high - low)) for low, high in zip(least, most, strict=True)]


def _texts(column: Sequence[str]) -> list[str]:
    return [column[0].lstrip(">"), *column[1:]]


def _table(columns: Sequence[Sequence[str]], widths: Sequence[int] | None) -> Table:
    made = table_of(*(column[0] for column in columns))
    for cells in zip(*(column[1:] for column in columns), strict=True):
        row(made, *cells)
    for column, width in zip(made.columns, widths or (), strict=widths is not None):
        column.width = width
    return made


def table_of(*titles: str) -> Table:
    """A plain table; ``>`` before a title puts the column to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for title in titles:
        right = title.startswith(">")
        table.add_column(Text(title.lstrip(">")), justify="right" if right else "left", no_wrap=right, overflow="fold")
    return table


def row(table: Table, *cells: str) -> None:
    """Cells as they are: a name in brackets is no markup."""
    table.add_row(*(Text(printable(cell)) for cell in cells))

"""Tables for a terminal: no word is broken where there is any other way, and what can be spared goes first.

wide     migration outcome   total downtime        narrow   hello
         hello     completed 2.7 s  13.9 ms                   outcome: completed  total: 2.7 s  downtime: 13.9 ms
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from testbed.core.text.printable import printable

WIDE = 160
"""Columns where there is no terminal, so that a row stays a line."""
APART = "  "
"""Between two figures of an entry that is no row any more."""


def plain(wide: int = WIDE) -> tuple[Console, io.StringIO]:
    """What prints tables as text, and that text: without colours wherever it runs, a notebook's kernel too."""
    file = io.StringIO()
    return Console(file=file, width=wide, highlight=False, color_system=None, force_jupyter=False), file


def console(file: TextIO, wide: int = WIDE) -> Console:
    """What prints tables on ``file``, in a notebook too: as wide as a terminal is; so many columns where it is none."""
    return Console(file=file, width=None if file.isatty() else wide, highlight=False, force_jupyter=False)


@dataclass(frozen=True, slots=True)
class Fitting:
    """A table that becomes narrower as it must: first its names and heads fold at spaces, then the columns ``spare``
    go, one after the other; where that is not enough each row is an entry of its own, with its figures by name, and
    all of them. ``>`` before a title: a column to the right. Columns ``prose`` hold sentences, which fold sooner than
    others go, but not into less than a few words a line.
    """

    titles: Sequence[str]
    spare: Sequence[str] = ()
    prose: Sequence[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)
    styles: dict[str, str] = field(default_factory=dict)
    """By a cell's text."""

    def row(self, *cells: str) -> None:
        """Cells as they are: a name in brackets is no markup."""
        self.rows.append([printable(cell) for cell in cells])

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        for columns in self._narrower():
            if (widths := _widths(columns, options.max_width, self.prose)) is not None:
                yield _table(columns, widths, self.styles)
                return
        yield from self._entries()

    def _narrower(self) -> Iterator[list[list[str]]]:
        """Columns, each with its title first."""
        columns = [list(column) for column in zip(self.titles, *self.rows, strict=True)]
        yield columns
        columns = [[title.replace(" ", "\n"), *cells] for title, *cells in columns]
        for count in range(len(self.spare) + 1):
            yield [each for each in columns if each[0].lstrip(">").replace("\n", " ") not in self.spare[:count]]

    def _entries(self) -> Iterator[Padding | Text]:
        first, *others = (title.lstrip(">") for title in self.titles)
        yield Text(first, "bold")
        for name, *cells in self.rows:
            yield Text(name, self.styles.get(name, ""))
            said = [f"{title}: {cell}".removeprefix(": ") for title, cell in zip(others, cells, strict=True) if cell]
            yield Padding(_Flowing(said), (0, 0, 0, 2))


@dataclass(frozen=True, slots=True)
class _Flowing:
    """Pieces one beside the other, each whole on a line if it can be."""

    pieces: Sequence[str]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        line = ""
        for piece in self.pieces:
            longer = f"{line}{APART}{piece}" if line else piece
            if line and cell_len(longer) > options.max_width:
                yield Text(line)
                longer = piece
            line = longer
        yield Text(line)


SENTENCE = 24
"""Columns that a sentence has at least: some four words."""


def _widths(columns: Sequence[Sequence[str]], room: int, prose: Sequence[str] = ()) -> list[int] | None:
    """One a column, so that no word is broken, and no figure folded; None if there is no room for that."""
    most = [max(cell_len(line) for text in _texts(column) for line in text.split("\n")) for column in columns]
    least = [_least(column, wide, prose) for column, wide in zip(columns, most, strict=True)]
    free, wanted = room - (len(columns) - 1) - sum(least), sum(most) - sum(least)
    if free < 0:
        return None
    share = min(1.0, free / wanted) if wanted else 0.0
    return [low + int(share * (high - low)) for low, high in zip(least, most, strict=True)]


def _least(column: Sequence[str], wide: int, prose: Sequence[str]) -> int:
    if column[0].startswith(">"):
        return wide
    words = max((cell_len(word) for text in column for word in text.split()), default=1)
    return max(words, min(SENTENCE, wide)) if column[0] in prose else words


def _texts(column: Sequence[str]) -> list[str]:
    return [column[0].lstrip(">"), *column[1:]]


def _table(columns: Sequence[Sequence[str]], widths: Sequence[int], styles: dict[str, str]) -> Table:
    made = table_of(*(column[0] for column in columns))
    for cells in zip(*(column[1:] for column in columns), strict=True):
        made.add_row(*(Text(cell, styles.get(cell, "")) for cell in cells))
    for column, width in zip(made.columns, widths, strict=True):
        column.width = width
    return made


def table_of(*titles: str) -> Table:
    """A plain table; ``>`` before a title puts the column to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for title in titles:
        right = title.startswith(">")
        table.add_column(Text(title.lstrip(">")), justify="right" if right else "left", no_wrap=right, overflow="fold")
    return table

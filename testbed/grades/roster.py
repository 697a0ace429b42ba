"""Who should hand in: a CSV of the teacher's, a row a student. Canvas's own goes back to it with a column filled."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable
from testbed.grades.counting import chosen, counted
from testbed.grades.formats.tables import text
from testbed.grades.work import GradedWork, called
from testbed.runfiles import files

MOST_BYTES = 16 << 20
NAMED = ("SIS Login ID", "Email address", "Email", "E-mail", "Student", "student", "email")
"""Columns by which a student is called, the best first."""
DELIMITERS = (",", ";", "\t")
"""Of the world's spreadsheets; those of countries with a decimal comma write semicolons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The columns' names, and a row a student. ``delimiter``: between its columns, going in and coming out."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    delimiter: str = DELIMITERS[0]

    @classmethod
    def read(cls, path: Path) -> "Roster":
        """The roster in a file. Raises ``ScenarioError``."""
        try:
            content = files.text(path, MOST_BYTES)
            delimiter = _delimiter(content)
            table = [row for row in csv.reader(io.StringIO(content), delimiter=delimiter) if any(row)]
        except csv.Error as error:
            raise ScenarioError(f"is no CSV ({error})", str(path)) from error
        if not table:
            raise ScenarioError("is empty; it has a line of columns and one for each student", str(path))
        return cls(header=table[0], rows=table[1:], delimiter=delimiter)

    def missing(self, works: Sequence[GradedWork]) -> list[str]:
        """Students who handed in nothing, as the roster calls them."""
        known = {called(each.student) for each in works}
        column = next((self.header.index(name) for name in NAMED if name in self.header), 0)
        return [printable(next(iter(row[column:]), row[0]), 100) for row in self.students() if not known & _called(row)]

    def filled(self, works: Sequence[GradedWork], lab: str) -> str:
        """The roster as CSV with the points in the column whose name begins with the lab's, or in a new one."""
        known = [(called(each.student), each) for each in counted(works)]
        column = next((i for i, name in enumerate(self.header) if name.casefold().startswith(lab)), len(self.header))
        header = [*self.header[:column], *(self.header[column:] or [lab])]
        table: list[Sequence[str]] = [header]
        for row in self.rows:
            cells = [*row, *[""] * (len(header) - len(row))]
            names = _called(row)
            if theirs := [each for name, each in known if name in names]:
                cells[column] = str(chosen(theirs).entry)
            table.append(cells)
        return text(table, self.delimiter, numbers=True)

    def students(self) -> list[Sequence[str]]:
        """A row each: Canvas has a line of points possible, which is nobody."""
        return [row for row in self.rows if row and "points possible" not in row[0].casefold()]


def _delimiter(content: str) -> str:
    """That of which the line of columns has the most. Raises ``csv.Error``."""
    lines = [line for line in content.splitlines() if line.strip()][:1]
    return max(DELIMITERS, key=lambda each: max(map(len, csv.reader(lines, delimiter=each)), default=0))


def names_of(cells: Iterable[str]) -> frozenset[str]:
    """What somebody is called, by what is written of them: of an address also what stands before its ``@``."""
    names = _called(cells)
    return frozenset({*names, *(name.partition("@")[0] for name in names if "@" in name)})


def _called(row: Iterable[str]) -> set[str]:
    return {called(name) for cell in row for name in (cell, *_otherwise(cell)) if name.strip()}


def _otherwise(cell: str) -> Iterator[str]:
    """The ways in which "Last, First" is written elsewhere: as it is said, and as Canvas calls a download."""
    last, comma, first = cell.partition(",")
    if comma and first.strip():
        yield f"{first.strip()} {last.strip()}"
        yield "".join(char for char in called(cell) if char.isalnum() or char == "_")

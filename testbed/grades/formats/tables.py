"""Grades as CSV: a row a hand-in. No cell of it is a formula to a spreadsheet, whatever a student wrote."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from testbed.core.text.printable import printable
from testbed.grades.counting import counted
from testbed.grades.work import GradedWork

_FORMULA = ("=", "+", "-", "@")
_NUMBER = re.compile(r" *[+-][0-9]([0-9 .,]*[0-9])? *%?", re.ASCII)
MOST_CELL = 30_000
"""Characters; spreadsheets take 32,767."""
MOODLE = ("Email address", "Feedback comments")


def rows(works: Sequence[GradedWork]) -> str:
    """``student, lab, score, max, CHECK..., reasons, flags, late_days``; what was not asked has an empty cell."""
    checks = list(dict.fromkeys(each.check for work in works for each in work.graded.results))
    table = [["student", "lab", "score", "max", *checks, "reasons", "flags", "late_days"]]
    for work in works:
        earned = {each.check: each.earned for each in work.asked}
        head = [work.student, work.graded.lab, str(work.score), str(work.most)]
        tail = [" | ".join(work.reasons), " | ".join(work.flags), str(work.days_late)]
        table.append([*head, *(str(earned.get(name, "")) for name in checks), *tail])
    return text(table)


def moodle(works: Sequence[GradedWork], item: str) -> str:
    """What Moodle's import of grades takes: e-mail, the item's points, and the reasons as feedback. Flags are not for
    students, and so not there.
    """
    known = [
        [work.student, str(work.entry), " | ".join(filter(None, (*work.reasons, work.in_proportion)))]
        for work in counted(works)
    ]
    return text([[MOODLE[0], item, MOODLE[1]], *known])


def text(table: Iterable[Iterable[str]], delimiter: str = ",", *, numbers: bool = False) -> str:
    """CSV of cells none of which is a formula; ``numbers``: those that are one, with a sign, stay as they are."""
    out = io.StringIO()
    written = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    written.writerows([plain(cell, numbers=numbers) for cell in row] for row in table)
    return out.getvalue()


def plain(cell: str, *, numbers: bool = False) -> str:
    """The cell on one line, with an apostrophe before what a spreadsheet would take for a formula; ``numbers``: not
    before one with a sign, such as one of a telephone, which calculates nothing.
    """
    shown = printable(cell, MOST_CELL)
    is_formula = shown.lstrip().startswith(_FORMULA) and not (numbers and _NUMBER.fullmatch(shown))
    return f"'{shown}" if is_formula else shown

"""Grades as CSV: a row a hand-in. No cell of it is a formula to a spreadsheet, whatever a student wrote."""

import csv
import io
from collections.abc import Iterable, Sequence

from testbed.core.text.printable import printable
from testbed.grades.counting import counted
from testbed.grades.work import GradedWork

_FORMULA = ("=", "+", "-", "@")
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
    known = [[work.student, str(work.score), " | ".join(work.reasons)] for work in counted(works)]
    return text([[MOODLE[0], item, MOODLE[1]], *known])


def text(table: Iterable[Iterable[str]]) -> str:
    """CSV of cells none of which is a formula."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([plain(cell) for cell in row] for row in table)
    return out.getvalue()


def plain(cell: str) -> str:
    """The cell on one line, with an apostrophe before what a spreadsheet would take for a formula."""
    shown = printable(cell, MOST_CELL)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown

"""One hand-in of nobody's, made, graded and told before root is given up: what is loaded late is loaded then.

Where only root may read the checkout, the virtual environment or Python itself, a module that the first hand-in asks
for would not be there any more.
"""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from testbed.core.errors import TestbedError
from testbed.grades.formats import as_json, classroom, classroom50, gradescope, junit, tables
from testbed.grades.grading import Grading, grade
from testbed.grades.handed import found
from testbed.grades.work import GradedWork
from testbed.labs import find
from testbed.labs.handin import pack
from testbed.labs.running import carried_out, prepared
from testbed.labs.starting import start
from testbed.labs.workbook import Workbook
from testbed.linux.files.scratch import scratch

WHO = "nobody@example.org"


def rehearse(by: Grading, from_: Path | None) -> list[GradedWork]:
    """The works, of which nobody wants to know. What cannot be made of a lab is left out: it is loaded late, or is not
    there.
    """
    with scratch("rehearsal") as made:
        folder, room = made / "work", made / "room"
        room.mkdir()
        with suppress(TestbedError):
            lab = find(by.lab, from_)
            start(lab, WHO, "", folder)
            if not lab.spec.hand_in:  # a lab of code runs what a student wrote
                run = prepared(lab, Workbook.read(folder), unanswered=True)
                carried_out(run, engine="simulated", page=False)
            pack(folder)
        works = grade(found([folder, *folder.glob("*.zip"), room], room), by)
        for work in works:
            gradescope.document(work)
            classroom50.document(work, {}, datetime.now(UTC))
            classroom.document(work)
        tables.rows(works)
        junit.document(works)
        as_json.document(works)
        return works

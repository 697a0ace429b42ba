"""A student who always knows the answer: a lab's reference answers, written into the folder of somebody's work."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from testbed.core.errors import ScenarioError
from testbed.labs.catalogue import LabFolder
from testbed.labs.evidence.seen import LabRun
from testbed.labs.proving import reference
from testbed.labs.workbook import Workbook
from testbed.runfiles import summary_reader


def known_of(lab: LabFolder, book: Workbook) -> dict[str, Any]:
    """What reference answers are reckoned from: the student's parameters, their ``runs``, and of these the first."""
    runs = {
        name: [LabRun(name=name, folder=each, summary=summary_reader.as_written(each)) for each in made]
        for name, made in book.runs.items()
    }
    first = next(iter(runs.values()))[0] if runs else None
    return {**lab.drawn(book.lock.course, book.lock.student), "runs": runs, "run": first}


def answer(lab: LabFolder, folder: Path) -> None:
    """Writes what can be answered by now: predictions, and once there is a run all the rest."""
    values = known_of(lab, Workbook.read(folder))
    right, answers = reference.right(lab), dict[str, Any]()
    for name, given in right.answers.items():
        with suppress(ScenarioError):  # it is of a run that is not there yet
            work = right.model_copy(update={"answers": {name: given}})
            answers |= reference.answered(lab, work, {**values, **answers})
    (folder / "answers.yaml").write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    for name, source in right.files.items():
        (folder / name).write_bytes((lab.path / source).read_bytes())

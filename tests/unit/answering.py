"""A student who always knows the answer: a lab's reference answers, written into the folder of somebody's work."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from testbed.core.errors import ScenarioError
from testbed.labs.catalogue import LabFolder
from testbed.labs.evidence import seen
from testbed.labs.proving import reference
from testbed.labs.workbook import Workbook
from testbed.runfiles import summary_reader


def name_of(lab: Path) -> str:
    """By which a lab is asked for."""
    known = LabFolder.read(lab)
    return str(known.name)


def answer(lab: Path, folder: Path) -> None:
    """Writes what can be answered by now: predictions, and once there is a run all the rest."""
    known = LabFolder.read(lab)
    book = Workbook.read(folder)
    runs: dict[str, Any] = {
        name: [seen.LabRun(name=name, folder=each, summary=summary_reader.as_written(each)) for each in made]
        for name, made in book.runs.items()
    }
    values: dict[str, Any] = {**known.drawn(book.lock.course, book.lock.student), "runs": runs}
    values["run"] = next(iter(runs.values()))[0] if runs else None
    right, answers = reference.right(known), dict[str, Any]()
    for name, given in right.answers.items():
        with suppress(ScenarioError):  # it is of a run that is not there yet
            work = right.model_copy(update={"answers": {name: given}})
            answers |= reference.answered(known, work, {**values, **answers})
    (folder / "answers.yaml").write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    for name, source in right.files.items():
        (folder / name).write_bytes((lab / source).read_bytes())

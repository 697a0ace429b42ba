"""A student who always knows the answer: a lab's reference answers, written into the folder of somebody's work."""

from pathlib import Path
from typing import Any

import yaml

from testbed.core.names.by_name import imported
from testbed.runfiles import summary_reader


def name_of(lab: Path) -> str:
    """By which a lab is asked for."""
    known = imported("testbed.labs.catalogue").LabFolder.read(lab)
    return str(known.name)


def answer(lab: Path, folder: Path) -> None:
    """Writes what can be answered by now: predictions, and once there is a run all the rest."""
    reference, seen = imported("testbed.labs.proving.reference"), imported("testbed.labs.evidence.seen")
    known = imported("testbed.labs.catalogue").LabFolder.read(lab)
    book = imported("testbed.labs.workbook").Workbook.read(folder)
    runs: dict[str, Any] = {
        name: [seen.LabRun(name=name, folder=each, summary=summary_reader.as_written(each)) for each in made]
        for name, made in book.runs.items()
    }
    values = {**known.drawn(book.lock.course, book.lock.student), "runs": runs}
    values["run"] = next(iter(runs.values()))[0] if runs else None
    right = reference.right(known)
    if not runs:
        early = {name: given for name, given in right.answers.items() if known.spec.answers[name].before}
        right = right.model_copy(update={"answers": early})
    answers = reference.answered(known, right, values)
    (folder / "answers.yaml").write_text(yaml.safe_dump(answers, allow_unicode=True), encoding="utf-8")
    for name, source in right.files.items():
        (folder / name).write_bytes((lab / source).read_bytes())

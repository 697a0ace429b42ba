"""Students' work for tests: a folder as ``lab start`` makes it, answered and run in the simulated engine."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from testbed.labs.catalogue import LabFolder, find
from testbed.labs.checking import graded
from testbed.labs.graded import CheckResult, Graded
from testbed.labs.proving import reference
from testbed.labs.running import carried_out, prepared
from testbed.labs.starting import start
from testbed.labs.workbook import Workbook
from tests.unit.answering import known_of

ME = "me@uni.example"
PREDICTIONS = ("second_round_mb", "passes", "total_s", "gain")


def started(folder: Path, student: str = ME, lab: str = "rounds") -> Path:
    """The folder of a student who has just begun."""
    return start(find(lab), student, "net-2026", folder)


def right_answers(folder: Path) -> dict[str, Any]:
    """What a student who knows all of it would write down; of a folder without a run, what is known before."""
    lab, book = find("rounds"), Workbook.read(folder)
    work = reference.right(lab)
    known = known_of(lab, book)
    if known["run"] is None:
        before = {name: given for name, given in work.answers.items() if name in lab.spec.predictions("main")}
        work = work.model_copy(update={"answers": before})
    return dict(reference.answered(lab, work, known))


def answer(folder: Path, values: Mapping[str, Any]) -> None:
    """Writes an ``answers.yaml`` of these alone."""
    (folder / "answers.yaml").write_text(yaml.safe_dump(dict(values)), encoding="utf-8")


def run(folder: Path, name: str | None = None, *settings: str, lab: LabFolder | None = None) -> Path:
    """A run as ``lab run --engine simulated`` makes it, without a page."""
    book = Workbook.read(folder)
    made = prepared(lab or find(book.lock.lab), book, name, settings)
    carried_out(made, engine="simulated", page=False)
    return made.out


def finished(folder: Path, student: str = ME) -> Path:
    """Work that is right in all."""
    started(folder, student)
    answer(folder, right_answers(folder))
    run(folder)
    answer(folder, right_answers(folder))
    return folder


def judged(folder: Path, lab: LabFolder | None = None) -> Graded:
    """What is found in the work of a folder."""
    return graded(lab or find("rounds"), Workbook.read(folder))


def by_name(result: Graded) -> dict[str, CheckResult]:
    """Each check's result."""
    return {each.check: each for each in result.results}


def edited(file: Path, change: Any) -> None:
    """Changes a JSON file."""
    tree = json.loads(file.read_text(encoding="utf-8"))
    change(tree)
    file.write_text(json.dumps(tree), encoding="utf-8")


def a_lab(folder: Path, spec: str, checks: str) -> LabFolder:
    """A small lab of one's own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lab.yaml").write_text(spec, encoding="utf-8")
    (folder / "checks.py").write_text(checks, encoding="utf-8")
    (folder / "README.md").write_text("# {{ title }}\n", encoding="utf-8")
    (folder / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    return LabFolder.read(folder)


SCENARIO = """\
name: mine
network: {vmotion: {goodput: 800Mbit}}
vm: {ram: 64MB, workload: {name: sequential, write_rate: 20MB/s}}
migration: {policy: {name: plain, downtime_goal: 50ms}}
"""

"""A class whose hand-ins are generated: right ones, the textbook's mistakes, edited records and friends' runs.

python -m tests.unit.classmates FOLDER 30      so many, to be graded by hand
"""

import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testbed.labs import find, handin
from testbed.labs.answers import ANSWERS
from testbed.labs.catalogue import LabFolder
from testbed.labs.proving import reference
from testbed.labs.running import carried_out, prepared
from testbed.labs.starting import start
from testbed.labs.workbook import Workbook
from testbed.runfiles.folder import RunFolder
from tests.unit.answering import known_of

COURSE = "net-2026"
RUN = "runs/main-1"
WORDS = """
the guest writes while its last round is sent and nobody waits until none is left since a pause
below the goal is not felt by a client that would sooner have its answer than a memory without dirty
pages in another host
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What grading has to find: ``reason`` is in the reasons, ``flag`` in the flags."""

    student: str
    kind: str
    reason: str = ""
    flag: str = ""
    full: bool = False
    nothing: bool = False


class Classmates:
    """Makes hand-ins of one lab in a folder."""

    def __init__(self, folder: Path, lab: str = "rounds") -> None:
        self.lab: LabFolder = find(lab)
        self._rough, self.out = folder / "rough", folder / "handed-in"
        self.out.mkdir(parents=True)
        self._right = reference.right(self.lab)
        self.wrong = reference.wrong(self.lab)

    def right(self, student: str, why: str = "") -> Expected:
        self._packed(self._worked(student, {}, why))
        return Expected(student=student, kind="right", full=True)

    def mistaken(self, student: str, mistake: str) -> Expected:
        known = self.wrong[mistake]
        self._packed(self._worked(student, known.answers))
        return Expected(student=student, kind=mistake, reason=known.hint)

    def edited(self, student: str, edit: str) -> Expected:
        folder = self._worked(student, {})
        change, reason = EDITS[edit]
        file = folder / RUN / "summary.json"
        summary = json.loads(file.read_text())
        change(summary)
        file.write_text(json.dumps(summary))
        self._packed(folder)
        return Expected(student=student, kind=f"edited: {edit}", reason=reason, flag=reason, nothing=True)

    def copied(self, student: str, friend: str, *, relabelled: bool = False) -> Expected:
        """The friend's run in their own folder, as it is or under their own name."""
        folder = self._worked(student, {})
        shutil.rmtree(folder / RUN)
        shutil.copytree(self._rough / friend / RUN, folder / RUN)
        reason = f"recorded for the student {friend}"
        if relabelled:
            file = folder / RUN / "summary.json"
            file.write_text(file.read_text().replace(friend, student))
            reason = "yours is"
        self._packed(folder)
        flag = f"the same measured figures as {handin.file_name(self.lab.name, friend)} ({friend})"
        return Expected(student=student, kind="copied", reason=reason, flag=flag, nothing=True)

    def _worked(self, student: str, answers: dict[str, Any], why: str = "") -> Path:
        """A folder with one run in it and all that is asked answered, rightly but for ``answers``."""
        folder = self._rough / student
        folder.parent.mkdir(exist_ok=True)
        start(self.lab, student, COURSE, folder)
        carried_out(prepared(self.lab, Workbook.read(folder), "main", unanswered=True), engine="simulated", page=False)
        known = known_of(self.lab, Workbook.read(folder))
        summary = known["run"].summary
        work = self._right.model_copy(update={"answers": self._right.answers | answers})
        values = reference.answered(self.lab, work, known)
        values["why"] = why or " ".join(random.Random(student).choices(WORDS.split(), k=25))
        (folder / ANSWERS).write_text(yaml.safe_dump(values))
        assert summary.lab is not None
        summary.lab.predictions = {name: values[name] for name in self.lab.spec.predictions("main")}
        RunFolder(folder / RUN).write_summary(summary)
        return folder

    def _packed(self, folder: Path) -> None:
        handin.pack(folder, self.out, also=self.lab.spec.hand_in)


def _halved(name: str) -> Callable[[dict[str, Any]], None]:
    def change(summary: dict[str, Any]) -> None:
        summary["migrations"][0][name] /= 2

    return change


def _round_removed(summary: dict[str, Any]) -> None:
    del summary["migrations"][0]["rounds"][1]


def _less_sent(summary: dict[str, Any]) -> None:
    summary["migrations"][0]["rounds"][1]["sent_bytes"] //= 2


def _other_seed(summary: dict[str, Any]) -> None:
    summary["seed"] += 1


EDITS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "total": (_halved("total_time_s"), "does not agree with itself"),
    "downtime": (_halved("downtime_s"), "does not agree with itself"),
    "a round less": (_round_removed, "does not agree with itself"),
    "sent": (_less_sent, "does not agree with itself"),
    "seed": (_other_seed, "does not agree with itself"),
}


def a_class(made: Classmates, size: int) -> Iterator[Expected]:
    """A third right, a third mistaken, a sixth edited, a sixth copied."""
    names = [f"student-{number:02}@uni.example" for number in range(1, size + 1)]
    mistakes, edits = list(made.wrong), list(EDITS)
    right = names[: size // 3]
    yield from (made.right(name) for name in right)
    for index, name in enumerate(names[size // 3 :]):
        part = index % 4
        if part < 2:
            yield made.mistaken(name, mistakes[(index // 4 * 2 + part) % len(mistakes)])
        elif part == 2:
            yield made.edited(name, edits[index // 4 % len(edits)])
        else:
            yield made.copied(name, right[index // 4 % len(right)], relabelled=bool(index // 4 % 2))


if __name__ == "__main__":
    for known in a_class(Classmates(Path(sys.argv[1])), int(sys.argv[2])):
        sys.stdout.write(f"{known}\n")

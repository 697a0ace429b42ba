"""Hand-ins of one lab, made one by one: right, mistaken, edited, copied, foreign; and what grading has to find."""

import json
import random
import shutil
from pathlib import Path
from typing import Any, Literal

import yaml

from testbed.labs import find, handin
from testbed.labs.answers import ANSWERS
from testbed.labs.catalogue import LabFolder
from testbed.labs.own_checks import checks
from testbed.labs.proving import reference
from testbed.labs.proving.made_work import MadeWork
from testbed.labs.proving.reference import RightWork, WrongWork
from testbed.labs.workbook import LOCK, RUNS, Workbook
from tests.unit import cheats
from tests.unit.cheats import Cheat
from tests.unit.oracle import Expected

COURSE = "net-2026"
WORDS = """
the guest writes while its last round is sent and nobody waits until none is left since a pause
below the goal is not felt by a client that would sooner have its answer than a memory without dirty
pages in another host
"""
FIGURES = "the same measured figures as"
SAME = "says that it is of the same student"


class Classmates:
    """Makes hand-ins of one lab in a folder. ``expected``: of each so far, in their order."""

    def __init__(self, folder: Path, lab: str = "rounds") -> None:
        self.lab: LabFolder = find(lab)
        self.rough, self.out = folder / "rough", folder / "handed-in"
        self.out.mkdir(parents=True)
        self.rough.mkdir()
        self._right = reference.right(self.lab)
        native = {each.name for each in checks(self.lab) if each.native}
        self.wrong = {
            name: known for name, known in reference.wrong(self.lab).items() if not native.issuperset(known.check)
        }
        self.expected: list[Expected] = []

    @property
    def words(self) -> str:
        """The question that everybody answers in their own."""
        return "why" if "why" in self.lab.spec.answers else "surprise"

    def _alike(self, percent: str) -> str:
        return f"the answer '{self.words}' is {percent}"

    @property
    def has_runs(self) -> bool:
        """That a work has to have: in the model no others are made."""
        return any(not each.optional for each in self.lab.spec.runs.values())

    def of(self, student: str) -> Expected:
        """What is expected of a student's hand-in."""
        return next(each for each in self.expected if each.handin == self.name(student))

    def name(self, student: str) -> str:
        return handin.file_name(self.lab.name, student)

    def right(self, student: str, why: str = "") -> Expected:
        self.packed(self.worked(student, why=why))
        return self.added(student, "right", "all", hints={})

    def mistaken(self, student: str, mistake: str) -> Expected:
        known = self.wrong[mistake]
        self.packed(self.worked(student, known))
        return self.added(student, f"wrong: {mistake}", "some", hints=dict.fromkeys(known.check, known.hint))

    def edited(self, student: str, name: str, cheat: Cheat) -> Expected:
        folder = self.worked(student)
        cheat.change(cheats.best(folder))
        self.packed(folder)
        flags = [each for each in (cheat.flag, cheat.reason) if each]
        score: Literal["all", "none", "any"] = "none" if cheat.reason else "any" if cheat.flag else "all"
        return self.added(student, f"edited: {name}", score, reasons=[cheat.reason], flags=flags)

    def copied(self, student: str, friend: str, *, relabelled: bool = False, replanned: bool = False) -> Expected:
        """The friend's runs in their own folder: as they are, under their own name, or with their own seed and scenario
        in all files.
        """
        folder = self.begun(student)
        shutil.copytree(self.rough / friend / RUNS, folder / RUNS)
        reason = f"recorded for the student {friend}"
        if relabelled or replanned:
            self._relabel(folder, friend, student, replanned)
            reason = "yours is|, yours are"
        self._answered(folder, student)
        self.packed(folder)
        kind = "copied, renamed" if relabelled else "copied"
        if replanned:
            return self._replanned(student, friend)
        self.of(friend).flags.append(FIGURES)
        return self.added(student, kind, "none", reasons=[reason], flags=[reason, FIGURES])

    def _replanned(self, student: str, friend: str) -> Expected:
        """Where both have the same numbers it is, but for its second, what their own would be."""
        mine, theirs = ({**self.lab.drawn(COURSE, each), "seed": 0} for each in (student, friend))
        found = [] if mine == theirs else [f"{cheats.AGAIN}|, yours are"]
        kind = "copied, with one's own seed and scenario"
        return self.added(student, kind, "none" if found else "any", reasons=found, flags=list(found))

    def _relabel(self, folder: Path, friend: str, student: str, replanned: bool) -> None:
        parameters = self.lab.drawn(COURSE, student)
        for run in (folder / RUNS).iterdir():
            file = run / "summary.json"
            summary = json.loads(file.read_text().replace(friend, student))
            if replanned:
                summary["seed"] = parameters["seed"]
                theirs = yaml.safe_load((run / "scenario.yaml").read_text())
                mine = yaml.safe_load(self.lab.scenario(run.name.rpartition("-")[0], parameters))
                for path in self.lab.spec.runs[run.name.rpartition("-")[0]].set:
                    _set(mine, theirs, path.split("."))
                (run / "scenario.yaml").write_text(yaml.safe_dump(mine))
            file.write_text(json.dumps(summary))

    def whole(self, student: str, friend: str) -> Expected:
        """The friend's hand-in, as it is."""
        shutil.copy(self.out / self.name(friend), self.out / self.name(student))
        theirs = self.of(friend)
        both = [SAME, self._alike("100"), *[FIGURES] * self.has_runs]
        theirs.flags += both
        return self.added(student, "a friend's, whole", "all", flags=list(both))

    def under_their_lock(self, student: str, friend: str) -> Expected:
        """All that the friend has, in a folder that says whose it is by its lock alone."""
        folder = self.begun(student)
        lock = (folder / LOCK).read_text()
        shutil.rmtree(folder)
        shutil.copytree(self.rough / friend, folder)
        (folder / LOCK).write_text(lock)
        self.packed(folder)
        both = [self._alike("100"), *[FIGURES] * self.has_runs]
        self.of(friend).flags += both
        foreign = [f"recorded for the student {friend}"] * self.has_runs
        return self.added(
            student, "a friend's, under one's own lock", "none" if foreign else "any", reasons=foreign,
            flags=[*both, *foreign],
        )  # fmt: skip

    def told(self, student: str, friend: str) -> Expected:
        """A friend's words, but for one of them."""
        theirs = yaml.safe_load((self.rough / friend / ANSWERS).read_text())[self.words].split()
        self.packed(self.worked(student, why=" ".join([*theirs[:-1], "besides"])))
        self.of(friend).flags.append(self._alike("9"))
        return self.added(student, "a friend's words", "all", flags=[self._alike("9")])

    def of_another(self, student: str, key: str, value: str, fault: str) -> Expected:
        """A lock that says another lab, or version."""
        folder = self.begun(student)
        lock = yaml.safe_load((folder / LOCK).read_text()) | {key: yaml.safe_load(value)}
        (folder / LOCK).write_text(yaml.safe_dump(lock))
        self.packed(folder, student)
        return self.added(student, f"of another {key}", "none", fault=fault)

    def of_another_course(self, student: str) -> Expected:
        """Last year's, right in all."""
        self.packed(self.worked(student, course="net-2025"))
        return self.added(student, "of another course", "all", flags=["of the course 'net-2025'"])

    def answering(self, student: str, kind: str, said: Any, reason: str) -> Expected:
        """Whatever a number is asked for after the run, this is written down."""
        folder = self.worked(student)
        file = folder / ANSWERS
        numbers = [
            name for name, each in self.lab.spec.answers.items() if each.type in ("number", "integer")
            and not each.before and name != "hours"
        ]  # fmt: skip
        values = yaml.safe_load(file.read_text()) | dict.fromkeys(numbers, said)
        file.write_text(yaml.safe_dump(values))
        self.packed(folder)
        return self.added(student, f"answers: {kind}", "some", reasons=[reason])

    def begun_only(self, student: str) -> Expected:
        """As ``lab start`` makes it."""
        self.packed(self.begun(student))
        first = "there is no run yet: testbed lab run" if self.has_runs else "is not answered yet"
        return self.added(student, "begun", "none" if self.has_runs else "any", reasons=[first])

    def half(self, student: str) -> Expected:
        """The first run, and predictions."""
        folder = self.worked(student)
        first, *others = self.lab.spec.runs
        for run in (folder / RUNS).iterdir():
            if run.name.rpartition("-")[0] != first:
                shutil.rmtree(run)
        values = yaml.safe_load((folder / ANSWERS).read_text())
        kept = {name: each for name, each in values.items() if self.lab.spec.answers[name].before}
        (folder / ANSWERS).write_text(yaml.safe_dump(kept))
        self.packed(folder)
        missing = [f"there is no run '{each}' yet" for each in others if not self.lab.spec.runs[each].optional]
        return self.added(student, "half", "some", reasons=["is not answered yet", *missing[:1]])

    def foreseen_later(self, student: str, *, in_record: bool) -> Expected:
        """A wrong prediction put right after the run: in the answers, where it is seen, or in the record, where not."""
        folder = self.worked(student)
        asked = next(name for name, each in self.lab.spec.answers.items() if each.before)
        wrong = self.lab.spec.answers[asked].choices or [4711, 4712]
        right = yaml.safe_load((folder / ANSWERS).read_text())[asked]
        if not in_record:
            for file in folder.glob("runs/*/summary.json"):
                summary = json.loads(file.read_text())
                if asked in summary["lab"]["predictions"]:
                    summary["lab"]["predictions"][asked] = next(each for each in wrong if each != right)
                    file.write_text(json.dumps(summary))
        self.packed(folder)
        flags = [] if in_record else [f"for '{asked}'; the record has"]
        return self.added(student, "foreseen later", "all" if in_record else "any", flags=flags)

    def changed_after_packing(self, student: str, friend: str) -> Expected:
        """The friend's zip, unpacked, and one of its files edited."""
        folder = self.out / self.name(student).removesuffix(".zip")
        shutil.unpack_archive(self.out / self.name(friend), folder)
        (folder / ANSWERS).write_text("why: since it is so\n")
        return self.added(student, "changed after it was packed", "none", fault="was changed after", file=folder.name)

    def added(self, student: str, kind: str, score: Any, *, file: str = "", **found: Any) -> Expected:
        expected = Expected(handin=file or self.name(student), kind=kind, score=score, **found)
        if {FIGURES, self._alike("9"), self._alike("100")} & {*expected.flags}:
            expected.may = [FIGURES, self._alike(""), SAME]
        self.expected.append(expected)
        return expected

    def begun(self, student: str, course: str = COURSE) -> Path:
        """A folder without runs."""
        made = self._made(student, course)
        made.start(RightWork())
        return made.folder

    def worked(self, student: str, known: WrongWork | None = None, why: str = "", course: str = COURSE) -> Path:
        """A folder with all runs in it and all that is asked answered: rightly, or as ``known`` has it."""
        made, work = self._made(student, course), self._right
        if known is not None:
            work = RightWork(
                answers=work.answers | known.answers, runs=work.runs | known.runs, files=work.files | known.files
            )
        made.begin(work)
        made.answer(work, **{self.words: why or _words(student)})
        return made.folder

    def _answered(self, folder: Path, student: str) -> None:
        """Rightly, of the runs that are there."""
        self._made(student, COURSE).answer(self._right, **{self.words: _words(student)})

    def _made(self, student: str, course: str) -> MadeWork:
        return MadeWork(lab=self.lab, folder=self.rough / student, student=student, course=course, engine="simulated")

    def packed(self, folder: Path, student: str = "") -> None:
        name = self.name(student or Workbook.read(folder).lock.student)
        made = handin.pack(folder, self.out / name, also=self.lab.spec.hand_in)
        made.chmod(0o644)  # whoever grades as root does it as somebody else


def _words(student: str) -> str:
    """Words that nobody else has."""
    return " ".join(random.Random(student).choices(WORDS.split(), k=25))


def _set(tree: Any, like: Any, path: list[str]) -> None:
    """What a student may choose is as in the other scenario."""
    for part in path[:-1]:
        tree, like = tree[part], like[part]
    if path[-1] in like:
        tree[path[-1]] = like[path[-1]]

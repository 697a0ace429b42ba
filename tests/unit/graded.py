"""Graded works, and hand-ins in which there is a lock and answers alone, for tests of how grades are told."""

from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.grades.grading import Grading
from testbed.grades.work import GradedWork, Terms, work
from testbed.labs import handin
from testbed.labs.graded import CheckResult, Graded
from testbed.labs.workbook import Workbook

RESULTS = (
    CheckResult(check="own", sentence="the run is your own", points=10, earned=10, standing="right"),
    CheckResult(
        check="total", sentence="the total was foreseen", points=20, earned=12, standing="partly",
        reason="you wrote 5.1 s and it took 6.4 s", hint="That is one pass.",
    ),
    CheckResult(check="passes", sentence="the passes were foreseen", points=15, standing="wrong", reason="=1+1"),
    CheckResult(check="hosts", sentence="on real hosts", points=5, standing="not asked", reason="it was simulated"),
    CheckResult(check="why", sentence="why is it so", points=5, standing="by the teacher"),
)  # fmt: skip


def a_work(student: str = "me@uni.example", terms: Terms | None = None, fault: str = "") -> GradedWork:
    results = () if fault else RESULTS
    graded = Graded(lab="rounds", version="1", student=student, course="net", results=results, fault=fault)
    return work(graded, terms or Terms(), handin=f"rounds-{student}.lab.zip")


def a_grading(terms: Terms | None = None) -> Grading:
    """Points for whoever's answer is 42; who answers ``raise`` shows a fault of ours."""

    def judge(folder: Path) -> Graded:
        lock, answers = Workbook.read(folder).lock, (folder / "answers.yaml").read_text()
        if "raise" in answers:
            raise ZeroDivisionError("a teacher's mistake")
        if lock.lab != "rounds":
            raise ScenarioError(f"is of the lab '{lock.lab}'", str(folder / "lab.lock"))
        right = "42" in answers
        result = CheckResult(
            check="total", sentence="it is 42", points=10, earned=10 * right, standing="right" if right else "wrong"
        )
        return Graded(lab="rounds", version="1", student=lock.student, results=[result])

    return Grading(lab="rounds", version="1", grader=judge, terms=terms or Terms())


def a_student(folder: Path, student: str, answers: str = "total: 42\n", lab: str = "rounds") -> Path:
    """Their folder."""
    folder.mkdir(parents=True)
    (folder / "lab.lock").write_text(f"lab: {lab}\nstudent: {student}\nversion: 1\n")
    (folder / "answers.yaml").write_text(answers)
    return folder


def a_zip(where: Path, student: str, answers: str = "total: 42\n", lab: str = "rounds") -> Path:
    """Their hand-in, in the folder ``where``."""
    where.mkdir(parents=True, exist_ok=True)
    return handin.pack(a_student(where.parent / f".of-{student}", student, answers, lab), where)


def a_lab(folder: Path) -> Path:
    """The folder of a lab of a teacher's own, without runs: 10 points for being there, and 10 for a total of 42."""
    folder.mkdir(parents=True)
    answers = "answers: {total: {ask: 'How much?', type: integer}}"
    spec = f"lab: total\nversion: 1\ntitle: A sum\nminutes: 5\nruns: {{}}\n{answers}\n"
    (folder / "lab.yaml").write_text(spec)
    (folder / "checks.py").write_text(
        "from testbed.labs.check import Wrong, check\n\n\n@check(10, 'it is 42')\ndef total(lab, run):\n"
        "    if lab.answers['total'] != 42:\n        raise Wrong('it is another')\n"
    )
    return folder

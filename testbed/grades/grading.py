"""Hand-ins graded one after the other: one that is broken, or that a check of ours breaks at, never stops the rest."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable
from testbed.grades import counting
from testbed.grades.alike import Signs, shared, signs
from testbed.grades.handed import HandedIn
from testbed.grades.work import GradedWork, Terms, work
from testbed.labs import handin
from testbed.labs.graded import Graded
from testbed.labs.workbook import Workbook

Grader: TypeAlias = Callable[[Path], Graded]
"""Holds one hand-in, unpacked, against a lab. Raises ``ScenarioError`` for one that cannot be judged."""
Marker: TypeAlias = Callable[[Sequence[GradedWork]], Sequence[GradedWork]]
"""Puts to graded works what a platform or a roster knows of who handed them in."""
OURS = "a check of the lab failed, which is no fault of who handed in"
NO_TERMS = Terms()
MOST = 2000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """What works are graded by. ``lab``, ``version``: of those that cannot say it; ``course``: whose students they
    are, None: not known; ``texts``: questions that are answered in one's own words, None: all; ``code``: there is code
    in what is handed in, which runs in a sandbox alone; ``listed``: no course has other labs and not this one.
    """

    lab: str
    grader: Grader
    version: str = ""
    course: str | None = None
    terms: Terms = NO_TERMS
    texts: frozenset[str] | None = None
    code: bool = False
    listed: bool = True


def grade(hand_ins: Iterable[HandedIn], by: Grading, marked: Marker = tuple) -> list[GradedWork]:
    """Each hand-in graded, ``marked``, since who handed in decides what counts, and all held against each other."""
    works, known = list[GradedWork](), list[Signs]()
    for each in hand_ins:
        graded, its = _one(each, by)
        works.append(work(graded, by.terms, handin=each.shown, who=each.who, at=each.at))
        known.append(its)
    return _flagged(marked(works), known)


def broken(by: Grading, fault: str) -> GradedWork:
    """What stands for a hand-in that could not be found at all."""
    return work(_not_judged(by, fault), by.terms, handin="")


def _one(given: HandedIn, by: Grading) -> tuple[Graded, Signs]:
    fault = given.fault
    if not fault:
        try:
            with handin.opened(given.path) as folder:
                return _judged(folder, by), signs(folder, by.texts)
        except ScenarioError as error:
            fault = str(error)
    return _not_judged(by, fault.replace(str(given.path), given.shown)), Signs()


def _judged(folder: Path, by: Grading) -> Graded:
    lock = Workbook.read(folder).lock
    student = lock.student
    if by.course is not None and lock.course not in ("", by.course):
        said = f"this was started for the course '{lock.course}', not for '{by.course}': its numbers are of that one"
        return _not_judged(by, said, student)
    try:
        return _told(by.grader(folder), folder)
    except ScenarioError as error:
        return _not_judged(by, _without(str(error), folder), student)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a teacher's check does, the others are graded
        return _not_judged(by, _without(f"{OURS}: {type(error).__name__}: {error}", folder), student)


def _told(graded: Graded, folder: Path) -> Graded:
    """As it is told: nowhere does it say where we had unpacked it."""
    results = [
        replace(each, reason=_without(each.reason, folder), hint=_without(each.hint, folder)) for each in graded.results
    ]
    flags = [_without(each, folder) for each in graded.flags]
    return replace(graded, fault=_without(graded.fault, folder), results=results, flags=flags)


def _without(said: str, folder: Path) -> str:
    """What was said of the files in a folder of ours, which is gone when it is read."""
    return said.replace(f"{folder}/", "").replace(f"{folder}", "the hand-in")


def _not_judged(by: Grading, fault: str, student: str = "") -> Graded:
    return Graded(lab=by.lab, version=by.version, student=printable(student, 100), fault=printable(fault, MOST))


def _flagged(works: Sequence[GradedWork], known: Sequence[Signs]) -> list[GradedWork]:
    names, students = [each.handin for each in works], [each.graded.student for each in works]
    flags = zip(counting.flags(works), shared(known, names, students), strict=True)
    return [replace(each, flags=(*each.flags, *more, *alike)) for each, (more, alike) in zip(works, flags, strict=True)]

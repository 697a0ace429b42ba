"""What a lab and a course say of how its hand-ins are graded."""

from pathlib import Path

from testbed.core.errors import PrerequisiteMissing, ScenarioError
from testbed.core.text.nearest import nearest
from testbed.grades.grading import Grading
from testbed.grades.work import Terms
from testbed.labs.catalogue import SPEC, find, folders
from testbed.labs.checking import graded
from testbed.labs.course import Course, CourseLab
from testbed.labs.graded import Graded
from testbed.labs.own_checks import checks
from testbed.labs.workbook import Workbook
from testbed.sandbox import Sandbox, walls


def by_lab(name: str, from_: Path | None = None, course: Path | None = None) -> Grading:
    """The grading of a lab. Raises ``ScenarioError`` for what is wrong with the lab or the course, before any hand-in
    is looked at; by then all that is needed of the lab has been read, for who gives up root may not be able to.
    """
    lab = find(name, from_)
    asked = checks(lab)
    for file in (SPEC, *(run.scenario for run in lab.spec.runs.values())):
        lab.text(file)
    known = course_of(course, name, from_) if course else None

    def judge(folder: Path) -> Graded:
        return graded(lab, Workbook.read(folder), asked)

    return Grading(
        lab=name,
        version=str(lab.spec.version),
        grader=judge,
        course=known.course if known else None,
        terms=_terms(name, known) if known else Terms(),
        listed=known is None or _has_terms(known, name),
        texts=frozenset(name for name, each in lab.spec.answers.items() if each.type == "text"),
        code=bool(lab.spec.hand_in),
    )


def course_of(file: Path, name: str, from_: Path | None = None) -> Course:
    """The course in a file, by which a lab is graded. Raises ``ScenarioError``, also where it lists labs, but not this
    one, and one of which there is none: it is most likely this one, misspelt, whose due time and points would be lost.
    """
    course = Course.read(file)
    if not _has_terms(course, name):
        labs = folders(from_)
        if strange := [each for each in course.labs if each not in labs]:
            said = f"no lab is called '{strange[0]:.60}', and '{name}' is not among these"
            raise ScenarioError(f"{said}; {nearest(strange[0][:60], [*labs])}", f"{file}: labs")
    return course


def _has_terms(course: Course, name: str) -> bool:
    """Whether a course that lists its labs lists this one."""
    return not course.labs or name in course.labs


def need_sandbox(by: Grading) -> None:
    """Tries whether there can be one, as who will judge, where the lab wants it: without one, what is asked of code
    would not be asked, and every hand-in would be short of those points. Raises ``PrerequisiteMissing``.
    """
    if by.code:
        try:
            with Sandbox(b""):
                pass
        except PrerequisiteMissing as lack:
            raise PrerequisiteMissing(lack.what, walls.remedy_without_root()) from lack


def _terms(name: str, course: Course) -> Terms:
    known = course.labs.get(name, CourseLab())
    return Terms(due=known.due, points=known.points, per_day=course.late.per_day, at_most=course.late.at_most)

"""Which hand-ins of a class count: of two of one student the later, and those that are of the course."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from testbed.grades.work import GradedWork

_NEVER = datetime.fromtimestamp(0, UTC)


def counted(works: Sequence[GradedWork]) -> list[GradedWork]:
    """Each student's one, in their order; of those who are not known, all."""
    numbers = _latest(works)
    return [each for number, each in enumerate(works) if numbers.get(_whose(each, number), number) == number]


def flags(works: Sequence[GradedWork]) -> list[list[str]]:
    """For each hand-in what is to be said of it beside the others."""
    return [[*again, *elsewhere] for again, elsewhere in zip(_again(works), _elsewhere(works), strict=True)]


def _again(works: Sequence[GradedWork]) -> list[list[str]]:
    latest = _latest(works)
    groups: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(works):
        groups[_whose(each, number)].append(number)
    said: list[list[str]] = [[] for _ in works]
    for student, group in groups.items():
        counts = latest[student]
        for mine in group:
            for theirs in (each for each in group if each != mine):
                which = "; this one counts" if mine == counts else ", and counts" if theirs == counts else ""
                said[mine].append(f"{works[theirs].handin} says that it is of the same student{which}")
    return said


def _latest(works: Sequence[GradedWork]) -> dict[str, int]:
    """By student the number of the one that counts: that came last, of those that could be judged."""
    found: dict[str, int] = {}
    for number, each in enumerate(works):
        student = _whose(each, number)
        if student not in found or _order(each) >= _order(works[found[student]]):
            found[student] = number
    return found


def _order(each: GradedWork) -> tuple[bool, datetime]:
    return not each.graded.fault, each.at or _NEVER


def _whose(each: GradedWork, number: int) -> str:
    return each.graded.student.casefold() or f"\n{number}"


def _elsewhere(works: Sequence[GradedWork]) -> list[list[str]]:
    """Of a course that is not most others': its numbers were drawn for that one, a year ago perhaps."""
    courses = Counter(each.graded.course for each in works if each.graded.results)
    usual, many = courses.most_common(1)[0] if courses else ("", 0)
    said: list[list[str]] = []
    for each in works:
        other = each.graded.results and each.graded.course != usual and 2 * many > courses.total()
        said.append([f"is {_of(each.graded.course)}, and most others are {_of(usual)}"] if other else [])
    return said


def _of(course: str) -> str:
    return f"of the course '{course:.60}'" if course else "of no course"

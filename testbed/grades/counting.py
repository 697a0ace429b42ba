"""Which hand-ins of a class count: of two of one student the later, and those that are of the course."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from testbed.grades.work import GradedWork, called

_NEVER = datetime.fromtimestamp(0, UTC)


def counted(works: Sequence[GradedWork]) -> list[GradedWork]:
    """Each student's one, in their order; of those who are not known, all."""
    counting = {_counts(works, group) for group in _groups(works)}
    return [each for number, each in enumerate(works) if number in counting]


def chosen(works: Sequence[GradedWork]) -> GradedWork:
    """The one that counts of works that are all of one student: of none there is none, and ``ValueError``."""
    return works[_counts(works, range(len(works)))]


def flags(works: Sequence[GradedWork]) -> list[list[str]]:
    """For each hand-in what is to be said of it beside the others."""
    return [[*again, *elsewhere] for again, elsewhere in zip(_again(works), _elsewhere(works), strict=True)]


def _again(works: Sequence[GradedWork]) -> list[list[str]]:
    said: list[list[str]] = [[] for _ in works]
    for group in _groups(works):
        counts = _counts(works, group)
        for mine in group:
            for theirs in (each for each in group if each != mine):
                which = "; this one counts" if mine == counts else ", and counts" if theirs == counts else ""
                said[mine].append(f"{works[theirs].handin} says that it is of the same student{which}")
    return said


def _counts(works: Sequence[GradedWork], group: Sequence[int]) -> int:
    """Which of one student's: of those that could be judged, and that they handed in themselves, the last. Where people
    of several names handed in as one student, and nobody knows which of them it is, the best of theirs: nobody is to
    take points from another.
    """
    best = max(_rank(works[number]) for number in group)
    last: dict[str, int] = {}
    for number in sorted(group, key=lambda number: works[number].at or _NEVER):
        if _rank(works[number]) == best:
            last[called(works[number].who)] = number
    return max(last.values(), key=lambda number: (works[number].entry, works[number].at or _NEVER))


def _rank(each: GradedWork) -> tuple[bool, bool]:
    return not each.graded.fault, not each.another


def _groups(works: Sequence[GradedWork]) -> list[list[int]]:
    """The numbers of each student's. What cannot be opened does not say whose it is: it is of the student of whom all
    else is that came under the same name.
    """
    known: dict[str, set[str]] = defaultdict(set)
    for each in works:
        if each.who and each.graded.student and not each.another:
            known[called(each.who)].add(called(each.graded.student))
    groups: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(works):
        name = called(each.graded.student or each.who)
        if not each.graded.student and len(known[name]) == 1:
            (name,) = known[name]
        groups[name or f"\n{number}"].append(number)
    return list(groups.values())


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

"""Of a class, which hand-ins count: of two of one student the later, and what is of another course."""

from dataclasses import replace
from datetime import UTC, datetime

from testbed.grades.counting import counted, flags
from testbed.grades.formats import tables
from testbed.grades.roster import Roster
from testbed.grades.work import GradedWork
from tests.unit.graded import a_work

ADA, BOB = "ada@uni.example", "bob@uni.example"
EARLY, LATE = datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 10, 13, tzinfo=UTC)


def given(name: str, student: str, at: datetime | None = None, score: int = 32, fault: str = "") -> GradedWork:
    return replace(a_work(student, fault=fault), handin=name, at=at, score=score, entry=score)


def test_of_two_of_one_student_the_later_counts_and_both_are_named() -> None:
    works = [given("b.zip", ADA, LATE, 20), given("a.zip", ADA, EARLY), given("c.zip", BOB)]
    assert flags(works) == [
        ["a.zip says that it is of the same student; this one counts"],
        ["b.zip says that it is of the same student, and counts"],
        [],
    ]
    assert [each.handin for each in counted(works)] == ["b.zip", "c.zip"]
    roster = Roster(header=["Email"], rows=[[ADA], [BOB]])
    assert roster.filled(works, "rounds") == f"Email,rounds\n{ADA},20\n{BOB},32\n"
    assert [row.split(",")[1] for row in tables.moodle(works, "rounds").splitlines()] == ["rounds", "20", "32"]


def test_a_later_one_that_cannot_be_judged_takes_nothing_away() -> None:
    works = [given("a.zip", ADA, EARLY), given("b.zip", ADA.upper(), LATE, 0, fault="it was changed")]
    assert [each.handin for each in counted(works)] == ["a.zip"]


def test_of_those_that_came_at_no_known_time_the_last_counts_and_nobody_is_somebody() -> None:
    works = [given("a.zip", ADA), given("b.zip", ADA), given("c.zip", "", fault="x"), given("d.zip", "", fault="x")]
    assert [each.handin for each in counted(works)] == ["b.zip", "c.zip", "d.zip"]
    assert flags(works)[2:] == [[], []]


def of_course(course: str) -> GradedWork:
    work = given(f"{course}.zip", f"{course}@uni.example")
    return replace(work, graded=replace(work.graded, course=course))


def test_what_is_of_another_course_than_most_is_named() -> None:
    works = [of_course("net-2025"), *[of_course("net-2026")] * 3, of_course("")]
    works = [replace(each, graded=replace(each.graded, student=str(number))) for number, each in enumerate(works)]
    found = flags(works)
    assert found[0] == ["is of the course 'net-2025', and most others are of the course 'net-2026'"]
    assert found[1:4] == [[], [], []] and found[4][0].startswith("is of no course, and most others")
    assert flags([works[0], works[1]]) == [[], []], "of two nobody is most"

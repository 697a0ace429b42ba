"""A hand-in that was graded: what the checks found, how late it came, and the points that this comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from unicodedata import normalize

from testbed.core.text.printable import printable
from testbed.labs.graded import CheckResult, Graded


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When a lab is due and what it is worth. ``points``: what all of the lab's come to; without it they count as they
    are. ``per_day``: per cent for each day that has begun; after ``at_most`` days nothing counts.
    """

    due: datetime | None = None
    points: int | None = None
    per_day: int = 0
    at_most: int | None = None

    def days_late(self, at: datetime | None) -> int:
        """Days that had begun after the due time."""
        if self.due is None or at is None or at <= self.due:
            return 0
        return -((self.due - at) // timedelta(days=1))

    def share(self, days: int) -> int:
        """Per cent that is left after so many days."""
        if self.at_most is not None and days > self.at_most:
            return 0
        return max(0, 100 - self.per_day * days)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedWork:
    """One hand-in. ``handin``: its name for people, ``who``: whose it is by the download that it was in; ``at``: when
    it was handed in; ``score`` of ``most``: what it earned of what was asked of it; ``entry`` of ``whole``: the same as
    a gradebook takes it, which has one maximum for all; ``another``: it is known to have been started by another than
    who handed it in.
    """

    handin: str
    graded: Graded
    who: str = ""
    at: datetime | None = None
    days_late: int = 0
    score: int = 0
    most: int = 0
    entry: int = 0
    whole: int = 0
    flags: Sequence[str] = ()
    another: bool = False

    @property
    def student(self) -> str:
        """Who handed in, as far as that is known."""
        return self.graded.student or self.who or self.handin

    @property
    def asked(self) -> list[CheckResult]:
        """What was found of all that could be judged."""
        return [each for each in self.graded.results if each.standing != "not asked"]

    @property
    def in_proportion(self) -> str:
        """Why a gradebook has other points than those of the checks; nothing where it has the same."""
        if (self.entry, self.whole) == (self.score, self.most):
            return ""
        return f"{self.score} of the {self.most} points that were asked for count as {self.entry} of {self.whole}"

    @property
    def reasons(self) -> list[str]:
        """A sentence for each point that is missing, and for the lateness."""
        if self.graded.fault:
            return [self.graded.fault]
        found = [f"{each.check}: {told(each)}" for each in self.graded.results if told(each)]
        if self.days_late:
            days = f"{self.days_late} day{'s' * (self.days_late > 1)}"
            found.append(f"handed in {days} late: {self.score} of {self.most} points are left")
        return found


def called(name: str) -> str:
    """One for all ways in which a name or an address is written: letters are composed, as a student's numbers are drawn
    from them, and small.
    """
    return normalize("NFC", normalize("NFC", name).casefold()).strip()


def told(result: CheckResult) -> str:
    """Why points of a check are missing, with the hint; nothing where none are."""
    if result.standing == "right":
        return ""
    said = " ".join(filter(None, (result.reason, result.hint)))
    beginning = {"not asked": "not asked", "by the teacher": "read by a teacher"}.get(result.standing, "")
    return printable(f"{beginning}: {said}" if beginning and said else beginning or said, 2000)


def work(graded: Graded, terms: Terms, *, handin: str, who: str = "", at: datetime | None = None) -> GradedWork:
    """What a graded hand-in comes to. Points stay whole numbers."""
    days = terms.days_late(at)
    most, whole = (graded.most, graded.whole) if terms.points is None else (terms.points, terms.points)
    score, entry = (_nearest(_full(graded, points) * terms.share(days), 100) for points in (most, whole))
    return GradedWork(
        handin=handin,
        who=who,
        at=at,
        graded=graded,
        days_late=days,
        score=score,
        most=most,
        entry=entry,
        whole=whole,
        flags=tuple(graded.flags),
    )


def _full(graded: Graded, points: int) -> int:
    """What was earned, where all that was asked comes to so many points."""
    return _nearest(graded.score * points, graded.most) if graded.most else 0


def _nearest(share: int, whole: int) -> int:
    """``share / whole``, rounded; of two that are as near the larger."""
    return (2 * share + whole) // (2 * whole)

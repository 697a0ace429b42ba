"""What a lab's checks found in one student's work: points in whole numbers, and a reason for each that is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Standing: TypeAlias = Literal["right", "partly", "wrong", "not asked", "by the teacher"]
"""``not asked``: it could not be judged here, which costs nothing: a check for real hosts on a simulated run, a run
that is not valid, what follows from a check that was not passed. ``by the teacher``: a person reads it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check came to. ``earned`` of ``points``; ``reason`` says what was seen and what was right, ``hint`` what
    the mistake was, where it is a known one.
    """

    check: str
    sentence: str
    points: int
    earned: int = 0
    standing: Standing
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A hand-in of one student, as it was judged. ``fault``: why nothing could be (a damaged zip, another lab's).

    ``flags`` are for the teacher alone and change no points: an audit that does not hold, a figure that another's
    record has too.
    """

    lab: str
    version: str
    student: str
    course: str = ""
    results: Sequence[CheckResult] = ()
    flags: Sequence[str] = ()
    fault: str = ""

    @property
    def score(self) -> int:
        """How many points were earned."""
        return sum(each.earned for each in self.results)

    @property
    def most(self) -> int:
        """How many there were to earn: of all that was asked, and of what a teacher has still to read."""
        return sum(each.points for each in self.results if each.standing != "not asked")

    @property
    def whole(self) -> int:
        """How many points the lab has for everybody, also for what was not asked of this work."""
        return sum(each.points for each in self.results)

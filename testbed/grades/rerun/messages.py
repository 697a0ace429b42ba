"""What is asked to be run again, and what came of it: values, and lines between two processes of which only one has
root. That one believes nothing of what it is asked: who asks has read what strangers handed in.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from testbed.core.settings import Settings
from testbed.core.text.json_lines import JsonLines


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A run ``run`` of a lab, for a student of a course. ``settings``: what the lab leaves to students, by path."""

    student: str
    course: str
    run: str
    engine: Literal["native", "simulated"]
    settings: Settings = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """What of one migration is held against another making of it. ``sent``: in sizes of the guest's RAM."""

    name: str
    repeat: int
    outcome: str
    valid: bool
    rounds: int
    sent: float
    total_s: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAgain:
    """What came of it, by which version of the testbed."""

    engine: str
    version: str
    migrations: list[RunFigures] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRunAgain:
    """Why nothing came of it. ``exit_code``: of the fault, as ``core.errors`` has them."""

    why: str
    exit_code: int


RunAnswer: TypeAlias = RunAgain | NotRunAgain
MOST_QUESTION = 1 << 20
QUESTIONS = JsonLines[Wanted]("do", {"run": Wanted}, most=MOST_QUESTION)
ANSWERS = JsonLines[RunAnswer]("say", {"made": RunAgain, "not made": NotRunAgain})

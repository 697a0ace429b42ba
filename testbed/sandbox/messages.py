"""What is said to code in a sandbox and what it answers: numbered, a JSON object a line.

    {"do": "ask", "number": 3, "method": "decide", "arguments": {...}}
    {"say": "answer", "number": 3, "value": {...}}
    {"say": "fault", "number": 3, "words": "mine.py:9: ..."}

Whoever answers is believed in nothing: a line that is too long, nested too deep or of another number ends it.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from testbed.core.rounds import EarlyLook, Round
from testbed.core.text.from_json import Trusted
from testbed.core.text.json_lines import JsonLines

Serves: TypeAlias = Literal["policy", "tracker", "functions"]
"""What a file is asked for: its policy's decisions, how its tracker does, or what its functions return."""
FILE = "/policy.py"
"""Where the code lies in a sandbox, whatever its file is called outside."""
_IT = re.compile(rf"(?<!\w){re.escape(FILE)}\b")
MOST_QUESTION = 16 << 20
MOST_ANSWER = 1 << 20
"""Bytes of a line."""
READY = 0
"""The number of the first answer, which no question was asked for: the walls are up, and no code has run."""


def as_outside(words: str, name: str) -> str:
    """What was said in a sandbox, with the name that its file has outside."""
    return _IT.sub(lambda _: name, words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What code may take: seconds of processor time for one question and in all, bytes of memory, and seconds by the
    clock for one answer and for all of them, by which one is ended that only waits. It may never start a process or a
    thread, nor write.
    """

    question_s: float = 2.0
    cpu_s: int = 20
    memory_bytes: int = 1 << 30
    silent_s: float = 10.0
    waiting_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedConfig:
    """What the process in the sandbox is started with. ``packages``: folders of packages that the code may import."""

    serves: Serves
    limits: Limits
    packages: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``arguments``: of the method, in JSON."""

    number: int
    method: str
    arguments: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the method returned, in JSON."""

    number: int
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulted:
    """What went wrong instead, in words."""

    number: int
    words: str


QUESTIONS = JsonLines[Question]("do", {"ask": Question}, most=MOST_QUESTION)
ANSWERS = JsonLines[Answer | Faulted]("say", {"answer": Answer, "fault": Faulted}, most=MOST_ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWanted:
    """Parameters in base units, ``offered``: it gets those that it has."""

    offered: Trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerWanted:
    """How far a tracker is to be explored: pages of the memory, steps of a story, rounds beside the guest."""

    pages: int
    depth: int
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyMade:
    """What is to be known of a policy before it is asked."""

    early_look: EarlyLook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsSeen:
    """The history as far as it is new: what was said before, up to ``known`` rounds, goes before ``rounds``."""

    known: int
    rounds: list[Round] = field(default_factory=list)

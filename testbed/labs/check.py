"""What a lab's ``checks.py`` is written with.

    from testbed.labs.check import NotAsked, Wrong, check, near, own

    @check(15, "round 2 was foreseen within 2 %", after=own)
    def second(lab, run):
        near(lab.answers["second_round_mb"], run.rounds[1].sent_bytes / 1e6, 0.02, hints={lab.mb("ram"): "..."})

A check that returns has found its answer right. What it reads of a run stands in ``evidence``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from testbed.core.own.words import shown
from testbed.labs.definition.spec import Scalar
from testbed.labs.evidence.refusals import NotAsked, Wrong
from testbed.labs.evidence.seen import LabRun, Work

__all__ = ["LabCheck", "LabRun", "NotAsked", "Work", "Wrong", "check", "each_same", "near", "own", "same", "short"]

Asked: TypeAlias = Callable[[Work, Any], object]
"""What a check asks, of a work and of a ``LabRun``; of a lab without runs that is None. It returns nothing."""
HALF, NEARLY = 0.5, 3.0
"""What an answer earns that is off by no more than three times the tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabCheck:
    """A check of a lab. ``run``: of which run it is, by name; empty: of the first. ``native``: of real hosts alone."""

    name: str
    points: int
    sentence: str
    asked: Asked
    after: "tuple[LabCheck, ...]" = ()
    native: bool = False
    run: str = ""


def check(
    points: int,
    sentence: str,
    *,
    after: "LabCheck | Sequence[LabCheck]" = (),
    native: bool = False,
    run: str = "",
) -> Callable[[Asked], LabCheck]:
    """Makes a check of a function. ``sentence`` is what students read; ``after``: what has to be right first.

    Raises ``ValueError`` for points that are no whole number, ``TypeError`` for what else is not of its kind.
    """
    if type(points) is not int or points < 0:
        raise ValueError(f"points are whole numbers from 0 on, not {points!r}")
    if not isinstance(sentence, str):
        raise TypeError(f"the sentence is a text that students read, not {shown(sentence)}")
    if not isinstance(run, str):
        raise TypeError(f"run= is the name of a run, not {shown(run)}")
    gates = tuple(after) if isinstance(after, list | tuple) else (after,)
    for gate in gates:
        if not isinstance(gate, LabCheck):
            raise TypeError(f"after= is a check that stands before it, or several: [own, first], not {shown(gate)}")

    def made(asked: Asked) -> LabCheck:
        name = getattr(asked, "__name__", "check")
        return LabCheck(name=name, points=points, sentence=sentence, asked=asked, after=gates, native=native, run=run)

    return made


def near(
    answer: float,
    right: float,
    tolerance: float,
    *,
    hints: Mapping[float, str] | None = None,
    unit: str = "",
    told: bool = True,
) -> None:
    """Passes an answer within ``tolerance`` (a share) of what is right; within three times that it earns half.

    ``hints``: by the number that a mistake leads to, what the mistake is. ``told`` False: what is right is not said, as
    of a question that can be answered again. Raises ``Wrong``.
    """
    off = _off(answer, right)
    if off <= tolerance:
        return
    unit = f" {unit}" if unit else ""
    way = "large" if answer > right else "small"
    reason = f"{short(answer)}{unit} is too {way}"
    reason += f": it is {short(right)}{unit}, and within {tolerance:.3g} of it is right" if told else ""
    reason = reason.replace(f"{tolerance:.3g} of it", f"{tolerance * 100:.3g} % of that")
    known = [(_off(answer, wrong), hint) for wrong, hint in (hints or {}).items() if _off(wrong, right) > tolerance]
    hint = min((each for each in known if each[0] <= tolerance), default=(0.0, ""))[1]
    raise Wrong(reason, hint, HALF if off <= NEARLY * tolerance else 0.0)


def same(answer: Scalar, right: Scalar, reason: str, hints: Mapping[Scalar, str] | str = "") -> None:
    """Passes the one right answer, of a choice or a count. ``reason``: why any other is not it; ``hints``: by the
    answer that a mistake leads to, what the mistake is, or one for all. Raises ``Wrong``.
    """
    if answer != right:
        raise Wrong(reason, hints if isinstance(hints, str) else hints.get(answer, ""))


def each_same(given: Mapping[str, Scalar], right: Mapping[str, Scalar], told: Callable[[str], tuple[str, str]]) -> None:
    """Passes answers that are all right, by question; of others each right one earns its share. ``told``: of the first
    question that was answered wrongly, the reason and the hint. Raises ``Wrong``.
    """
    wrong = [name for name in right if given[name] != right[name]]
    if wrong:
        raise Wrong(*told(wrong[0]), 1 - len(wrong) / len(right))


def short(number: float) -> str:
    """A number to four digits, as it is told."""
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def _off(answer: float, right: float) -> float:
    """How far an answer is from what is right, as a share of that."""
    return abs(answer - right) / abs(right) if right else (0.0 if answer == 0 else float("inf"))


def _judged_elsewhere(_work: Work, _run: LabRun | None) -> None:
    """``ownership`` holds the record against the student's parameters, before any other check."""


own = LabCheck(name="own", points=10, sentence="the run is yours, as its record says twice", asked=_judged_elsewhere)
"""The first check of every lab: parameters, seed and scenario are the student's, and the record holds."""

"""What was recorded, held against what came of it again; docs/grading.md says where the bounds are from."""

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.grades.rerun.messages import RunAgain, RunFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """How far two makings of one run may be apart: ``sent`` and ``total`` as shares of the larger one, beside
    ``total_s`` seconds; ``rounds`` as a share, but at least ``fewest``.
    """

    sent: float
    total: float
    total_s: float = 0.0
    rounds: float = 0.0
    fewest: int = 0


MODEL = Nearness(sent=1e-6, total=1e-6)
"""Of two simulated runs: the model knows no chance but its seed."""
NATIVE = Nearness(sent=0.05, total=0.12, total_s=0.1, rounds=0.25, fewest=1)
"""Of two runs on real hosts."""
ACROSS = Nearness(sent=0.08, total=0.18, total_s=0.1, rounds=0.25, fewest=1)
"""Of one on real hosts and one of the model's."""


def bounds(recorded: RunAgain, again: RunAgain) -> Nearness:
    """By what made the two."""
    simulated = [each.engine == "simulated" for each in (recorded, again)]
    return MODEL if all(simulated) else ACROSS if any(simulated) else NATIVE


def differences(recorded: RunAgain, again: RunAgain) -> list[str]:
    """A phrase for each figure that is too far off; a migration that is not valid on either side says nothing."""
    known, several = {(each.name, each.repeat): each for each in again.migrations}, len(recorded.migrations) > 1
    found = list[str]()
    for each in recorded.migrations:
        other = known.get((each.name, each.repeat))
        if other is None:
            found.append(f"{each.name:.60} is not among its migrations")
        elif each.valid and other.valid:
            said = ", ".join(_different(each, other, bounds(recorded, again)))
            found += [f"{each.name:.60}: {said}" if several else said] if said else []
    return found


def silent(recorded: RunAgain, again: RunAgain) -> str:
    """Why nothing can be held against anything: no migration is valid here. Empty: something can."""
    if not again.migrations or any(each.valid for each in again.migrations):
        return ""
    return f"the run was not valid here: {again.migrations[0].why or recorded.engine}"


def _different(one: RunFigures, other: RunFigures, within: Nearness) -> Iterator[str]:
    if one.outcome != other.outcome:
        yield f"{other.outcome} where '{one.outcome}' was recorded"
        return
    if abs(one.rounds - other.rounds) > max(within.fewest, within.rounds * max(one.rounds, other.rounds)):
        yield f"{other.rounds} rounds where {one.rounds} were recorded"
    if abs(one.sent - other.sent) > within.sent * max(one.sent, other.sent):
        yield f"sent {other.sent:.3f} x RAM where {one.sent:.3f} was recorded"
    if (one.total_s is None) != (other.total_s is None):
        yield f"total {_seconds(other.total_s)} where {_seconds(one.total_s)} was recorded"
    elif one.total_s is not None and other.total_s is not None:
        most = within.total_s + within.total * max(one.total_s, other.total_s)
        if abs(one.total_s - other.total_s) > most:
            yield f"total {_seconds(other.total_s)} where {_seconds(one.total_s)} was recorded"


def _seconds(total: float | None) -> str:
    return "none" if total is None else f"{total:.3f} s" if total < 10 else f"{total:.1f} s"

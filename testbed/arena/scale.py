"""The scale law: a policy that knows no absolute rate or size decides the same when all bytes and rates are 7 times as
large. What it decides is taken from its own matches, and asked for again of the same rounds, larger.

    round    600 MB in 1 s at 600 MB/s, 300 MB dirtied   ──▶   4.2 GB in 1 s at 4.2 GB/s, 2.1 GB dirtied
"""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from testbed.arena.entrants import Entrant, entrant
from testbed.arena.guests import OPEN_KEY, ArenaGuest, drawn, plans
from testbed.arena.match import predicted, side_by_side
from testbed.core.plan import Plan
from testbed.core.rounds import Decision, Round, RoundKind, Throttle
from testbed.core.units import in_bytes_per_second
from testbed.policies.decisions import ask

FACTOR = 7
GUESTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleDifference:
    """Where a policy decided otherwise: after round ``round`` of the guest, in words, and of the larger rounds."""

    guest: int
    round: int
    decided: str
    larger: str


def scale_law(
    policy: str | Path, *, key: str = OPEN_KEY, guests: int = GUESTS, factor: int = FACTOR
) -> list[ScaleDifference]:
    """The first difference with each guest; none for a policy that keeps the law.

    Raises ``PolicyFault`` for one that breaks, ``ScenarioError`` for a name that is none, ``PrerequisiteMissing``.
    """
    who, them = entrant(policy), drawn(key, guests)
    pairs = zip(them, plans(them), strict=True)
    found = side_by_side(who, lambda guest, plan: _difference(who, guest, plan, factor), pairs)
    return [each for each in found if each is not None]


def _difference(who: Entrant, guest: ArenaGuest, plan: Plan, factor: int) -> ScaleDifference | None:
    seen = predicted(who, guest, plan)
    decided = [(done, said) for done, said in seen.rounds if said is not None and done.kind is RoundKind.PRECOPY]
    larger = [_larger(done, factor) for done, _ in decided]
    with who.playing(guest.goal_s) as policy:
        for count, (_, said) in enumerate(decided, 1):
            again = ask(policy, larger[:count], nullcontext)
            if not _same(said, again, factor):
                return ScaleDifference(guest=guest.number, round=count, decided=_words(said), larger=_words(again))
    return None


def _larger(done: Round, factor: int) -> Round:
    return replace(
        done,
        sent_bytes=done.sent_bytes * factor,
        dirtied_bytes=done.dirtied_bytes * factor,
        unsent_bytes=done.unsent_bytes * factor,
    )


def _same(said: Decision, again: Decision, factor: int) -> bool:
    """Whether both do the same; they may give other reasons, which have bytes in them."""
    return said.action is again.action and _throttled(said.throttle, factor) == _throttled(again.throttle, 1)


def _throttled(throttle: Throttle | None, factor: int) -> tuple[str, float, float] | None:
    if throttle is None:
        return None
    return throttle.kind, round(throttle.level, 6), float(f"{(throttle.dirty_rate or 0.0) * factor:.5e}")


def _words(decision: Decision) -> str:
    throttle = decision.throttle
    asked = f", and {throttle.kind}" if throttle else ""
    held = f" at {in_bytes_per_second(throttle.dirty_rate)}" if throttle and throttle.dirty_rate else ""
    level = f" of {throttle.level:.0%}" if throttle and throttle.level else ""
    return f"{decision.action.value}{asked}{level}{held}: {decision.reason}"

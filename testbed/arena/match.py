"""One policy and one guest, in the model: the very algorithm, in virtual time, and what came of it."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from testbed.arena.entrants import Entrant
from testbed.arena.guests import ArenaGuest
from testbed.arena.price import Outcome, Weights, price
from testbed.core.errors import PolicyFault
from testbed.core.plan import Plan
from testbed.model.link import link_goodput
from testbed.model.predict import Forecast, forecast
from testbed.sandbox import CodeFault, code_of

R = TypeVar("R")
AT_ONCE = max(4, 2 * (os.cpu_count() or 1))
"""Sandboxes side by side: half of a start is waiting, so that one for each processor would leave them idle."""
MOST_KNOWN = 256
_KNOWN: dict[tuple[bytes, str], Forecast] = {}
"""Of code that was just asked: the scale law holds what was decided on the board against larger rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What one migration cost: ``guest`` by its number, seconds of the guest's own size, ``reason`` in words."""

    guest: int
    price: float
    completed: bool
    reason: str
    total_time_s: float | None = None
    downtime_s: float | None = None
    lost_s: float = 0.0


def played(entrant: Entrant, guest: ArenaGuest, plan: Plan, weights: Weights) -> Match:
    """One match. Raises ``PolicyFault`` for a policy that broke."""
    seen = predicted(entrant, guest, plan)
    done = _outcome(seen)
    return Match(
        guest=guest.number,
        price=price(weights, done, sending_s=guest.sending_s, goal_s=guest.goal_s),
        completed=seen.outcome == "completed",
        reason=seen.reason,
        total_time_s=done.total_time_s,
        downtime_s=done.downtime_s,
        lost_s=done.lost_s,
    )


def predicted(entrant: Entrant, guest: ArenaGuest, plan: Plan) -> Forecast:
    """What the model says of that migration; of a file's code it is asked once for a guest, and known from then on.
    Raises ``PolicyFault`` for a policy that broke.
    """
    key = _key(entrant, guest, plan)
    if key is None:
        return _foreseen(entrant, guest, plan)
    if key not in _KNOWN:
        seen = _foreseen(entrant, guest, plan)
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = seen
        return seen
    return _KNOWN[key]


def _key(entrant: Entrant, guest: ArenaGuest, plan: Plan) -> tuple[bytes, str] | None:
    """What decides a forecast: the code, and all that it is asked about; None for who is quickly asked again."""
    try:
        return None if entrant.file is None else (code_of(entrant.file), repr((guest, plan)))
    except CodeFault:
        return None


def _foreseen(entrant: Entrant, guest: ArenaGuest, plan: Plan) -> Forecast:
    with entrant.playing(guest.goal_s) as policy:
        seen = forecast(plan, goodput=link_goodput(plan.network.vmotion), policy=policy)
    if seen.fault is not None:
        raise seen.fault
    return seen


def side_by_side(
    entrant: Entrant, how: Callable[[ArenaGuest, Plan], R], each: Iterable[tuple[ArenaGuest, Plan]]
) -> list[R]:
    """What ``how`` says of each. A file's code waits for processes of its own, of which ``AT_ONCE`` go on side by
    side. Raises what the first one raised.
    """
    if entrant.file is None:
        return [how(*one) for one in each]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        try:
            return list(pool.map(lambda one: how(*one), each))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def lost(guest: ArenaGuest, weights: Weights, fault: PolicyFault) -> Match:
    """What it costs to break."""
    return Match(guest=guest.number, price=weights.failed, completed=False, reason=str(fault))


def _outcome(seen: Forecast) -> Outcome:
    completed = seen.outcome == "completed"
    return Outcome(
        total_time_s=seen.total_time_s if completed else None,
        downtime_s=seen.downtime_s,
        lost_s=(seen.slowdown or 0.0) * seen.throttled_s,
    )

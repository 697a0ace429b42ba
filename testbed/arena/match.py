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

R = TypeVar("R")


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
    """What the model says of that migration. Raises ``PolicyFault`` for a policy that broke."""
    with entrant.playing(guest.goal_s) as policy:
        seen = forecast(plan, goodput=link_goodput(plan.network.vmotion), policy=policy)
    if seen.fault is not None:
        raise seen.fault
    return seen


def side_by_side(
    entrant: Entrant, how: Callable[[ArenaGuest, Plan], R], each: Iterable[tuple[ArenaGuest, Plan]]
) -> list[R]:
    """What ``how`` says of each. A file's code waits for processes of its own, of which as many go on as there are
    processors. Raises what the first one raised.
    """
    if entrant.file is None:
        return [how(*one) for one in each]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
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

"""The finals: the best of a board on real hosts, the same guests at a scale that a machine can carry.

    rates / 32      RAM / 256      times / 8      the price is made of ratios, and so has no scale

Each policy is built where it always is, in the source's agent; that of a file in its sandbox there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from testbed.arena.board import Board, Result, Standing, ranked
from testbed.arena.entrants import Entrant
from testbed.arena.guests import ArenaGuest, scenario_of
from testbed.arena.match import Match
from testbed.arena.price import Outcome, Weights, price
from testbed.core.events import Observer
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.experiment.run import run_scenario

SIZE, TIME = 32.0, 8.0
BEST = 3


def finalists(board: Board, entrants: Sequence[Entrant], most: int = BEST) -> list[Entrant]:
    """The best of a board that did not break."""
    by_name = {each.name: each for each in entrants}
    return [by_name[each.name] for each in board.standings if not each.fault][:most]


def finals(
    entrants: Sequence[Entrant],
    guests: Sequence[ArenaGuest],
    weights: Weights,
    *,
    repeat: int,
    folder: Path,
    observer: Observer = lambda _event: None,
    say: Callable[[str], None] = lambda _line: None,
) -> tuple[Standing, ...]:
    """Runs them natively into a run folder: each policy with each guest, ``repeat`` times. A match is a migration.

    Raises ``PrerequisiteMissing`` without root, ``MachineBusy``, and whatever ends a run.
    """
    scenario = scenario_of(guests, size=SIZE, time=TIME)
    asked = list(zip(guests, scenario.plans(), strict=True))
    matches: list[tuple[Entrant, ArenaGuest, Plan]] = [
        (who, guest, _plan(who, place, guest, plan, count))
        for count in range(1, repeat + 1)
        for guest, plan in asked
        for place, who in enumerate(entrants, 1)
    ]
    plans = [plan for _, _, plan in matches]
    summary = run_scenario(scenario, out=folder, plans=plans, observer=observer, say=say)
    records = {done.key: done for done in summary.migrations}
    return ranked(
        [
            Result(
                name=who.name,
                own=who.file is not None,
                matches=tuple(
                    _match(records[plan.key], guest, plan, weights) for whose, guest, plan in matches if whose is who
                ),
            )
            for who in entrants
        ]
    )


def _plan(who: Entrant, place: int, guest: ArenaGuest, plan: Plan, count: int) -> Plan:
    policy = who.spec(guest.goal_s / TIME)
    named = f"guest-{guest.number} {place}-{Path(who.name).stem:.40}"
    return replace(plan.repeated(count), name=named, migration=replace(plan.migration, policy=policy))


def _match(record: MigrationRecord, guest: ArenaGuest, plan: Plan, weights: Weights) -> Match:
    """What a migration cost, of the link as it was measured."""
    link = record.link.available or record.link.goodput or plan.network.vmotion.goodput or 0.0
    slowed = record.throttle.guest_slowdown if record.throttle else None
    total = record.total_time_s if record.outcome == "completed" else None
    done = Outcome(total_time_s=total, downtime_s=record.downtime_s, lost_s=(slowed or 0.0) * (total or 0.0))
    reasons = "; ".join(record.invalid_reasons)
    return Match(
        guest=guest.number,
        price=price(
            weights, done, sending_s=plan.guest.ram_bytes * 8 / link if link else 1.0, goal_s=guest.goal_s / TIME
        ),
        completed=record.outcome == "completed",
        reason=reasons if record.outcome == "completed" and reasons else record.reason,
        total_time_s=done.total_time_s,
        downtime_s=done.downtime_s,
        lost_s=done.lost_s,
    )

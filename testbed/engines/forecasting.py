"""What the model says of a migration before it starts, from the link as it was just measured."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from testbed.core.errors import PolicyFault, ScenarioError
from testbed.core.plan import Plan
from testbed.core.records import switchover
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import PredictionRecord
from testbed.linux.processes.time_limit import deciding
from testbed.model.chance import Scatter
from testbed.model.interval import predict_with_chance
from testbed.model.link import link_goodput
from testbed.model.predict import forecast
from testbed.model.services import connections
from testbed.model.source import Costs

GIB = 1 << 30
SCATTER = Scatter(goodput=0.0005, round_s=0.0003, switchover=0.3, slips=0.1, stalls=0.1, stall_s=0.005)
"""As seen on two shared cores: a stall is a processor that somebody else had."""
AROUND_S = 4.0
"""Seconds of a migration for hosts, guests, the proof of link and memory: as seen, for an outlook only."""


def foresee(plan: Plan, link: LinkRecord) -> PredictionRecord | None:
    """None for what has no model: a workload of the user's own, a link whose goodput is not known; nor for a policy
    that breaks, which the migration will tell.
    """
    if not link.goodput:
        return None
    try:
        return predict_with_chance(
            plan,
            goodput=link.goodput / 8,
            rtt_s=link.rtt_s or 0.0,
            costs=costs(plan),
            scatter=SCATTER,
            limit=deciding,
        )
    except (ScenarioError, PolicyFault):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A migration by the model, from the link as it is asked for: seconds from asked to released, or to its end where
    it does not complete, and then why it does not; ``whole_s``: with all that belongs to it. None and empty for what
    has no model. ``others_s``: how long all after it will take, whole; None where one of them has no model.
    """

    total_s: float | None = None
    whole_s: float | None = None
    why_not: str = ""
    others_s: float | None = None


UNKNOWN = Expected()


def expected(plan: Plan) -> Expected:
    """The migration by itself."""
    try:
        goodput, rtt_s = link_goodput(plan.network.vmotion), 2 * plan.network.vmotion.delay_s
        seen = forecast(plan, goodput=goodput, rtt_s=rtt_s, costs=costs(plan), limit=deciding)
    except ScenarioError:
        return UNKNOWN
    if seen.fault:
        return UNKNOWN
    return Expected(
        total_s=seen.total_time_s,
        whole_s=seen.total_time_s + plan.warmup_s + plan.cooldown_s + AROUND_S,
        why_not="" if seen.outcome == "completed" else seen.reason,
    )


def outlook(plans: Sequence[Plan]) -> Iterator[Expected]:
    """Each of them, and what comes after it."""
    each = [expected(plan) for plan in plans]
    for index, seen in enumerate(each):
        others = [other.whole_s for other in each[index + 1 :] if other.whole_s is not None]
        yield replace(seen, others_s=sum(others) if len(others) == len(plans) - index - 1 else None)


def costs(plan: Plan) -> Costs:
    """Seconds that no byte explains, as seen on two cores at 3 GHz (the downtime: ``core.records.switchover``).

    What grows with memory: protecting all of it (15 ms a GiB, and a scan), and each scan of it (0.5 ms a GiB).
    """
    size = plan.guest.ram_bytes / GIB
    return Costs(
        setup_s=0.004 + 0.016 * size,
        round_s=switchover.ROUND_S,
        scan_s=0.00015 + 0.0005 * size,
        pause_s=switchover.PAUSE_S,
        last_scan_s=0.0002 + 0.0007 * size,
        prepare_s=switchover.PREPARE_S + moving_s(plan),
        commit_s=switchover.COMMIT_S,
        resume_s=switchover.RESUME_S,
        release_s=0.0005,
        protect_s=0.06 * size,
        protect_page_s=1e-6,
        run_bytes=16,  # an extent in a table of pages (wire.messages)
    )


def moving_s(plan: Plan) -> float:
    """Seconds for the connections that move with the guest."""
    moving = connections(plan.guest.services) if plan.migration.connections == "move" else 0
    return switchover.CONNECTION_S * moving

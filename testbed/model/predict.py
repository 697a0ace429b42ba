"""Before a run: the very algorithm and the very policy that it will use, in virtual time on a fluid guest."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

from testbed.core.errors import InDoubt, MigrationAborted, PolicyFault, ScenarioError
from testbed.core.plan import Plan
from testbed.core.records.migration import Outcome, PredictionRecord
from testbed.core.rounds import Decision, Round
from testbed.migration.precopy import Observer, Source, migrate
from testbed.model.chance import Draw, ScatteredGuest, ScatteredSource
from testbed.model.guest import FluidGuest
from testbed.model.link import available, link_goodput, streams
from testbed.model.source import Costs, FluidSource, OutOfTime
from testbed.model.streams import Streams
from testbed.policies import build
from testbed.policies.decisions import Limit
from testbed.policies.policy import Policy


@dataclass(slots=True, kw_only=True)
class Forecast:
    """A migration that was computed. Times in virtual seconds; ``downtime_s`` only when it completed.

    ``slowdown``: the share of its operations that the guest lost while it was throttled (``throttled_s`` seconds); None
    where it never was.
    ``fault``: what the policy did wrong, which ended it.
    """

    outcome: Outcome
    reason: str
    total_time_s: float
    downtime_s: float | None
    phases: dict[str, float]
    rounds: list[tuple[Round, Decision | None]]
    slowdown: float | None
    throttled_s: float
    fault: PolicyFault | None = None

    @property
    def bytes_sent(self) -> int:
        """Page bytes over all rounds."""
        return sum(done.sent_bytes for done, _ in self.rounds)


def forecast(  # noqa: PLR0913 - what a migration is computed from
    plan: Plan,
    *,
    goodput: float,
    rtt_s: float = 0.0,
    costs: Costs | None = None,
    observe: Observer | None = None,
    draw: Draw | None = None,
    limit: Limit = nullcontext,
    policy: Policy | None = None,
    around: Callable[[FluidSource], Source] | None = None,
) -> Forecast:
    """The migration of ``plan`` over a link of ``goodput`` bytes per second of TCP payload, of which it gets what the
    plan's cross traffic and caps on streams leave: as it goes on average, or, with a ``draw``, as it may go.
    ``policy``: the plan's, where it is made already. Raises ``ScenarioError`` for a workload without a model, a policy
    that cannot be, or a link of which nothing is left.

    ``around`` makes what the algorithm is given in the source's place.
    """
    costs, rounds = costs or Costs(), list[tuple[Round, Decision | None]]()
    guest = _warm_guest(plan, draw)
    source = _source(plan, guest, streams(plan, goodput, rtt_s), costs, draw)

    def keep(done: Round, decision: Decision | None) -> None:
        rounds.append((done, decision))
        if observe:
            observe(done, decision)

    outcome, reason, fault = _outcome(around(source) if around else source, plan, policy, keep, limit)
    completed = outcome == "completed"
    throttled = [done for done, _ in rounds if done.throttle > 0]
    throttled_s = sum(done.duration_s for done in throttled)
    return Forecast(
        outcome=outcome,
        reason=reason,
        total_time_s=source.clock + (costs.release_s if completed else 0.0),
        downtime_s=sum(source.phases.values()) if completed else None,
        phases=source.phases if completed else {},
        rounds=rounds,
        slowdown=sum(done.throttle * done.duration_s for done in throttled) / throttled_s if throttled else None,
        throttled_s=throttled_s,
        fault=fault,
    )


def _warm_guest(plan: Plan, draw: Draw | None) -> FluidGuest:
    """As far into its phases as the warm-up takes it, and clean."""
    asked = (plan.guest.workload, plan.guest.ram_bytes, plan.guest.services)
    guest = FluidGuest(*asked) if draw is None else ScatteredGuest(*asked, draw)
    guest.run(plan.warmup_s)
    guest.take_all()
    guest.operations = guest.wanted = 0.0
    return guest


def _source(plan: Plan, guest: FluidGuest, carried: Streams, costs: Costs, draw: Draw | None) -> FluidSource:
    if not 0 < carried.rate < float("inf"):
        raise ScenarioError("a prediction needs a goodput above 0: give the vMotion link a rate, or less cross traffic")
    ram, timeout = plan.guest.ram_bytes, plan.migration.timeout_s
    scattered = plan.guest.workload["name"] not in ("sequential", "idle")
    make = FluidSource if draw is None else partial(ScatteredSource, draw)
    return make(guest, ram_bytes=ram, streams=carried, costs=costs, timeout_s=timeout, scattered=scattered)


def _outcome(
    source: Source, plan: Plan, policy: Policy | None, keep: Observer, limit: Limit
) -> tuple[Outcome, str, PolicyFault | None]:
    try:
        migrate(source, policy or build(plan.migration.policy), keep, limit)
    except OutOfTime as end:
        return "cancelled", str(end), None
    except MigrationAborted as end:
        return "aborted", str(end), end if isinstance(end, PolicyFault) else None
    except InDoubt as doubt:
        return "failed", str(doubt), None
    return "completed", "the guest runs at the destination", None


def predict(
    plan: Plan,
    *,
    goodput: float,
    rtt_s: float = 0.0,
    costs: Costs | None = None,
    draw: Draw | None = None,
    limit: Limit = nullcontext,
) -> PredictionRecord:
    """What a run is held against: as ``forecast``, in four figures and how it ends (``model.interval`` has the
    intervals). Raises ``PolicyFault`` too.
    """
    seen = forecast(plan, goodput=goodput, rtt_s=rtt_s, costs=costs, draw=draw, limit=limit)
    if seen.fault:
        raise seen.fault
    return PredictionRecord(
        total_time_s=seen.total_time_s,
        downtime_s=seen.downtime_s,
        bytes_sent=seen.bytes_sent,
        rounds=len(seen.rounds),
        outcome=seen.outcome,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field of the feasibility table: rate in bit/s, goal in seconds; None: never, whatever time it is given."""

    rate: float
    downtime_goal: float
    total_time_s: float | None
    downtime_s: float | None


def feasibility(plan: Plan, rates: Sequence[float], goals: Sequence[float], limit: Limit = nullcontext) -> list[Cell]:
    """The plan at each link rate (bit/s, as ``LinkPlan.rate``) with each downtime goal, rates first.

    A rate that cross traffic takes all of is never enough. Raises ``ScenarioError`` when its policy has no
    ``downtime_goal``.
    """
    return [_cell(plan, rate, goal, limit) for rate in rates for goal in goals]


def _cell(plan: Plan, rate: float, goal: float, limit: Limit) -> Cell:
    link = replace(plan.network.vmotion, rate=rate, goodput=None)
    policy = {**plan.migration.policy, "downtime_goal": goal}
    migration = replace(plan.migration, policy=policy, timeout_s=float("inf"))
    goodput, seen = link_goodput(link), None
    if available(plan, goodput) > 0:
        seen = forecast(replace(plan, migration=migration), goodput=goodput, rtt_s=2 * link.delay_s, limit=limit)
    done = seen if seen and seen.outcome == "completed" else None
    return Cell(
        rate=rate,
        downtime_goal=goal,
        total_time_s=done.total_time_s if done else None,
        downtime_s=done.downtime_s if done else None,
    )

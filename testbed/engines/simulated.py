"""The model as an engine: the same plan, algorithm, policy and record, in virtual time, without root or hosts.

With ``chance: true`` each repeat has what chance its guest has, by its own seed, and none of a machine's.
What a model does not know stays None in the record: no packets, no processes, no memory to compare. Of what a
switchover costs, only the connections that move with the guest are known here. Events carry virtual times that begin at
the moment of the call.
"""

from time import monotonic
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from testbed.core.errors import PolicyFault
from testbed.core.events import Observer, PhaseChanged, RoundFinished
from testbed.core.plan import Plan
from testbed.core.records.link import CrossTrafficRecord, LinkRecord
from testbed.core.records.migration import GuestRecord, MigrationRecord, ThrottleRecord
from testbed.core.rounds import Action, Decision, Round
from testbed.engines import register
from testbed.engines.forecasting import moving_s
from testbed.findings.ended import Ended, unplanned
from testbed.findings.record import decided
from testbed.linux.processes.time_limit import deciding
from testbed.model.chance import Draw, Scatter
from testbed.model.full_scale import full_scale
from testbed.model.link import available, link_goodput
from testbed.model.predict import Forecast, forecast
from testbed.model.source import Costs
from testbed.policies.decisions import early_look
from testbed.policies.policy import Policy
from testbed.rig.context import RunContext
from testbed.sandbox import built as policy_built

if TYPE_CHECKING:
    from testbed.engines.unplugged import Unplugged


@register("simulated")
class SimulatedEngine:
    """Implements ``testbed.engines.Engine`` on nothing at all."""

    needs_machine: ClassVar[bool] = False

    def check(self, plan: Plan) -> None:
        """Raises ``ScenarioError`` for what has no model: an unshaped link, a mended link."""
        link_goodput(plan.network.vmotion)
        if plan.faults:
            _breaking(plan)

    def migrate(self, plan: Plan, context: RunContext) -> MigrationRecord:
        """Raises ``ScenarioError`` as ``check``, and for an unknown workload."""
        return _run(plan, context.observer)[0]


def run(plan: Plan, observer: Observer = lambda _event: None) -> MigrationRecord:
    """One migration. Raises ``ScenarioError`` for what has no model, and ``PolicyFault``."""
    record, fault = _run(plan, observer)
    if fault:
        raise fault
    return record


def _run(plan: Plan, observer: Observer) -> tuple[MigrationRecord, PolicyFault | None]:
    """One migration, and what broke its policy."""
    breaking = _breaking(plan) if plan.faults else None
    goodput, rtt = link_goodput(plan.network.vmotion), 2 * plan.network.vmotion.delay_s
    begun = monotonic()

    def observe(round: Round, decision: Decision | None) -> None:
        at = begun + round.started_s + round.duration_s
        observer(RoundFinished(at=at, migration=plan.key, round=round, decision=decision))
        if decision and decision.action is Action.SWITCH_OVER:
            observer(PhaseChanged(at=at, migration=plan.key, phase="switchover"))

    observer(PhaseChanged(at=begun, migration=plan.key, phase="precopy"))
    costs = Costs(prepare_s=moving_s(plan))
    with policy_built(plan.migration.policy) as policy:
        seen = forecast(
            plan,
            goodput=goodput,
            rtt_s=rtt,
            costs=costs,
            observe=observe,
            draw=_luck(plan, policy) if plan.chance else None,
            limit=deciding,
            policy=policy,
            around=breaking.around if breaking else None,
        )
    if breaking:
        ended = breaking.ended(seen, begun, observer)
    else:
        ended = Ended(outcome=seen.outcome, reason=seen.reason, rounds=tuple(seen.rounds))
    return _record(plan, goodput, rtt, seen, ended), seen.fault


def _luck(plan: Plan, policy: Policy) -> Draw:
    """The guest's own, by the seed of this repeat; a machine, which would have more of it, is none here."""
    return Draw(np.random.default_rng(plan.seed), Scatter(), early_look(policy) is None)


def _breaking(plan: Plan) -> "Unplugged":
    """What few migrations need is loaded for those alone. Raises ``ScenarioError`` for a fault that no model has."""
    from testbed.engines.unplugged import Unplugged

    return Unplugged(plan)


def _record(plan: Plan, goodput: float, rtt: float, prediction: Forecast, ended: Ended) -> MigrationRecord:
    """As any migration's end has it, and what a model knows beside that."""
    record = decided(plan, _link(plan, goodput, rtt), ended)
    record.vm.achieved_write_rate = record.vm.write_rate
    record.total_time_s = prediction.total_time_s if prediction.outcome == "completed" else None
    record.downtime_s = record.guest_gap_s = prediction.downtime_s
    record.downtime_phases_s = prediction.phases
    record.throttle = ThrottleRecord(
        policy=plan.migration.policy["name"],
        active_s=prediction.throttled_s,
        peak=max((round.throttle for round, _ in prediction.rounds), default=0.0),
        guest_slowdown=prediction.slowdown,
    )
    record.guest, record.cross_traffic = GuestRecord(lost=0, errors=0), _cross_traffic(plan, goodput)
    record.invalid_reasons = list(unplanned(plan, record, prediction.rounds))
    record.valid = not record.invalid_reasons
    record.full_scale = full_scale(record)
    return record


def _cross_traffic(plan: Plan, goodput: float) -> CrossTrafficRecord | None:
    """What yields gets what the migration leaves to it."""
    cross = plan.network.cross_traffic
    if cross is None:
        return None
    rate = cross.rate / 8
    achieved = min(rate, goodput - available(plan, goodput)) if cross.elastic else rate
    return CrossTrafficRecord(protocol=cross.protocol, rate=rate, achieved_rate=achieved)


def _link(plan: Plan, goodput: float, rtt: float) -> LinkRecord:
    """What the rate implies, taken as true: there is nothing here that could fall short of it."""
    link = plan.network.vmotion
    return LinkRecord(
        rate=link.rate,
        goodput=goodput * 8,
        expected_goodput=goodput * 8,
        rtt_s=rtt,
        drops=None,
        mtu=link.mtu,
        verified=True,
        available=available(plan, goodput) * 8,
    )

"""The model as an engine: the same plan, algorithm, policy and record, in virtual time, without root or hosts.

What a model does not know stays None in the record: no packets, no processes, no memory to compare. Of what a
switchover costs, only the connections that move with the guest are known here. Events carry virtual times that begin at
the moment of the call.
"""

from time import monotonic
from typing import ClassVar

from testbed.core.errors import PolicyFault
from testbed.core.events import Observer, PhaseChanged, RoundFinished
from testbed.core.expectation import unmet
from testbed.core.plan import Plan
from testbed.core.records.migration import (
    CrossTrafficRecord,
    GuestRecord,
    LinkRecord,
    MigrationRecord,
    ThrottleRecord,
    VmRecord,
)
from testbed.core.records.rounds import record_round
from testbed.core.rounds import Action, Decision, Round
from testbed.engines import register
from testbed.engines.forecasting import moving_s
from testbed.linux.processes.time_limit import deciding
from testbed.model.full_scale import full_scale
from testbed.model.link import available, link_goodput
from testbed.model.predict import Forecast, forecast
from testbed.model.source import Costs
from testbed.rig.context import RunContext


@register("simulated")
class SimulatedEngine:
    """Implements ``testbed.engines.Engine`` on nothing at all."""

    needs_machine: ClassVar[bool] = False

    def migrate(self, plan: Plan, context: RunContext) -> MigrationRecord:
        """Raises ``ScenarioError`` for what has no model: an unshaped link, an unknown workload."""
        return _run(plan, context.observer)[0]


def run(plan: Plan, observer: Observer = lambda _event: None) -> MigrationRecord:
    """One migration. Raises ``ScenarioError`` for what has no model, and ``PolicyFault``."""
    record, fault = _run(plan, observer)
    if fault:
        raise fault
    return record


def _run(plan: Plan, observer: Observer) -> tuple[MigrationRecord, PolicyFault | None]:
    """One migration, and what broke its policy."""
    goodput, rtt = link_goodput(plan.network.vmotion), 2 * plan.network.vmotion.delay_s
    begun = monotonic()

    def observe(round: Round, decision: Decision | None) -> None:
        at = begun + round.started_s + round.duration_s
        observer(RoundFinished(at=at, migration=plan.key, round=round, decision=decision))
        if decision and decision.action is Action.SWITCH_OVER:
            observer(PhaseChanged(at=at, migration=plan.key, phase="switchover"))

    observer(PhaseChanged(at=begun, migration=plan.key, phase="precopy"))
    costs = Costs(prepare_s=moving_s(plan))
    prediction = forecast(plan, goodput=goodput, rtt_s=rtt, costs=costs, observe=observe, limit=deciding)
    record = _record(plan, goodput, rtt, prediction)
    record.full_scale = full_scale(record)
    return record, prediction.fault


def _record(plan: Plan, goodput: float, rtt: float, prediction: Forecast) -> MigrationRecord:
    completed = prediction.outcome == "completed"
    last = prediction.rounds[-1][1] if prediction.rounds else None
    fault = unmet(plan.expect, prediction.outcome, prediction.reason, last)
    return MigrationRecord(
        name=plan.name,
        settings=plan.settings,
        repeat=plan.repeat,
        scale={"size": plan.scale.size, "time": plan.scale.time},
        outcome=prediction.outcome,
        reason=prediction.reason,
        vm=_vm(plan),
        link=_link(plan, goodput, rtt),
        total_time_s=prediction.total_time_s if completed else None,
        downtime_s=prediction.downtime_s,
        guest_gap_s=prediction.downtime_s,
        downtime_phases_s=prediction.phases,
        bytes_sent=prediction.bytes_sent,
        rounds=[record_round(round, decision, available(plan, goodput)) for round, decision in prediction.rounds],
        throttle=ThrottleRecord(
            policy=plan.migration.policy["name"],
            active_s=prediction.throttled_s,
            peak=max((round.throttle for round, _ in prediction.rounds), default=0.0),
            guest_slowdown=prediction.slowdown,
        ),
        guest=GuestRecord(lost=0, errors=0),
        cross_traffic=_cross_traffic(plan),
        valid=fault is None,
        invalid_reasons=[fault] if fault else [],
    )


def _cross_traffic(plan: Plan) -> CrossTrafficRecord | None:
    cross = plan.network.cross_traffic
    if cross is None:
        return None
    return CrossTrafficRecord(protocol=cross.protocol, rate=cross.rate / 8, achieved_rate=cross.rate / 8)


def _vm(plan: Plan) -> VmRecord:
    workload = plan.guest.workload
    return VmRecord(
        ram_bytes=plan.guest.ram_bytes,
        workload=workload["name"],
        working_set_bytes=workload.get("working_set"),
        write_rate=workload.get("write_rate"),
        achieved_write_rate=workload.get("write_rate"),
        name=plan.guest.name,
    )


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

"""A migration's record: as soon as its end is decided, and once all that can be known of it is."""

from collections.abc import Sequence

from testbed.core.agents.told import StreamFacts
from testbed.core.plan import Plan
from testbed.core.records.link import LinkRecord, StreamRecord
from testbed.core.records.migration import MigrationRecord, PredictionRecord, VmRecord
from testbed.core.records.rounds import record_round
from testbed.findings import figures
from testbed.findings.ended import Ended
from testbed.findings.evidence import Evidence
from testbed.findings.identity import connections, identity, probed_blackout
from testbed.findings.reasons import reasons
from testbed.findings.services import service_record
from testbed.model.full_scale import full_scale

UNCHECKED = "the run ended before this migration was checked: memory, accounts and samples are not known"


def decided(
    plan: Plan,
    link: LinkRecord,
    ended: Ended,
    *,
    tracker: str | None = None,
    tracker_reason: str | None = None,
    predicted: PredictionRecord | None = None,
) -> MigrationRecord:
    """The record as soon as the end is decided: outcome, reason, who runs, and what the agents said. What is found out
    later is added to it, or is missing, and never changes these.
    """
    record = MigrationRecord(
        name=plan.name,
        settings=plan.settings,
        repeat=plan.repeat,
        scale={"size": plan.scale.size, "time": plan.scale.time},
        outcome=ended.outcome,
        reason=ended.reason,
        interrupted=ended.interrupted,
        runs_at=ended.runs_at,
        own_code=plan.own_code,
        vm=_vm(plan),
        link=link,
        tracker=tracker,
        tracker_reason=tracker_reason,
        predicted=predicted,
        controls=list(ended.controls),
        faults=list(ended.faults),
        invalid_reasons=[UNCHECKED],
    )
    _add_times(record, ended)
    _add_bytes(record, ended)
    record.full_scale = full_scale(record)
    return record


def judged(evidence: Evidence) -> MigrationRecord:
    """The record of all that is known, and whether it may be believed."""
    record = decided(
        evidence.plan,
        evidence.link,
        evidence.ended,
        tracker=evidence.tracker,
        tracker_reason=evidence.tracker_reason,
        predicted=evidence.predicted,
    )
    pace = figures.pace(evidence)
    _add_measured(record, evidence, pace)
    _add_applications(record, evidence)
    record.invalid_reasons = [*reasons(record, evidence, pace), *evidence.faults]
    record.valid = not record.invalid_reasons
    return record


def _vm(plan: Plan) -> VmRecord:
    workload = plan.guest.workload
    return VmRecord(
        ram_bytes=plan.guest.ram_bytes,
        workload=workload["name"],
        working_set_bytes=workload.get("working_set"),
        write_rate=workload.get("write_rate"),
        name=plan.guest.name,
    )


def _add_times(record: MigrationRecord, ended: Ended) -> None:
    """A migration that did not complete has no total time."""
    if ended.outcome == "completed" and ended.facts:
        record.total_time_s = ended.facts.released - ended.facts.asked
    record.downtime_s, record.downtime_phases_s = ended.stamps.downtime(), ended.stamps.phases()


def _add_bytes(record: MigrationRecord, ended: Ended) -> None:
    """What was sent, round by round and stream by stream."""
    streams = ended.facts.streams if ended.facts else ()
    goodput = (record.link.available or 0.0) / 8
    record.rounds = [record_round(round, decision, goodput) for round, decision in ended.rounds]
    record.bytes_sent = sum(round.sent_bytes for round, _ in ended.rounds)
    record.streams = _streams(streams)
    record.retransmits = sum(stream.retransmits for stream in streams) if streams else None


def _streams(streams: Sequence[StreamFacts]) -> list[StreamRecord]:
    return [
        StreamRecord(
            index=index,
            page_bytes=stream.page_bytes,
            socket_bytes=stream.page_bytes + stream.framing_bytes,
            retransmits=stream.retransmits,
            congestion=stream.congestion,
        )
        for index, stream in enumerate(streams)
    ]


def _add_measured(record: MigrationRecord, evidence: Evidence, pace: float | None) -> None:
    """What counters, clocks and logs have of it."""
    rate = record.vm.write_rate
    record.vm.achieved_write_rate = None if rate is None or pace is None else rate * pace
    record.guest_gap_s, record.guest_gap_begin_s = figures.guest_gap(evidence)
    record.wire_bytes, record.memory_overhead_bytes = evidence.marks.link.sent_bytes, evidence.memory_overhead
    record.cpu, record.throttle = figures.cpu(evidence), figures.throttle(evidence)
    record.memory, record.accounting = evidence.memory, figures.accounts(evidence)
    record.guest, record.cross_traffic = figures.guest(evidence), figures.cross_traffic(evidence)
    record.full_scale = full_scale(record)  # what TCP beside it got is known only now
    record.capture = evidence.capture


def _add_applications(record: MigrationRecord, evidence: Evidence) -> None:
    """What the network and the services have of it; nothing of a guest without a network."""
    if evidence.network is None:
        return
    record.client_blackout_s, record.blackout = probed_blackout(evidence.network, evidence.ended)
    announce = evidence.plan.migration.announce
    record.identity = identity(evidence.network, evidence.ended, announce=announce)
    record.connections = connections(evidence.network, evidence.ended)
    record.services = [service_record(facts, evidence.ended, evidence.marks) for facts in evidence.services]

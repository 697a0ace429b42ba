"""From everything that was seen of a migration to its record."""

from collections.abc import Sequence

from guest_agent.config import GuestConfig
from guest_agent.memory.program import Program
from testbed.core.agents.told import StreamFacts, ThrottleFacts
from testbed.core.plan import Plan
from testbed.core.records.migration import (
    AccountingRecord,
    CpuRecord,
    CrossTrafficRecord,
    GuestRecord,
    LinkRecord,
    MigrationRecord,
    PredictionRecord,
    StreamRecord,
    ThrottleRecord,
    VmRecord,
)
from testbed.core.records.rounds import record_round
from testbed.core.rounds import RoundKind
from testbed.findings.accounting import account
from testbed.findings.ended import Ended
from testbed.findings.evidence import Evidence
from testbed.findings.judging import reasons
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
    facts, workload = ended.facts, plan.guest.workload
    streams = facts.streams if facts else ()
    made = MigrationRecord(
        name=plan.name,
        settings=plan.settings,
        repeat=plan.repeat,
        scale={"size": plan.scale.size, "time": plan.scale.time},
        outcome=ended.outcome,
        reason=ended.reason,
        interrupted=ended.interrupted,
        runs_at=ended.runs_at,
        vm=VmRecord(
            ram_bytes=plan.guest.ram_bytes,
            workload=workload["name"],
            working_set_bytes=workload.get("working_set"),
            write_rate=workload.get("write_rate"),
            name=plan.guest.name,
        ),
        link=link,
        tracker=tracker,
        tracker_reason=tracker_reason,
        total_time_s=facts.released - facts.asked if ended.outcome == "completed" and facts else None,
        downtime_s=ended.stamps.downtime(),
        downtime_phases_s=ended.stamps.phases(),
        bytes_sent=sum(done.sent_bytes for done, _ in ended.rounds),
        retransmits=sum(stream.retransmits for stream in streams) if streams else None,
        streams=_streams(streams),
        rounds=[record_round(done, decision, (link.available or 0.0) / 8) for done, decision in ended.rounds],
        predicted=predicted,
        controls=list(ended.controls),
        invalid_reasons=[UNCHECKED],
    )
    made.full_scale = full_scale(made)
    return made


def record(seen: Evidence) -> MigrationRecord:
    """The record, judged."""
    made = decided(
        seen.plan,
        seen.link,
        seen.ended,
        tracker=seen.tracker,
        tracker_reason=seen.tracker_reason,
        predicted=seen.predicted,
    )
    pace, rate = paced(seen), made.vm.write_rate
    made.vm.achieved_write_rate = None if rate is None or pace is None else rate * pace
    made.guest_gap_s, made.guest_gap_begin_s = _guest_gap(seen), _guest_gap_begin(seen)
    made.wire_bytes, made.cpu, made.memory_overhead_bytes = _wire_bytes(seen), _cpu(seen), seen.memory_overhead
    made.throttle, made.memory, made.accounting = _throttle(seen), seen.memory, _accounting(seen)
    made.guest, made.cross_traffic, made.capture = _guest(seen), _cross_traffic(seen), seen.capture
    made.client_blackout_s, made.blackout = seen.applied.blackout_s, seen.applied.blackout
    made.identity, made.connections = seen.applied.identity, seen.applied.connections
    made.services = seen.applied.services
    made.full_scale = full_scale(made)
    made.invalid_reasons = [*reasons(made, seen, pace), *seen.faults]
    made.valid = not made.invalid_reasons
    return made


def paced(seen: Evidence) -> float | None:
    """The guest's pace before the migration as a share of what was asked; None when its log does not say."""
    log = seen.log
    inside = (log.times >= seen.marks["running"].at) & (log.times <= seen.marks["migrate"].at)
    times, operations = log.times[inside], log.operations[inside]
    if len(times) < 2:
        return None
    program = Program(GuestConfig(ram_bytes=seen.plan.guest.ram_bytes, workload=seen.plan.guest.workload))
    operation, last, due_s = int(operations[0]), int(operations[-1]), 0.0
    while operation < last:
        rate, changes = program.pace(operation)
        until = last if changes is None else min(changes, last)
        due_s += (until - operation) / rate
        operation = until
    return due_s / float(times[-1] - times[0])


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


def _wire_bytes(seen: Evidence) -> int:
    return (seen.marks["ended"].link - seen.marks["migrate"].link).sent_bytes


def _cpu(seen: Evidence) -> CpuRecord:
    return CpuRecord(
        source_s=seen.ended.facts.cpu_s if seen.ended.facts else None,
        destination_s=seen.ended.destination.cpu_s if seen.ended.destination else None,
        guest_s=seen.marks["ended"].guest_cpu_s - seen.marks["migrate"].guest_cpu_s,
        sampler_s=seen.sampler.cpu_s,
        sampler_share=seen.sampler.cpu_share,
        probe_share=seen.applied.probe_share,
    )


def _throttle(seen: Evidence) -> ThrottleRecord:
    """How long the guest was throttled, how far at most, and what it lost by it, in its own count of operations."""
    throttled = [done for done, _ in seen.ended.rounds if done.throttle > 0]
    facts = seen.ended.facts
    throttle = facts.throttle if facts else ThrottleFacts()
    found = ThrottleRecord(
        policy=seen.plan.migration.policy["name"],
        mechanism=throttle.mechanism,
        active_s=sum(done.duration_s for done in throttled),
        peak=max((done.throttle for done in throttled), default=0.0),
        install_s=throttle.install_s,
    )
    if throttled:
        asked = facts.asked if facts else seen.marks["migrate"].at
        begin, end = throttled[0].started_s, throttled[-1].started_s + throttled[-1].duration_s
        before = seen.log.rate(seen.marks["running"].at, seen.marks["migrate"].at)
        during = seen.log.rate(asked + begin, asked + end)
        found.guest_slowdown = 1 - during / before if before and during is not None else None
        found.dirty_rate = sum(done.newly_dirtied_bytes for done in throttled) / found.active_s
    return found


def _accounting(seen: Evidence) -> AccountingRecord | None:
    """None unless it completed: a stream that was cut has bytes under way that nobody can account for."""
    facts = seen.ended.facts
    if seen.ended.outcome != "completed" or not facts:
        return None
    streams = facts.streams
    return account(
        rounds_bytes=sum(done.sent_bytes for done, _ in seen.ended.rounds),
        page_bytes=sum(stream.page_bytes for stream in streams),
        framing_bytes=sum(stream.framing_bytes for stream in streams),
        channel_bytes=facts.channel_bytes,
        link=seen.marks["ended"].link - seen.marks["migrate"].link,
        retransmitted_bytes=sum(stream.retransmits * stream.mss for stream in streams),
        cross=seen.crossing.counted(*_window(seen)) if seen.crossing else (0, 0),
    )


def _cross_traffic(seen: Evidence) -> CrossTrafficRecord | None:
    asked = seen.plan.network.cross_traffic
    if asked is None or seen.crossing is None:
        return None
    return CrossTrafficRecord(
        protocol=asked.protocol, rate=asked.rate / 8, achieved_rate=seen.crossing.rate(*_window(seen))
    )


def _window(seen: Evidence) -> tuple[float, float]:
    """The migration's time, as the link was counted."""
    return seen.marks["migrate"].at, seen.marks["ended"].at


def _guest_gap(seen: Evidence) -> float | None:
    stamps = seen.ended.stamps
    if stamps.asked is None or stamps.first_step is None:
        return None
    return seen.log.gap_around(stamps.asked, stamps.first_step)


def _guest_gap_begin(seen: Evidence) -> float | None:
    """On the axis of the downtime: seconds after the pause was asked for."""
    stamps = seen.ended.stamps
    if stamps.asked is None or stamps.first_step is None:
        return None
    begin = seen.log.gap_begin_around(stamps.asked, stamps.first_step)
    return None if begin is None else begin - stamps.asked


def _guest(seen: Evidence) -> GuestRecord:
    marks, stamps = seen.marks, seen.ended.stamps
    stunned = stamps.asked or marks["ended"].at
    back = stamps.first_step or marks["ended"].at
    precopy_from = next((done.started_s for done, _ in seen.ended.rounds if done.kind is RoundKind.PRECOPY), 0.0)
    return GuestRecord(
        operations=marks["cooled"].operations,
        lost=0 if seen.memory.match else None,
        errors=seen.condition.errors,
        fault=seen.condition.fault,
        longest_gap_s=seen.log.longest_gap(marks["running"].at, marks["cooled"].at),
        rate_before=seen.log.rate(marks["running"].at, marks["migrate"].at),
        rate_during=seen.log.rate(marks["migrate"].at + precopy_from, stunned),
        rate_after=seen.log.rate(back, marks["cooled"].at),
    )

"""Each figure that a record has of the counters, clocks and logs beside a migration."""

from guest_agent.workloads import build
from guest_agent.workloads import pace as paced
from testbed.core.agents.told import ThrottleFacts
from testbed.core.records.link import CrossTrafficRecord
from testbed.core.records.migration import AccountingRecord, CpuRecord, GuestRecord, ThrottleRecord
from testbed.core.rounds import Round, RoundKind
from testbed.findings.accounting import NO_CROSS, account
from testbed.findings.evidence import Evidence


def pace(evidence: Evidence) -> float | None:
    """The guest's pace before the migration as a share of what was asked; None when its log does not say."""
    log, marks = evidence.log, evidence.marks
    inside = (log.times >= marks.running.at) & (log.times <= marks.migrate.at)
    times, operations = log.times[inside], log.operations[inside]
    if len(times) < 2:
        return None
    due_s = _due_s(evidence, int(operations[0]), int(operations[-1]))
    return due_s / float(times[-1] - times[0])


def cpu(evidence: Evidence) -> CpuRecord:
    """Processor seconds of each, and what watching took."""
    source, destination, marks = evidence.ended.facts, evidence.ended.destination, evidence.marks
    return CpuRecord(
        source_s=source.cpu_s if source else None,
        destination_s=destination.cpu_s if destination else None,
        guest_s=marks.ended.guest_cpu_s - marks.migrate.guest_cpu_s,
        sampler_s=evidence.sampler.cpu_s,
        sampler_share=evidence.sampler.cpu_share,
        probe_share=evidence.network.probe_share if evidence.network else None,
    )


def throttle(evidence: Evidence) -> ThrottleRecord:
    """How long the guest was throttled, how far at most, and what it lost by it, in its own count of operations."""
    throttled = [round for round, _ in evidence.ended.rounds if round.throttle > 0]
    facts = evidence.ended.facts.throttle if evidence.ended.facts else ThrottleFacts()
    record = ThrottleRecord(
        policy=evidence.plan.migration.policy["name"],
        mechanism=facts.mechanism,
        active_s=sum(round.duration_s for round in throttled),
        peak=max((round.throttle for round in throttled), default=0.0),
        install_s=facts.install_s,
    )
    if throttled:
        record.guest_slowdown = _slowdown(evidence, throttled[0], throttled[-1])
        record.dirty_rate = sum(round.newly_dirtied_bytes for round in throttled) / record.active_s
    return record


def accounts(evidence: Evidence) -> AccountingRecord | None:
    """The bytes of a migration that completed, counted twice; None of any other: a stream that was cut has bytes under
    way that nobody can account for.
    """
    facts = evidence.ended.facts
    if evidence.ended.outcome != "completed" or not facts:
        return None
    return account(
        rounds_bytes=sum(round.sent_bytes for round, _ in evidence.ended.rounds),
        page_bytes=sum(stream.page_bytes for stream in facts.streams),
        framing_bytes=sum(stream.framing_bytes for stream in facts.streams),
        channel_bytes=facts.channel_bytes,
        link=evidence.marks.link,
        retransmitted_bytes=sum(stream.retransmits * stream.mss for stream in facts.streams),
        cross=evidence.cross or NO_CROSS,
    )


def cross_traffic(evidence: Evidence) -> CrossTrafficRecord | None:
    """What else was on the link, asked and arrived; None where nothing was asked for."""
    asked = evidence.plan.network.cross_traffic
    if asked is None or evidence.cross is None:
        return None
    return CrossTrafficRecord(protocol=asked.protocol, rate=asked.rate / 8, achieved_rate=evidence.cross.rate)


def guest_gap(evidence: Evidence) -> tuple[float | None, float | None]:
    """The longest gap around the switchover, and when it began on the axis of the downtime: seconds after the pause was
    asked for.
    """
    stamps, log = evidence.ended.stamps, evidence.log
    if stamps.asked is None or stamps.first_step is None:
        return None, None
    begin = log.gap_begin_around(stamps.asked, stamps.first_step)
    return log.gap_around(stamps.asked, stamps.first_step), None if begin is None else begin - stamps.asked


def guest(evidence: Evidence) -> GuestRecord:
    """The guest by its own log, and as it was found at the end."""
    marks, stamps, log = evidence.marks, evidence.ended.stamps, evidence.log
    stunned, back = stamps.asked or marks.ended.at, stamps.first_step or marks.ended.at
    return GuestRecord(
        operations=marks.cooled.operations,
        lost=0 if evidence.memory.match else None,
        errors=evidence.condition.errors,
        fault=evidence.condition.fault,
        longest_gap_s=log.longest_gap(marks.running.at, marks.cooled.at),
        rate_before=log.rate(marks.running.at, marks.migrate.at),
        rate_during=log.rate(marks.migrate.at + _precopy_from(evidence), stunned),
        rate_after=log.rate(back, marks.cooled.at),
    )


def _due_s(evidence: Evidence, operation: int, last: int) -> float:
    """Seconds that the guest was asked to take from one of its operations to another."""
    workload, due_s = build(evidence.plan.guest.workload), 0.0
    while operation < last:
        rate, changes = paced(workload, operation)
        until = last if changes is None else min(changes, last)
        due_s += (until - operation) / rate
        operation = until
    return due_s


def _slowdown(evidence: Evidence, first: Round, last: Round) -> float | None:
    """How much fewer operations the guest did between these rounds, as a share of those before the migration."""
    marks, facts = evidence.marks, evidence.ended.facts
    asked = facts.asked if facts else marks.migrate.at
    before = evidence.log.rate(marks.running.at, marks.migrate.at)
    during = evidence.log.rate(asked + first.started_s, asked + last.started_s + last.duration_s)
    return 1 - during / before if before and during is not None else None


def _precopy_from(evidence: Evidence) -> float:
    """When its first pre-copy round began, seconds after the migration was asked for."""
    precopy = (round for round, _ in evidence.ended.rounds if round.kind is RoundKind.PRECOPY)
    return next((round.started_s for round in precopy), 0.0)

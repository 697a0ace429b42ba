"""Figures of a record that follow from its other figures; None where those are not known."""

from collections.abc import Iterable, Sequence

from testbed.core.agents.moments import left
from testbed.core.network.frames import payload
from testbed.core.records.migration import MigrationRecord
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import ServicePhaseRecord, ServiceRecord
from testbed.core.units import PAGE_SIZE

STEADY = ("uniform", "sequential", "hot-cold", "zipf")
"""Workloads whose write rate never changes."""


def total(values: Iterable[float | None]) -> float | None:
    """None where one of them is not known, or there is none."""
    figures = list(values)
    known = [value for value in figures if value is not None]
    return sum(known) if known and len(known) == len(figures) else None


def per_second(size: int, r: RoundRecord) -> float:
    """Bytes per second over a round."""
    return size / r.duration_s if r.duration_s > 0 else 0.0


def end(rounds: Sequence[RoundRecord]) -> float | None:
    """When the last of the rounds ended, in seconds from the migration's beginning."""
    return max((r.started_s + r.duration_s for r in rounds), default=None)


def stood_still(m: MigrationRecord) -> float | None:
    """The guest did its last operation while it was being stunned, and its first one before it was heard."""
    if m.downtime_s is None:
        return None
    return m.downtime_s - m.downtime_phases_s.get("pause", m.downtime_s) - silent(m)


def silent(m: MigrationRecord) -> float:
    """Seconds from the guest's first step to when it was heard; 0 in records of when it was announced before that."""
    return m.downtime_phases_s["announce"] if list(m.downtime_phases_s)[-1:] == ["announce"] else 0.0


def gap_end(m: MigrationRecord) -> float | None:
    """When, after the stun was asked for, the guest was heard: by its first operation, where its gap is that of the
    switchover, and not one of a guest that is slow.
    """
    if m.guest_gap_s is None or m.guest_gap_begin_s is None:
        return None
    pause, end = m.downtime_phases_s.get("pause", 0.0), m.guest_gap_begin_s + m.guest_gap_s
    return end + silent(m) if m.guest_gap_begin_s <= pause < end else None


def last_answer(m: MigrationRecord) -> float | None:
    """How long before the stun was asked for the last answer came, as a time on the axis of the downtime."""
    part = m.blackout.parts.get("last_answer") if m.blackout else None
    return -part if part else None


def accounted(m: MigrationRecord) -> int | None:
    """The page bytes that consistent accounts come to."""
    return m.bytes_sent if m.accounting and m.accounting.consistent else None


def proved(m: MigrationRecord) -> int | None:
    """Bytes of the pages that the proof of memory speaks of."""
    if m.memory is None or m.memory.match is None:
        return None
    return (m.memory.pages_compared + m.memory.pages_excluded + m.memory.pages_replayed) * PAGE_SIZE


def implied_goodput(m: MigrationRecord) -> float | None:
    """Bit/s of TCP payload, as ``model.link.link_goodput`` has it."""
    if m.link.rate is None:
        return None
    return payload(m.link.rate, m.link.mtu)


def written_rate(m: MigrationRecord) -> float | None:
    """Bytes per second that the guest wrote before the migration, by its operations; None where its rate may change."""
    known = m.guest is not None and m.guest.rate_before is not None and m.vm.workload in STEADY
    return (m.guest.rate_before or 0.0) * PAGE_SIZE if known and m.guest else None


def incomplete(m: MigrationRecord) -> bool:
    """Whether a migration that completed does not say all of what it then has to say."""
    unknown = not m.rounds or m.total_time_s is None or m.downtime_s is None
    return m.outcome == "completed" and unknown and not left(m.faults)


def unfinished(m: MigrationRecord) -> bool:
    """Whether a migration completed though a stop-and-copy round is not its last, or not the only one."""
    stops = [r for r in m.rounds if r.kind == "stop_and_copy"]
    return m.outcome == "completed" and (len(stops) != 1 or m.rounds[-1:] != stops)


def rate_in(service: ServiceRecord, phase: str) -> float | None:
    """Operations per second of a service in one of its phases."""
    return next((each.rate for each in service.phases if each.phase == phase), None)


def rate_of(p: ServicePhaseRecord) -> float | None:
    """None where a stretch may have gaps between its parts."""
    return p.operations / (p.end_s - p.begin_s) if p.phase != "throttled" and p.end_s > p.begin_s else None


def longest_halt(service: ServiceRecord) -> float:
    """The longest time without an operation in any phase from the migration on."""
    return max((p.longest_halt_s for p in service.phases if p.phase != "before"), default=0.0)

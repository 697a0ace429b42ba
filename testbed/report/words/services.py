"""The guest's services, its identity and its connections in words: for the tables at a run's end, and for the page."""

from collections.abc import Sequence

from testbed.core.records.migration import MigrationRecord
from testbed.core.records.services import ServicePhaseRecord, ServiceRecord
from testbed.core.units import in_seconds

NOTHING = "-"
WORDS = ("service", "seen by", "verified", "phase")
"""Heads of the columns that hold words; the others hold numbers."""
MEGABYTES = "MB/s"
UNSIZED = ("longest halt", "slowest", "latency 50 %", "95 %", "99 %", "most")
"""Heads of the columns that have no real-world size."""


def service_heads(migrations: Sequence[MigrationRecord]) -> list[str]:
    """The heads of the columns of ``services``; bytes are told of where there is a service that moves any."""
    first = ["service", "seen by", "operations/s before", "during", "throttled", "after"]
    return [*first, *[f"{MEGABYTES} before"] * _moves_bytes(migrations), "longest halt", "slowest", "verified"]


def phase_heads(service: ServiceRecord) -> list[str]:
    """The heads of the columns of ``phases``; bytes are told of where the service moves any."""
    first = ["phase", "from", "to", "operations", "operations/s"]
    latencies = ["latency 50 %", "95 %", "99 %", "most"]
    return [*first, *[MEGABYTES] * (service.operation_bytes is not None), *latencies, "longest halt"]


def numbers(heads: Sequence[str]) -> list[int]:
    """Which of the columns hold numbers."""
    return [index for index, head in enumerate(heads) if head not in WORDS]


def unsized(rows: Sequence[Sequence[str]], heads: Sequence[str], scaled: object = True) -> list[list[str]]:
    """Rows at real-world size, without what has none; as they are of a run that was not ``scaled``."""
    return [
        [NOTHING if scaled and head in UNSIZED else cell for cell, head in zip(row, heads, strict=True)] for row in rows
    ]


def services(record: MigrationRecord, beside: Sequence[MigrationRecord] = ()) -> list[list[str]]:
    """A row a service, under ``service_heads`` of this migration and of those ``beside`` it in the table."""
    bytes_too = _moves_bytes([record, *beside])
    return [
        [
            each.name,
            each.seen_by,
            *(_rate(rate) for rate in (each.rate_before, each.rate_during, each.rate_throttled, each.rate_after)),
            *[_megabytes(each, each.rate_before)] * bytes_too,
            _seconds(each.longest_halt_s),
            _seconds(max((p.latency_max_s for p in each.phases if p.latency_max_s is not None), default=None)),
            verified(each),
        ]
        for each in record.services
    ]


def phases(service: ServiceRecord) -> list[list[str]]:
    """A row a stretch of time, under ``phase_heads``."""
    return [_phase(each, service) for each in service.phases]


def verified(service: ServiceRecord) -> str:
    """``yes``; ``NO: 2 lost, 1 doubled`` with what was found; ``-`` where there was nothing to hold it against."""
    if service.verified is None:
        return NOTHING
    if service.verified:
        return "yes"
    counts = [f"{count} {word}" for count, word in ((service.lost, "lost"), (service.doubled, "doubled")) if count]
    return f"NO: {', '.join(counts) or 'see what was found'}"


def network(record: MigrationRecord) -> list[str]:
    """Sentences about the guest on the VM network: where it was reached, its connections, its clients' blackout; and
    what was not kept of its packets.
    """
    return [line for line in (_identity(record), _connections(record), _blackout(record), packets(record)) if line]


def packets(record: MigrationRecord) -> str:
    """Why the file of its packets lacks some; nothing where it does not, or there is none."""
    capture = record.capture
    return f"packets: not all are in {capture.file}: {capture.fault}" if capture and capture.fault else ""


def _identity(record: MigrationRecord) -> str:
    identity = record.identity
    if identity is None:
        return ""
    before, after = (host or "nowhere" for host in (identity.forwarding_before, identity.forwarding_after))
    moved = f"the switch forwarded {identity.mac} to {before} before and to {after} after"
    told = _counted(identity.announcements, "announcement") if identity.announce else "not to be announced"
    return f"identity: {identity.ip}; {moved}; {told}"


def _connections(record: MigrationRecord) -> str:
    connections = record.connections
    if connections is None:
        return ""
    stayed = record.outcome != "completed"
    if not (connections.moved or connections.refused or connections.reconnects or (stayed and record.services)):
        return "connections: there were none"
    how = {"tcp_repair": "moved by TCP_REPAIR", "reset": "reset"}[connections.mechanism]
    reasons = ", ".join(f"{count} {reason}" for reason, count in connections.refusals.items())
    refused = f", {connections.refused} refused" + (f" ({reasons})" if reasons else "") if connections.refused else ""
    why = f" ({connections.reason})" if connections.reason else ""
    again = _counted(connections.reconnects, "reconnect")
    if stayed:
        broken = f", {connections.refused} did not outlast the attempt" if connections.refused else ""
        return f"connections: at the source, with their guest{broken}; {again}"
    return f"connections: {how}{why}: {connections.moved} went on at the destination{refused}; {again}"


def _blackout(record: MigrationRecord) -> str:
    if record.blackout is None or record.client_blackout_s is None:
        lost = record.identity is not None and record.identity.forwarding_after != record.runs_at
        return "blackout: nobody who asked the guest found it any more" if lost and record.downtime_s else ""
    spent = ", ".join(f"{name.replace('_', ' ')} {in_seconds(part)}" for name, part in record.blackout.parts.items())
    often = f"asked every {in_seconds(record.blackout.median_interval_s)}"
    return f"blackout: {in_seconds(record.client_blackout_s)} = {spent}; {often}"


def _phase(each: ServicePhaseRecord, service: ServiceRecord) -> list[str]:
    latencies = (each.latency_p50_s, each.latency_p95_s, each.latency_p99_s, each.latency_max_s)
    return [
        each.phase,
        f"{each.begin_s:.3f} s",
        f"{each.end_s:.3f} s",
        f"{each.operations:,}",
        _rate(each.rate),
        *[_megabytes(service, each.rate)] * (service.operation_bytes is not None),
        *(_seconds(latency) for latency in latencies),
        _seconds(each.longest_halt_s),
    ]


def _moves_bytes(migrations: Sequence[MigrationRecord]) -> bool:
    return any(each.operation_bytes is not None for done in migrations for each in done.services)


def _megabytes(service: ServiceRecord, rate: float | None) -> str:
    """A million bytes a second."""
    return _rate(None if rate is None or service.operation_bytes is None else rate * service.operation_bytes / 1e6)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count or 'no'} {what}s"


def _rate(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else in_seconds(value)

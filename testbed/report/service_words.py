"""The guest's services, its identity and its connections in words: for the tables at a run's end, and for the page."""

from testbed.core.record import MigrationRecord
from testbed.core.service_record import ServicePhaseRecord, ServiceRecord
from testbed.core.units import in_seconds

NOTHING = "-"
SERVICE_HEADS = (
    *("service", "seen by", "operations/s before", "during", "throttled", "after"),
    *("longest halt", "slowest", "verified"),
)
PHASE_HEADS = (
    *("phase", "from", "to", "operations", "operations/s"),
    *("latency 50 %", "95 %", "99 %", "most", "longest halt"),
)


def services(done: MigrationRecord) -> list[list[str]]:
    """A row a service, under ``SERVICE_HEADS``."""
    return [
        [
            each.name,
            each.seen_by,
            *(_rate(rate) for rate in (each.rate_before, each.rate_during, each.rate_throttled, each.rate_after)),
            _seconds(each.longest_halt_s),
            _seconds(max((p.latency_max_s for p in each.phases if p.latency_max_s is not None), default=None)),
            verified(each),
        ]
        for each in done.services
    ]


def phases(service: ServiceRecord) -> list[list[str]]:
    """A row a stretch of time, under ``PHASE_HEADS``."""
    return [_phase(each) for each in service.phases]


def verified(service: ServiceRecord) -> str:
    """``yes``; ``NO: 2 lost, 1 doubled`` with what was found; ``-`` where there was nothing to hold it against."""
    if service.verified is None:
        return NOTHING
    if service.verified:
        return "yes"
    counts = [f"{count} {word}" for count, word in ((service.lost, "lost"), (service.doubled, "doubled")) if count]
    return f"NO: {', '.join(counts) or 'see what was found'}"


def network(done: MigrationRecord) -> list[str]:
    """Sentences about the guest on the VM network: where it was reached, its connections, its clients' blackout."""
    return [line for line in (_identity(done), _connections(done), _blackout(done)) if line]


def _identity(done: MigrationRecord) -> str:
    known = done.identity
    if known is None:
        return ""
    before, after = (host or "nowhere" for host in (known.forwarding_before, known.forwarding_after))
    moved = f"the switch forwarded {known.mac} to {before} before and to {after} after"
    return f"identity: {known.ip}; {moved}; {_counted(known.announcements, 'announcement')}"


def _connections(done: MigrationRecord) -> str:
    known = done.connections
    if known is None:
        return ""
    if not known.moved and not known.refused and not known.reconnects:
        return "connections: there were none"
    how = {"tcp_repair": "moved by TCP_REPAIR", "reset": "reset"}[known.mechanism]
    refused = f", {known.refused} refused" if known.refused else ""
    why = f" ({known.reason})" if known.reason else ""
    again = _counted(known.reconnects, "reconnect")
    return f"connections: {how}{why}: {known.moved} went on at the destination{refused}; {again}"


def _blackout(done: MigrationRecord) -> str:
    if done.blackout is None or done.client_blackout_s is None:
        return ""
    spent = ", ".join(f"{name.replace('_', ' ')} {in_seconds(part)}" for name, part in done.blackout.parts.items())
    often = f"asked and answered every {in_seconds(done.blackout.median_interval_s)}"
    return f"blackout: {in_seconds(done.client_blackout_s)} = {spent}; {often}"


def _phase(each: ServicePhaseRecord) -> list[str]:
    latencies = (each.latency_p50_s, each.latency_p95_s, each.latency_p99_s, each.latency_max_s)
    return [
        each.phase,
        f"{each.begin_s:.3f} s",
        f"{each.end_s:.3f} s",
        f"{each.operations:,}",
        _rate(each.rate),
        *(_seconds(latency) for latency in latencies),
        _seconds(each.longest_halt_s),
    ]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count or 'no'} {what}s"


def _rate(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else in_seconds(value)

"""What was published, held against what a run measured.

Published figures are of real-world size, so measured ones are scaled up before they are compared. Of repeats the
median counts; of migrations that did not complete, nothing.
"""

from collections.abc import Sequence
from statistics import median

from testbed.core.records.claims import Claim
from testbed.core.records.migration import ComparisonRecord, MigrationRecord
from testbed.core.settings import Settings


def comparisons(claims: Sequence[Claim], records: Sequence[MigrationRecord]) -> list[ComparisonRecord]:
    """One record a claim. ``measured`` is None where nothing was measured."""
    return [_hold(claim, records) for claim in claims]


def _hold(claim: Claim, records: Sequence[MigrationRecord]) -> ComparisonRecord:
    if claim.over:
        before = _measured(claim, {**claim.where, claim.over: claim.a}, records)
        after = _measured(claim, {**claim.where, claim.over: claim.b}, records)
        measured = _along(claim, before, after)
    else:
        measured = _measured(claim, claim.where, records)
    asked = claim.at_least or claim.within is not None
    met = _meets(claim, measured) if asked and measured is not None else None
    return ComparisonRecord(
        name=claim.name,
        over=claim.over,
        a=claim.a,
        b=claim.b,
        reduction=measured if claim.unit == "share" else None,
        published=claim.published,
        source=claim.source,
        measured=measured,
        unit=claim.unit,
        within=claim.within,
        met=met,
    )


def _along(claim: Claim, before: float | None, after: float | None) -> float | None:
    """The share by which it fell, or how many times as large it was."""
    if not before or after is None:
        return None
    if claim.at_least:
        return before / after if after else None
    return 1 - after / before


def _meets(claim: Claim, measured: float) -> bool:
    if claim.at_least:
        return measured >= claim.published
    allowed = (claim.within or 0.0) * (1.0 if claim.over else claim.published)
    return abs(measured - claim.published) <= allowed


def _measured(claim: Claim, where: Settings, records: Sequence[MigrationRecord]) -> float | None:
    """The median over the repeats of what ``where`` means."""
    meant = [m for m in records if m.outcome == "completed" and where.items() <= m.settings.items()]
    figures = [figure for m in meant if (figure := _real(claim, m)) is not None]
    return median(figures) if figures else None


def _real(claim: Claim, migration: MigrationRecord) -> float | None:
    """The figure at real-world size: bytes times both scales, times times the scale of time."""
    time, size = migration.scale["time"], migration.scale["size"]
    match claim.figure:
        case "total_time":
            return None if migration.total_time_s is None else migration.total_time_s * time
        case "downtime":
            return None if migration.downtime_s is None else migration.downtime_s * time
        case "bytes_sent":
            return migration.bytes_sent * size * time
        case "round_bytes":
            return _sent(migration, claim.round) * size * time
        case "longest_halt":
            return _longest_halt(migration, time)


def _longest_halt(migration: MigrationRecord, time: float) -> float | None:
    """Of the service that halted the longest."""
    halts = [each.longest_halt_s * time for each in migration.services if each.longest_halt_s is not None]
    return max(halts, default=None)


def _sent(migration: MigrationRecord, index: int | None) -> int:
    """Bytes of a round; 0 for one that was not needed."""
    return sum(each.sent_bytes for each in migration.rounds if each.index == index)

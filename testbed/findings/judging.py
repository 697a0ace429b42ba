"""Whether a record may be believed, and why not, in sentences: no single check is enough, and none is left out."""

from collections.abc import Iterator, Sequence

from testbed.core.expectation import unmet
from testbed.core.records.migration import MigrationRecord
from testbed.core.records.services import ControlRecord
from testbed.core.units import by_hand, in_bits_per_second
from testbed.findings.evidence import Evidence

RATE_TOLERANCE = 0.01
"""The guest's own rate, before anything disturbs it, has to be within this of what was asked."""
CROSS_TOLERANCE = 0.03
"""Cross traffic has to be within this of its rate, on average over the migration."""
LOST_TOLERANCE = 0.05
"""Share of samples that may be missed before a run is marked."""


def reasons(made: MigrationRecord, seen: Evidence, pace: float | None) -> list[str]:
    """Why this record may not be believed; a migration that was to give up, and did, may be. ``pace``: the guest's
    before the migration, as a share of what was asked.
    """
    return [
        *_migration(made, seen),
        *_guest(seen),
        *_measurement(made, seen, pace),
        *seen.applied.reasons,
        *_by_hand(seen.ended.controls),
    ]


def _migration(made: MigrationRecord, seen: Evidence) -> Iterator[str]:
    last = next((decision for _, decision in reversed(seen.ended.rounds) if decision), None)
    if fault := unmet(seen.plan.expect, made.outcome, made.reason, last):
        yield str(fault)
    if made.outcome == "completed" and not seen.ended.facts:
        yield "the source agent died: what it sent is not known"
    elif made.outcome == "completed" and made.downtime_s is None:
        yield f"the downtime is not known: {made.reason}"
    if made.memory and made.memory.match is False:
        where = f" in {made.memory.difference}" if made.memory.difference else ""
        yield f"the destination's memory differs from the source's{where}"
    if made.accounting and made.accounting.consistent is False:
        yield "the accounts of bytes do not add up"


def _guest(seen: Evidence) -> Iterator[str]:
    """Wherever it is to run, it has to: a dead one's memory may match all the same."""
    if seen.condition.fault:
        yield seen.condition.fault
    if seen.condition.errors:
        yield f"{seen.condition.errors} operations of the guest failed"


def _measurement(made: MigrationRecord, seen: Evidence, pace: float | None) -> Iterator[str]:
    link, crossed, sampler = made.link, _crossed_share(made), seen.sampler
    if not link.verified:
        yield f"the link delivered {_bits(link.goodput)} instead of {_bits(link.expected_goodput)}"
    if abs(crossed - 1) > CROSS_TOLERANCE:
        yield f"the cross traffic reached {crossed:.1%} of its rate"
    if made.vm.write_rate and (pace is None or abs(pace - 1) > RATE_TOLERANCE):
        yield f"the guest reached {pace or 0:.1%} of its write rate before the migration"
    if sampler.lost > LOST_TOLERANCE * max(1, sampler.taken):
        yield f"{sampler.lost} of {sampler.lost + sampler.taken} samples were lost"


def _by_hand(controls: Sequence[ControlRecord]) -> list[str]:
    """A migration that somebody had a hand in says nothing of what it would have been."""
    obeyed = [each for each in controls if not each.fault]
    done = [by_hand(each.what, each.value) for each in obeyed]
    return [f"changed by hand: {', '.join(done)}"] if done else []


def _bits(rate: float | None) -> str:
    return in_bits_per_second(rate or 0)


def _crossed_share(made: MigrationRecord) -> float:
    """How much of its rate the cross traffic reached; 1 where none was asked for."""
    if made.cross_traffic is None:
        return 1.0
    return (made.cross_traffic.achieved_rate or 0.0) / made.cross_traffic.rate

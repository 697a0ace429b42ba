"""Whether a record may be believed, and why not, in sentences: no single check is enough, and none is left out."""

from collections.abc import Iterator, Sequence

from testbed.core.agents.moments import left
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MigrationRecord
from testbed.core.records.services import OrderRecord
from testbed.core.units import by_hand, in_bits_per_second, in_seconds
from testbed.findings.ended import unplanned
from testbed.findings.evidence import Evidence
from testbed.findings.identity import network_reasons
from testbed.findings.services import service_reasons

RATE_TOLERANCE = 0.01
"""The guest's own rate, before anything disturbs it, has to be within this of what was asked."""
CROSS_TOLERANCE = 0.03
"""Cross traffic has to be within this of its rate, on average over the migration; what yields may be below."""
LOST_TOLERANCE = 0.05
"""Share of samples that may be missed before a run is marked."""
HELD_BACK = 0.005
"""Share of a virtual machine's processors' time, kept by its host, from which on it is told beside what was measured
otherwise than asked: each time is milliseconds long, and a link's token bucket is two deep (``network.links``).
"""


def reasons(record: MigrationRecord, evidence: Evidence, pace: float | None) -> list[str]:
    """Why this record may not be believed; a migration that was to give up, and did, may be. ``pace``: the guest's
    before the migration, as a share of what was asked.
    """
    return [
        *_migration(record, evidence),
        *_guest(evidence),
        *(each + _held_back(evidence.sampler.held_back) for each in _measurement(record, evidence, pace)),
        *_applications(record, evidence),
        *_by_hand(evidence.ended.controls),
    ]


def _migration(record: MigrationRecord, evidence: Evidence) -> Iterator[str]:
    yield from unplanned(evidence.plan, record, evidence.ended.rounds)
    if record.outcome == "completed" and not left(record.faults):  # such a fault is meant to leave things unknown
        if not evidence.ended.facts:
            yield "the source agent died: what it sent is not known"
        elif record.downtime_s is None:
            yield f"the downtime is not known: {record.reason}"
    if record.memory and record.memory.match is False:
        where = f" in {record.memory.difference}" if record.memory.difference else ""
        yield f"the destination's memory differs from the source's{where}"
    if record.accounting and record.accounting.consistent is False:
        yield "the accounts of bytes do not add up"


def _guest(evidence: Evidence) -> Iterator[str]:
    """Wherever it is to run, it has to: a dead one's memory may match all the same."""
    if evidence.condition.fault:
        yield evidence.condition.fault
    if evidence.condition.errors:
        yield f"{evidence.condition.errors} operations of the guest failed"


def _measurement(record: MigrationRecord, evidence: Evidence, pace: float | None) -> Iterator[str]:
    link, sampler = record.link, evidence.sampler
    if not link.verified:
        yield _link(link)
    yield from _cross_traffic(record, evidence)
    if record.vm.write_rate and pace is None:
        yield "the guest's write rate before the migration is not known: its own log does not say"
    elif record.vm.write_rate and pace is not None and abs(pace - 1) > RATE_TOLERANCE:
        yield f"the guest reached {pace:.1%} of its write rate before the migration"
    if sampler.lost > LOST_TOLERANCE * max(1, sampler.taken):
        yield f"{sampler.lost} of {sampler.lost + sampler.taken} samples were lost"


def _cross_traffic(record: MigrationRecord, evidence: Evidence) -> Iterator[str]:
    """What yields to others need not reach its rate: how much it got is a result. It only has to have been there, and
    may not exceed what it was paced to; that no byte is missing is held by the accounts.
    """
    crossed, plan = record.cross_traffic, evidence.plan.network.cross_traffic
    if crossed is None or plan is None:
        return
    share = (crossed.achieved_rate or 0.0) / crossed.rate
    if plan.elastic and not crossed.achieved_rate:
        yield "nothing of the cross traffic arrived"
    elif share > 1 + CROSS_TOLERANCE or (share < 1 - CROSS_TOLERANCE and not plan.elastic):
        yield f"the cross traffic reached {share:.1%} of its rate"


def _link(link: LinkRecord) -> str:
    """What netem made, where it was asked and goodput is not what is wrong; else of two directions the farther off."""
    rate, back = link.expected_goodput, link.goodput_back
    told = [each for each in (link.goodput, back) if each is not None and rate]
    if (link.delay_s or link.loss) and all(abs(each / (rate or 1.0) - 1) <= RATE_TOLERANCE for each in told):
        loss = "" if link.measured_loss is None else f" and lost {link.measured_loss:.3%} instead of {link.loss:.3%}"
        trip = f"a round trip of {in_seconds(link.least_rtt_s or 0.0)} instead of {in_seconds(2 * link.delay_s)}"
        return f"the link had {trip}{loss}"
    there, back, asked = link.goodput or 0.0, link.goodput_back, link.expected_goodput or 0.0
    off = back is not None and abs(back - asked) > abs(there - asked)
    return f"the link delivered {_bits(back if off else there)} instead of {_bits(asked)}{' on the way back' * off}"


def _held_back(share: float) -> str:
    if share < HELD_BACK:
        return ""
    return f"; meanwhile this virtual machine's host kept {share:.1%} of its processors' time from it"


def _applications(record: MigrationRecord, evidence: Evidence) -> Iterator[str]:
    if evidence.network is not None:
        announce = evidence.plan.migration.announce
        yield from network_reasons(evidence.network, evidence.ended, record.client_blackout_s, announce=announce)
        yield from service_reasons(record.services)


def _by_hand(controls: Sequence[OrderRecord]) -> Iterator[str]:
    """A migration that somebody had a hand in says nothing of what it would have been."""
    obeyed = [by_hand(control.what, control.value) for control in controls if not control.fault]
    if obeyed:
        yield f"changed by hand: {', '.join(obeyed)}"


def _bits(rate: float | None) -> str:
    return in_bits_per_second(rate or 0)

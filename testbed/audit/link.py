"""The link's own counter against what is said to have gone over it: in all, and while each round lasted."""

from collections.abc import Iterator
from math import inf

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.clock import SampledRound, noted
from testbed.audit.subject import Subject, steps
from testbed.core.records.migration import MigrationRecord
from testbed.core.units import PAGE_SIZE
from testbed.runfiles.counter import SampledCounter
from testbed.runfiles.samples import Recording

WHOLE, PART = 0.01, 0.15
"""Shares that the counter may differ by, over a migration and over a round: packets have headers, clocks have grain."""
HEADERS = 0.06
"""Of a page, at most: what packets and tables add to it."""
LONG_S = 0.3
"""A round that is shorter lies between too few samples."""
SETTLED_S = 0.1
"""How late the run may read a counter, or write a round down."""
SEGMENT_BYTES = 65536
"""At most, that is sent again for each retransmit."""


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreements ``link`` and ``link rounds``: what the counter saw is what was sent."""
    counter = SampledCounter.read(steps(subject, "link", "esx1"), "tx_bytes")
    recording, done = subject.recording, subject.done
    if counter is None or recording is None:
        yield not_known("link", "the link was not sampled")
        return
    yield _in_all(counter, recording, done)
    yield _rounds(counter, noted(recording), done)


def _in_all(counter: SampledCounter, recording: Recording, done: MigrationRecord) -> Agreement:
    """Of the marks' own counts the samples around them may know a little less, or more."""
    begin, end = recording.mark("migrate"), recording.mark("ended")
    if begin is None or end is None or done.wire_bytes is None:
        return not_known("link", "the migration has no marks, or no wire_bytes")
    least, _ = counter.gained(begin + SETTLED_S, end - SETTLED_S)
    _, most = counter.gained(begin - SETTLED_S, end + SETTLED_S)
    if not least * (1 - WHOLE) <= done.wire_bytes <= most * (1 + WHOLE):
        said = f"wire_bytes is {done.wire_bytes:,}, the link's counter says {_about(counter, begin, end):,.0f}"
        return settled("link", "", [said])
    if most == inf:
        return not_known("link", "it was not sampled to the migration's end")
    return settled("link", f"{done.wire_bytes:,} bytes by the link's counter", ())


def _rounds(counter: SampledCounter, rounds: list[SampledRound], done: MigrationRecord) -> Agreement:
    if done.cross_traffic is not None:
        return not_known("link rounds", "other traffic was on the link")
    sent = {each.index: each.sent_bytes for each in done.rounds}
    long = [each for each in rounds if each.round.duration_s >= LONG_S and each.round.index in sent]
    if not long:
        return not_known("link rounds", f"no round lasted {LONG_S:g} s")
    again = (done.retransmits or 0) * SEGMENT_BYTES
    wrong = (said for each in long if (said := _of_round(counter, each, sent[each.round.index], again)))
    return settled("link rounds", f"by the link's counter, within {PART:.0%}; rounds: {len(long)}", wrong)


def _of_round(counter: SampledCounter, each: SampledRound, sent: int, again: int) -> str | None:
    least, _ = counter.gained(each.began, each.at - SETTLED_S)
    _, most = counter.gained(each.began - SETTLED_S, each.at)
    if least * (1 - PART) - again - PAGE_SIZE <= sent * (1 + HEADERS) and sent <= most * (1 + PART) + PAGE_SIZE:
        return None
    counted = _about(counter, each.began, each.at)
    return f"round {each.round.index}: sent_bytes is {sent:,}, the link's counter has {counted:,.0f} in its time"


def _about(counter: SampledCounter, begin: float, end: float) -> float:
    """Bytes in that time, to be said."""
    return counter.at(end) - counter.at(begin)

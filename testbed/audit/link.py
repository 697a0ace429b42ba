"""The link's own counter against what is said to have gone over it: in all, and while each round lasted."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.clock import SampledRound, noted
from testbed.audit.subject import Subject, steps
from testbed.core.records.migration import MigrationRecord
from testbed.core.units import PAGE_SIZE

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


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """Bytes that the source's end of the vMotion link had sent, at ``times`` (s)."""

    times: npt.NDArray[np.float64]
    sent: npt.NDArray[np.float64]

    def at(self, time: float) -> float:
        """Between two samples as if it had gone on evenly."""
        return float(np.interp(time, self.times, self.sent))

    def between(self, begin: float, end: float) -> float:
        """Bytes in that time."""
        return self.at(end) - self.at(begin)


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreements ``link`` and ``link rounds``: what the counter saw is what was sent."""
    counter, recording, done = _counter(subject), subject.recording, subject.done
    if counter is None or recording is None:
        yield not_known("link", "the link was not sampled")
        return
    begin, end = recording.mark("migrate"), recording.mark("ended")
    if begin is None or end is None or done.wire_bytes is None:
        yield not_known("link", "the migration has no marks, or no wire_bytes")
    else:
        held = f"{done.wire_bytes:,} bytes by the link's counter"
        yield settled("link", held, _in_all(counter, begin, end, done.wire_bytes))
    yield _rounds(counter, noted(recording), done)


def _in_all(counter: Counter, begin: float, end: float, wire_bytes: int) -> Iterator[str]:
    """Of the marks' own counts the samples around them may know a little less, or more."""
    least, most = (
        counter.between(begin + SETTLED_S, end - SETTLED_S),
        counter.between(begin - SETTLED_S, end + SETTLED_S),
    )
    if not least * (1 - WHOLE) <= wire_bytes <= most * (1 + WHOLE):
        yield f"wire_bytes is {wire_bytes:,}, the link's counter says {counter.between(begin, end):,.0f}"


def _rounds(counter: Counter, rounds: list[SampledRound], done: MigrationRecord) -> Agreement:
    if done.cross_traffic is not None:
        return not_known("link rounds", "other traffic was on the link")
    sent = {each.index: each.sent_bytes for each in done.rounds}
    long = [each for each in rounds if each.round.duration_s >= LONG_S and each.round.index in sent]
    if not long:
        return not_known("link rounds", f"no round lasted {LONG_S:g} s")
    again = (done.retransmits or 0) * SEGMENT_BYTES
    wrong = (said for each in long if (said := _of_round(counter, each, sent[each.round.index], again)))
    return settled("link rounds", f"by the link's counter, within {PART:.0%}; rounds: {len(long)}", wrong)


def _of_round(counter: Counter, each: SampledRound, sent: int, again: int) -> str | None:
    least = counter.between(each.began, each.at - SETTLED_S)
    most = counter.between(each.began - SETTLED_S, each.at)
    if least * (1 - PART) - again - PAGE_SIZE <= sent * (1 + HEADERS) and sent <= most * (1 + PART) + PAGE_SIZE:
        return None
    counted = counter.between(each.began, each.at)
    return f"round {each.round.index}: sent_bytes is {sent:,}, the link's counter has {counted:,.0f} in its time"


def _counter(subject: Subject) -> Counter | None:
    rows = [(t, row.get("tx_bytes")) for t, row in steps(subject, "link", "esx1")]
    known = [(t, float(sent)) for t, sent in rows if isinstance(sent, int | float)]
    if len(known) < 2:
        return None
    times, counts = np.array(known).T
    return Counter(times, counts)

"""The guest's own counter, wherever it was read: at each round's end, among the samples, at the end of all."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.clock import noted
from testbed.audit.subject import Subject, steps
from testbed.core.records.migration import MigrationRecord
from testbed.core.text.printable import printable
from testbed.core.units import PAGE_SIZE
from testbed.runfiles.counter import SampledCounter
from testbed.runfiles.derived import STEADY

AHEAD_S = 0.25
"""What of its debt a guest may make up for at once (0.1 s), and how late a counter is read."""
RATE = 0.02
EDGES_S = 0.05
"""By which the samples' first and last lie apart from those of the guest's own log."""
LEAST_S = 0.5
"""Of samples before the migration, from which on a rate is known to that."""
BATCH = 1024
"""Operations of a batch, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestStretch:
    """``rose`` operations in the ``lasts`` seconds between two samples; it may have been ``open_s`` more or fewer."""

    lasts: float
    rose: float
    open_s: float

    @property
    def rate(self) -> float:
        """The guest did so many operations a second."""
        return self.rose / self.lasts


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreements ``operations`` and ``guest``: one counter, read in several places."""
    done = subject.done
    if any(each.operations is not None for each in done.rounds):
        held = "the guest's counter rises from round to round, no faster than its write rate"
        yield settled("operations", held, [*_rising(done), *_fast(done), *_sampled(subject)])
    else:
        missing = "a model does not count them" if subject.simulated else "the record is of a version without them"
        yield not_known("operations", missing)
    yield _slope(subject)


def counted(subject: Subject) -> SampledCounter | None:
    """The operations of the source's guest, by the samples."""
    return SampledCounter.read(steps(subject, "guest", "esx1"), "operations")


def _counts(done: MigrationRecord) -> list[tuple[str, int]]:
    """Every reading of the counter in the order of time, with its name."""
    found = [(f"round {each.index}", each.operations) for each in done.rounds]
    found.append(("guest.operations", done.guest.operations if done.guest else None))
    left = done.memory.fingerprint if done.memory else None
    found.append(("memory.fingerprint", left.operations if left else None))
    return [(name, count) for name, count in found if count is not None]


def _rising(done: MigrationRecord) -> Iterator[str]:
    for (before, a), (after, b) in pairwise(_counts(done)):
        if b < a:
            yield f"{after} has {b:,} operations, {before} had {a:,}"


def _fast(done: MigrationRecord) -> Iterator[str]:
    """No more than were due, of a workload whose rate never changes."""
    if not done.vm.write_rate or done.vm.workload not in STEADY:
        return
    rate = done.vm.write_rate / PAGE_SIZE
    for before, after in pairwise(done.rounds):
        if before.operations is None or after.operations is None:
            continue
        took = after.started_s + after.duration_s - before.started_s - before.duration_s
        if after.operations - before.operations > rate * (took + AHEAD_S) * (1 + RATE) + BATCH:
            yield f"{after.operations - before.operations:,} operations in the {took:.3g} s of round {after.index}"


def _sampled(subject: Subject) -> Iterator[str]:
    """The samples around the moment at which a round was written down."""
    seen = counted(subject)
    if subject.recording is None or seen is None:
        return
    known = {each.index: each.operations for each in subject.done.rounds}
    for each in noted(subject.recording):
        operations = known.get(each.round.index)
        if operations is None:
            continue
        least, most = seen.least(each.at - 2 * AHEAD_S), seen.most(each.at + AHEAD_S)
        if not least - BATCH <= operations <= most + BATCH:
            yield f"round {each.round.index} has {operations:,} operations, samples.jsonl {least:,.0f} to {most:,.0f}"


def _slope(subject: Subject) -> Agreement:
    """``guest``: its rate before the migration, by the samples."""
    recording, guest = subject.recording, subject.done.guest
    rate = guest.rate_before if guest else None
    begin = recording.mark("running") if recording else None
    end = recording.mark("migrate") if recording else None
    if subject.own_workload is not None:
        return not_known(
            "guest", f"{printable(subject.own_workload, 60)} is a file of one's own, and its rate is not known"
        )
    if subject.done.vm.workload not in (*STEADY, "idle"):
        return not_known("guest", "its rate changes, and samples and its own log begin at other moments")
    if rate is None or begin is None or end is None:
        return not_known("guest", "its rate before the migration was not sampled")
    within = ((t, row) for t, row in steps(subject, "guest", "esx1") if begin <= t <= end)
    known = SampledCounter.read(within, "operations")
    seen = _stretch(known, begin, end) if known and len(known.times) >= 5 else None
    if seen is None or seen.lasts < LEAST_S:
        return not_known("guest", "too little of it was sampled before the migration")
    apart = abs(rate - seen.rate) > (RATE + max(EDGES_S, seen.open_s) / seen.lasts) * max(rate, seen.rate) + 1
    wrong = [f"rate_before is {rate:,.0f}, samples.jsonl says {seen.rate:,.0f} a second"] if apart else []
    return settled("guest", f"{seen.rate:,.0f} operations a second before the migration", wrong)


def _stretch(known: SampledCounter, begin: float, end: float) -> GuestStretch:
    """The guest's own log begins and ends with an operation, wherever it stood still at either end."""
    gaps, counts = np.diff([begin, *known.times, end]), known.counts
    first, last = 0, len(counts) - 1
    if counts[last] > counts[first]:
        first = int(np.searchsorted(counts, counts[first], side="right")) - 1
        last = int(np.searchsorted(counts, counts[last], side="left"))
    return GuestStretch(
        lasts=float(known.times[last] - known.times[first]),
        rose=float(counts[last] - counts[first]),
        open_s=float(max(gaps[first : first + 2]) + max(gaps[last : last + 2])),
    )

"""The guest's own counter, wherever it was read: at each round's end, among the samples, at the end of all."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.clock import noted
from testbed.audit.subject import Subject, steps
from testbed.core.records.migration import MigrationRecord
from testbed.core.text.printable import printable
from testbed.core.units import PAGE_SIZE
from testbed.runfiles.derived import STEADY

Samples: TypeAlias = npt.NDArray[np.float64]
AHEAD_S = 0.25
"""What of its debt a guest may make up for at once (0.1 s), and how late a counter is read."""
RATE = 0.02
EDGES_S = 0.05
"""By which the samples' first and last lie apart from those of the guest's own log."""
LEAST_S = 0.5
"""Of samples before the migration, from which on a rate is known to that."""
BATCH = 1024
"""Operations of a batch, at most."""


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


def counted(subject: Subject) -> tuple[Samples, Samples] | None:
    """When (s) the source's guest had done how many operations, by the samples; None of fewer than two."""
    rows = [(t, row.get("operations")) for t, row in steps(subject, "guest", "esx1")]
    known = np.array([(t, float(count)) for t, count in rows if isinstance(count, int | float)])
    return (known[:, 0], known[:, 1]) if len(known) > 1 else None


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
        least, most = np.interp((each.at - 2 * AHEAD_S, each.at + AHEAD_S), *seen)
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
    rows = [(t, row.get("operations")) for t, row in steps(subject, "guest", "esx1") if begin <= t <= end]
    known = [(t, float(count)) for t, count in rows if isinstance(count, int | float)]
    if len(known) < 5 or known[-1][0] - known[0][0] < LEAST_S:
        return not_known("guest", "too little of it was sampled before the migration")
    span = known[-1][0] - known[0][0]
    seen = (known[-1][1] - known[0][1]) / span
    apart = abs(rate - seen) > (RATE + EDGES_S / span) * max(rate, seen) + 1
    wrong = [f"rate_before is {rate:,.0f}, samples.jsonl says {seen:,.0f} a second"] if apart else []
    return settled("guest", f"{seen:,.0f} operations a second before the migration", wrong)

"""Each round sends what the one before it left: in bytes, and cell by cell of memory.

round 1: all of RAM ─ left ─▶ round 2 ─ left ─▶ ... ─ left, and what was dirtied since ─▶ stop-and-copy
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.subject import Subject
from testbed.core.records.migration import MigrationRecord
from testbed.core.records.rounds import RoundRecord
from testbed.core.units import PAGE_SIZE
from testbed.runfiles.pages import Cells


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreements ``chain`` and ``cells``: each round sends what the one before it left."""
    done, cells = subject.done, subject.cells
    if not done.rounds:
        yield not_known("chain", "it has no rounds")
        return
    yield settled("chain", f"{len(done.rounds)} rounds, each sends what the one before left", _in_bytes(done))
    if cells is not None and done.full_scale:
        yield settled("cells", "the pages of each round are those that the one before left", _in_cells(done, cells))


def _in_bytes(done: MigrationRecord) -> Iterator[str]:
    first = done.rounds[0]
    if first.kind == "precopy" and first.sent_bytes + first.unsent_bytes != done.vm.ram_bytes:
        yield f"round 1 had {first.sent_bytes + first.unsent_bytes:,} bytes to send, ram_bytes is {done.vm.ram_bytes:,}"
    for before, after in pairwise(done.rounds):
        had = after.sent_bytes + after.unsent_bytes
        if had < before.dirtied_bytes or (had != before.dirtied_bytes and not _may_have_more(after, done)):
            yield f"round {before.index} left {before.dirtied_bytes:,} bytes, round {after.index} had {had:,} to send"
    for each in done.rounds:
        if each.sent_bytes % PAGE_SIZE or each.dirtied_bytes % PAGE_SIZE:
            yield f"round {each.index} has a part of a page"
        if max(each.sent_bytes, each.dirtied_bytes) > done.vm.ram_bytes:
            yield f"round {each.index} has more than ram_bytes"


def _may_have_more(after: RoundRecord, done: MigrationRecord) -> bool:
    """Before a stop-and-copy more is dirtied, and while one tracker takes another's place."""
    exchanged = done.throttle is not None and done.throttle.mechanism is not None
    return after.kind == "stop_and_copy" or exchanged or bool(done.controls)


def _in_cells(done: MigrationRecord, cells: Cells) -> Iterator[str]:
    """Nothing that a round left is missing in the next one; an early look may end that before it is sent."""
    whole = {each.index for each in done.rounds if not each.unsent_bytes}
    rows = list(zip(cells.rounds, cells.sent, cells.dirtied, strict=True))
    if 1 in whole and cells.rounds[:1] == [1] and not np.array_equal(cells.sent[0], cells.sizes):
        yield "round 1 did not send every cell whole"
    for (before, _, left), (after, sent, _) in pairwise(rows):
        short = int((left > sent).sum())
        if after == before + 1 and after in whole and short:
            yield f"{short} cells of round {after} have fewer pages than round {before} left there"

"""Whether a datastore holds what a log of reads and writes says: no write lost, none twice, none that nobody made.

Writes to one block may overlap in time, and then either may have been last. Write w may have been the last one of its
block unless another *began* after w had *ended*; so the block must hold the content of one such w, sector by sector
(two that overlap may each win some sectors: nothing makes a larger write atomic).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from guest_agent.memory.hashing import Numbers
from guest_agent.ring import COLUMNS, DETAIL, END, NUMBER, START, Rows
from guest_agent.services import ServiceEvidence
from guest_agent.services.iometer.accesses import WORD, Accesses
from guest_agent.services.operation_numbers import count_numbers, number_findings
from testbed.core.records.verdict import Verdict

METHOD = "operation numbers in the logs are whole; every block holds what the last write to it wrote, sector by sector"
_SECTOR_WORDS = 512 // WORD
_CHUNK = 4 << 20
"""Bytes of the datastore held against the log at a time."""


def check(accesses: Accesses, evidence: ServiceEvidence, completed: int, errors: int) -> Verdict:
    """The verdict on ``completed`` operations, of which the service itself found ``errors`` wrong."""
    rows = np.concatenate([np.empty((0, COLUMNS), np.uint64), *evidence.logs])
    lost, doubled = count_numbers(rows[:, NUMBER], completed)
    findings = list(number_findings(evidence.logs, lost, doubled, completed))
    if not completed:
        findings.append("no operation was completed at all")
    if errors:
        findings.append(f"{errors} operations failed, or read what nobody wrote")
    strange = int((accesses.details(rows[:, NUMBER]) != rows[:, DETAIL]).sum())
    if strange:
        findings.append(f"{strange} operations did something else than their number says")
    wrong = list(_wrong_blocks(accesses, evidence, rows))
    findings += [f"block {block} does not hold what the last write to it wrote" for block in wrong[:5]]
    if len(wrong) > 5:
        findings.append(f"{len(wrong)} blocks in all hold something else than the last write to them wrote")
    return Verdict(
        ok=not findings, method=METHOD, operations=completed, lost=lost, doubled=doubled, findings=tuple(findings[:10])
    )


def _wrong_blocks(accesses: Accesses, evidence: ServiceEvidence, rows: Rows) -> Iterator[int]:
    operations, blocks = _may_be_last(rows)
    inside = blocks < np.uint64(accesses.blocks)
    operations, blocks = operations[inside], blocks[inside]
    pattern, at_once = accesses.pattern(), max(1, _CHUNK // accesses.block)
    for first in range(0, accesses.blocks, at_once):
        count = min(at_once, accesses.blocks - first)
        found = np.frombuffer(evidence.read(first * accesses.block, count * accesses.block), np.uint64)
        start, stop = np.searchsorted(blocks, [first, first + count])
        good = _good(accesses, found.reshape(count, -1), operations[start:stop], blocks[start:stop], first, pattern)
        yield from (first + np.flatnonzero(~good)).tolist()


def _good(
    accesses: Accesses, found: Numbers, operations: Numbers, blocks: Numbers, first: int, pattern: Numbers
) -> npt.NDArray[np.bool_]:
    """Which of the blocks from ``first`` on hold one of their candidates; a block without any must be zeros."""
    sectors = (len(found), -1, _SECTOR_WORDS)
    right = (found.reshape(sectors) == 0).all(axis=2)
    where = (blocks - np.uint64(first)).astype(np.int64)
    right[where] = False
    for begin in range(0, len(where), len(found)):  # as much memory at a time as the blocks themselves take
        some = slice(begin, begin + len(found))
        content = accesses.contents(operations[some], blocks[some], pattern)
        equal = (
            content.reshape(len(content), -1, _SECTOR_WORDS)
            == found[where[some]].reshape(content.shape[0], -1, _SECTOR_WORDS)
        ).all(axis=2)
        np.logical_or.at(right, where[some], equal)
    whole: npt.NDArray[np.bool_] = right.all(axis=1)
    return whole


def _may_be_last(rows: Rows) -> tuple[Numbers, Numbers]:
    """(operation, block) of every write that may have been the last one of its block, by block."""
    writes = rows[(rows[:, DETAIL] & np.uint64(1)) == 1]
    blocks = writes[:, DETAIL] >> np.uint64(1)
    order = np.argsort(blocks, kind="stable")
    writes, blocks = writes[order], blocks[order]
    if not len(writes):
        return writes[:, NUMBER], blocks
    firsts = np.flatnonzero(np.r_[True, blocks[1:] != blocks[:-1]])
    latest = np.maximum.reduceat(writes[:, START], firsts)
    candidates = writes[:, END] >= np.repeat(latest, np.diff(np.r_[firsts, len(blocks)]))
    return writes[candidates, NUMBER], blocks[candidates]

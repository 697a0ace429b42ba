"""Every run proves the memory: the frozen source against the destination, page by page."""

from collections.abc import Sequence

from guest_agent.memory.verify import prove
from testbed.core.records.migration import MemoryRecord
from testbed.engines.native.settling import Pair
from testbed.findings.ended import Ended

METHOD = "frozen source against stopped destination, byte for byte; what the guest wrote since is replayed"


def prove_memory(pair: Pair, ended: Ended, worked: Sequence[bool]) -> MemoryRecord:
    """Both guests are stopped. ``worked``: which services did anything at the destination. A migration that did not
    complete has nothing to compare: ``match`` is None.
    """
    if ended.outcome != "completed":
        return MemoryRecord(match=None, method="not compared: the guest is still at the source")
    found = prove(pair.source.ram_fd, pair.destination.ram_fd, pair.source.config, worked)
    return MemoryRecord(
        match=found.match,
        method=METHOD,
        pages_compared=found.pages_compared,
        pages_excluded=found.pages_excluded,
        pages_replayed=found.pages_replayed,
        pages_mismatched=found.pages_mismatched,
        mismatches=list(found.mismatches),
    )

"""Every run proves the memory: the frozen source against the destination, page by page."""

from collections.abc import Sequence

from guest_agent.config import GuestConfig
from guest_agent.memory import fingerprint
from guest_agent.memory.verify import prove
from testbed.core.records.fingerprint import FingerprintRecord
from testbed.core.records.migration import MemoryRecord
from testbed.findings.ended import Ended

METHOD = "frozen source against stopped destination, byte for byte; what the guest wrote since is replayed"


def prove_memory(rams: tuple[int, int], config: GuestConfig, ended: Ended, worked: Sequence[bool]) -> MemoryRecord:
    """Holds two guests that stand still against each other: ``rams`` are the memfds of the source's and of the
    destination's, ``worked`` says which services did anything at the destination. A migration that did not complete has
    nothing to compare: ``match`` is None. Memory that differs has no fingerprint. Raises as ``prove`` does.
    """
    source, destination = rams
    if ended.outcome != "completed":
        method = "not compared: the guest is still at the source"
        return MemoryRecord(match=None, method=method, fingerprint=_fingerprint(source, config))
    found = prove(source, destination, config, worked)
    return MemoryRecord(
        match=found.match,
        method=METHOD,
        pages_compared=found.pages_compared,
        pages_excluded=found.pages_excluded,
        pages_replayed=found.pages_replayed,
        pages_mismatched=found.pages_mismatched,
        mismatches=list(found.mismatches),
        fingerprint=_fingerprint(destination, config) if found.match else None,
    )


def _fingerprint(ram_fd: int, config: GuestConfig) -> FingerprintRecord | None:
    seen = fingerprint.found(ram_fd, config)
    return None if seen is None else FingerprintRecord(operations=seen.operations, digest=seen.digest)

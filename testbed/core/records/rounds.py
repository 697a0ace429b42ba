"""A round as ``summary.json`` has it, with the decision that followed it."""

from dataclasses import dataclass
from typing import Literal

from testbed.core.rounds import Decision, Round, RoundKind


@dataclass(slots=True, kw_only=True)
class RoundRecord:
    """One round, with the decision that followed it as a sentence. ``dirtied_bytes``: what it left to the next one, of
    which ``unsent_bytes`` are its own, not sent since an early look ended it. ``switchover_s``: what a switchover after
    it was known to cost beside its bytes. ``scan_s`` of its duration went to finding what is dirty; ``overhead_s`` is
    what it took longer than its page bytes do at the link's goodput: tables, round trips, that scan, waiting. Below 0
    when the link made up for a pause. None where no goodput was measured. ``operations``: what the guest had done by
    its end, by its own counter; None where nobody read it.
    """

    index: int
    kind: Literal["precopy", "stop_and_copy", "postcopy"]
    started_s: float
    duration_s: float
    sent_bytes: int
    dirtied_bytes: int
    bandwidth: float
    dirty_rate: float
    throttle: float
    decision: str
    scan_s: float | None = None
    overhead_s: float | None = None
    unsent_bytes: int = 0
    switchover_s: float = 0.0
    operations: int | None = None


def record_round(done: Round, decision: Decision | None, goodput: float | None) -> RoundRecord:
    """A round as it is recorded, with the decision that followed it; None after the stop-and-copy round, or when its
    policy failed. ``goodput``: bytes per second that the link has for it.
    """
    nothing = "no decision" if done.kind is RoundKind.PRECOPY else "the guest stood still: the last round"
    return RoundRecord(
        index=done.index,
        kind=done.kind.value,
        started_s=done.started_s,
        duration_s=done.duration_s,
        sent_bytes=done.sent_bytes,
        dirtied_bytes=done.dirtied_bytes,
        bandwidth=done.bandwidth,
        dirty_rate=done.dirty_rate,
        throttle=done.throttle,
        decision=decision.reason if decision else nothing,
        scan_s=done.scan_s,
        overhead_s=done.duration_s - done.sent_bytes / goodput if goodput else None,
        unsent_bytes=done.unsent_bytes,
        switchover_s=done.switchover_s,
        operations=done.operations,
    )

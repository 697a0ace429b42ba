"""Several clocks saw one switchover: the agents' stamps, the source's last round, the guest's log, a client's."""

from collections.abc import Iterator

from testbed.audit.agreement import Agreement, not_known, settled
from testbed.audit.subject import Subject
from testbed.core.records.migration import MigrationRecord
from testbed.core.records.stamps import PHASES

APART_S = 0.005
"""Between two readings of the clock that follow on each other the agent may have to wait for a processor."""
EXACT_S = 1e-6


def of(subject: Subject) -> Iterator[Agreement]:
    """The agreement ``downtime``: several clocks saw one switchover."""
    done = subject.done
    if done.downtime_s is None:
        yield not_known("downtime", "there was no switchover")
    elif subject.simulated:
        yield not_known("downtime", "a model has one clock; its phases are among the figures")
    else:
        yield settled("downtime", "its phases, the last round, the guest's gap and the client's blackout", _wrong(done))


def _wrong(done: MigrationRecord) -> Iterator[str]:
    phases, last = done.downtime_phases_s, done.rounds[-1] if done.rounds else None
    if last and last.kind == "stop_and_copy" and last.scan_s is not None and "last_round" in phases:
        took = last.duration_s - last.scan_s
        if not took - EXACT_S <= phases["last_round"] <= took + APART_S:
            yield f"its part last_round is {phases['last_round']:.6g}, the last round took {took:.6g}"
    if unknown := [name for name in phases if name not in PHASES]:
        yield f"it has a part that there is not: {unknown[0]:.40}"
    yield from _blackout(done)


def _blackout(done: MigrationRecord) -> Iterator[str]:
    """The client's silence is cut at the edges of the downtime, where it reaches over them."""
    if done.blackout is None or done.downtime_s is None:
        return
    within = done.blackout.parts.get("downtime")
    if within is not None and within > done.downtime_s + EXACT_S:
        yield f"the client's blackout has {within:.6g} of a downtime of {done.downtime_s:.6g}"
    parts = done.blackout.parts
    around = parts.get("last_answer", 0.0) > 0 and parts.get("next_request", 0.0) + parts.get("next_answer", 0.0) > 0
    if within is not None and around and abs(within - done.downtime_s) > EXACT_S:
        yield f"the client's blackout holds a downtime of {within:.6g}, and downtime_s is {done.downtime_s:.6g}"

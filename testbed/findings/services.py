"""What became of the guest's services: every figure from their own logs, every verdict from their own oracles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guest_agent.client.conversation import ClientFinished
from testbed.core.records.services import ServiceRecord
from testbed.core.records.verdict import Verdict
from testbed.findings.brownout import SWITCHOVER, Stretch, describe, fell_silent
from testbed.findings.ended import Ended
from testbed.findings.identity import breakable
from testbed.findings.marks import Marks
from testbed.findings.rows import Rows, joined

REPEATED_S, RECONNECTED_S = 0.5, 2.5
"""Until what was lost at the switchover is said again on a connection that moved, and on one that was reset."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServiceFacts:
    """One service of a guest that is at rest. ``clients``: whether it has clients; ``operation_bytes``: what one
    operation moves, None where that says nothing; ``logs``: its own rows at the source and at the destination, of which
    ``lost_rows`` were overwritten before they were read; ``client``: its clients' rows, and ``said`` what they said at
    their end, None of those that did not; ``verdict``: its oracle's.
    """

    name: str
    clients: bool
    operation_bytes: int | None
    logs: tuple[Rows, ...]
    lost_rows: int
    client: Rows | None
    said: ClientFinished | None
    verdict: Verdict


def service_record(facts: ServiceFacts, ended: Ended, marks: Marks) -> ServiceRecord:
    """One service's figures, by its clients where it has any, and whether its oracle and its logs agree."""
    rows = facts.client if facts.clients and facts.client is not None else joined(facts.logs)
    record = describe(facts.name, "client" if facts.clients else "guest", rows, stretches(ended, marks), marks.edges)
    verdict, missing = facts.verdict, list(_missing(facts, record, grace_s(ended, marks.ended.at)))
    record.operation_bytes = facts.operation_bytes
    record.verified, record.method = verdict.ok and not missing, verdict.method
    record.lost, record.doubled = verdict.lost, verdict.doubled
    record.findings = [*verdict.findings, *missing]
    _add_counts(record, facts.said)
    return record


def service_reasons(records: Sequence[ServiceRecord]) -> Iterator[str]:
    """What is wrong with those that were not verified, in sentences."""
    for record in records:
        if record.verified is False:
            yield from (f"{record.name}: {finding}" for finding in record.findings)


def stretches(ended: Ended, marks: Marks) -> list[Stretch]:
    """The rounds beside the running guest, and the switchover where the guest was heard at the destination."""
    stamps, origin = ended.stamps, marks.migrate.at
    found = [
        Stretch(
            name=f"round {round.index}",
            begin=origin + round.started_s,
            end=origin + round.started_s + round.duration_s,
            throttled=round.throttle > 0,
        )
        for round, decision in ended.rounds
        if decision is not None
    ]
    if stamps.asked is not None and stamps.announced is not None:
        found.append(Stretch(name=SWITCHOVER, begin=stamps.asked, end=stamps.announced))
    return found


def grace_s(ended: Ended, at: float) -> float:
    """Seconds that clients may need to be back: TCP repeats ever more seldom, and finds out by keep-alives. ``at``, in
    seconds of CLOCK_MONOTONIC, it ended: until then a guest stood still that was not heard at the destination.
    """
    asked, heard = ended.stamps.asked, ended.stamps.announced
    away = 0.0 if asked is None else (at if heard is None else heard) - asked
    return 2 * away + (REPEATED_S if breakable(ended) == 0 else RECONNECTED_S)


def _missing(facts: ServiceFacts, record: ServiceRecord, grace_s: float) -> Iterator[str]:
    """What is wrong beside what the service's own oracle found."""
    if facts.lost_rows:
        yield f"{facts.lost_rows} rows of its log were lost"
    if facts.clients and facts.said is None:
        yield "its clients died"
    if silence := fell_silent(record, grace_s):
        yield silence


def _add_counts(record: ServiceRecord, said: ClientFinished | None) -> None:
    if said is not None:
        record.errors, record.reconnects, record.abandoned = said.errors, said.reconnects, said.abandoned

"""How a migration ended, before anything is measured or judged, and whether that is how it was meant to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testbed.core.agents.moments import left
from testbed.core.agents.told import DestinationFinished, RoundCells, SourceFacts
from testbed.core.expectation import unmet
from testbed.core.network.names import ESX1, ESX2
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord, Outcome
from testbed.core.records.services import FaultRecord, OrderRecord
from testbed.core.records.stamps import Stamps
from testbed.core.rounds import Decision, Round

SOURCE, DESTINATION = ESX1, ESX2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """``runs_at`` is the host where the guest is to run from then on, None when that could not be decided; ``facts``
    and ``destination`` are what the agents said at their ends, None of one that did not.
    """

    outcome: Outcome = "failed"
    reason: str = ""
    runs_at: str | None = None
    rounds: tuple[tuple[Round, Decision | None], ...] = ()
    facts: SourceFacts | None = None
    destination: DestinationFinished | None = None
    cells: tuple[RoundCells, ...] = ()
    announced: int = 0
    announce_fault: str | None = None
    controls: tuple[OrderRecord, ...] = ()
    faults: tuple[FaultRecord, ...] = ()
    interrupted: bool = False

    @property
    def stamps(self) -> Stamps:
        """The stamps of its switchover; all None where nobody said."""
        return self.facts.stamps if self.facts else Stamps()


def unplanned(plan: Plan, record: MigrationRecord, rounds: Sequence[tuple[Round, Decision | None]]) -> Iterator[str]:
    """Why a migration did not end as it was meant to. One that met a fault which ends it has no end of its own: it is
    then asked that the guest runs where the protocol has to leave it.
    """
    for fault in record.faults:
        if not fault.struck:
            yield f"the fault {fault} " + (f"failed: {fault.fault}" if fault.fault else "was never reached")
    end = left(record.faults)
    if end is None or record.interrupted:
        last = next((decision for _, decision in reversed(rounds) if decision), None)
        if otherwise := unmet(plan.expect, record.outcome, record.reason, last):
            yield otherwise
        return
    host = SOURCE if end == "source" else DESTINATION
    if record.runs_at != host:
        faults = ", ".join(str(fault) for fault in record.faults if fault.struck)
        where = record.runs_at or "neither"
        yield f"after {faults} the guest has to run at {host}, and it runs at {where}: {record.reason}"

"""How a migration ended, before anything is measured or judged."""

from dataclasses import dataclass

from testbed.core.agents.told import DestinationFinished, RoundCells, SourceFacts
from testbed.core.network.names import ESX1, ESX2
from testbed.core.records.migration import Outcome
from testbed.core.records.services import OrderRecord
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
    interrupted: bool = False

    @property
    def stamps(self) -> Stamps:
        """The stamps of its switchover; all None where nobody said."""
        return self.facts.stamps if self.facts else Stamps()

"""The faults that a migration is to meet, each at its moment: an agent says that it stands there, and is let go once
the fault is done.

    source says Held(commit) ─▶ Inject ─ Injected ─▶ Tell(LetGoOrder)
    ``running`` is the destination's: once the source has said commit, the destination is awaited where it is held
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from testbed.core.agents.config import HoldAt
from testbed.core.agents.phases import MEND, RUNNING
from testbed.core.agents.told import Held, LetGoOrder
from testbed.core.plan import PlannedFault
from testbed.core.records.services import FaultRecord
from testbed.engines.native.deeds import AwaitDestination, Deed, DestinationHeld, Inject, Injected, Tell

COMMIT = "commit"


def source_holds(faults: Sequence[PlannedFault]) -> HoldAt:
    """Where the source is held; after commit too, when the destination is then to be awaited."""
    running = any(fault.phase == RUNNING for fault in faults)
    held = _holds([fault for fault in faults if fault.phase != RUNNING])
    return replace(held, after=(*held.after, COMMIT)) if running and COMMIT not in held.after else held


def destination_holds(faults: Sequence[PlannedFault]) -> HoldAt:
    """Where the destination is held."""
    return _holds([fault for fault in faults if fault.phase == RUNNING])


def _holds(faults: Sequence[PlannedFault]) -> HoldAt:
    """A link is mended when what was said has been lost with it; all else breaks before."""
    before = {fault.phase: None for fault in faults if fault.what != MEND}
    after = {fault.phase: None for fault in faults if fault.what == MEND}
    return HoldAt(before=tuple(before), after=tuple(after))


@dataclass(slots=True)
class Injecting:
    """What is planned for one migration, and what became of it so far: ``records`` in the same order."""

    planned: Sequence[PlannedFault] = ()
    records: tuple[FaultRecord, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.records = tuple(FaultRecord(phase=each.phase, what=each.what) for each in self.planned)

    def source_held(self, at: Held) -> list[Deed]:
        """What is to be done while the source stands there; then it is let go."""
        onward: list[Deed] = [Tell(order=LetGoOrder())]
        if at == Held(phase=COMMIT, said=True) and any(fault.phase == RUNNING for fault in self.planned):
            onward.append(AwaitDestination())
        return [*self._due(at), *onward]

    def destination_held(self, found: DestinationHeld) -> list[Deed]:
        """As for the source; the destination is awaited once more where the link is to be mended for it."""
        if found.at is None:
            return []
        onward: list[Deed] = [Tell(order=LetGoOrder(), destination=True)]
        if not found.at.said and destination_holds(self.planned).after:
            onward.append(AwaitDestination())
        return [*self._due(found.at), *onward]

    def done(self, found: Injected, at_s: float) -> FaultRecord:
        """What is recorded of it."""
        record = FaultRecord(phase=found.planned.phase, what=found.planned.what, at_s=at_s, fault=found.failure)
        self.records = tuple(
            record if planned == found.planned else known
            for planned, known in zip(self.planned, self.records, strict=True)
        )
        return record

    def _due(self, at: Held) -> list[Deed]:
        return [
            Inject(planned=fault)
            for fault, known in zip(self.planned, self.records, strict=True)
            if fault.phase == at.phase and (fault.what == MEND) is at.said and known.at_s is None
        ]

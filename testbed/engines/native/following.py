"""The loop around a ``Follower``: listens to the source agent, does what is to be done, tells what came of it."""

from collections.abc import Sequence
from time import monotonic

from testbed.core.agents.patience import LAST_WORD_S, STUNNED_TIMEOUT_S
from testbed.core.agents.told import AgentFailed, DestinationFinished, Gone, Held
from testbed.core.errors import TestbedError
from testbed.core.events import Observer
from testbed.core.migration_key import MigrationKey
from testbed.core.plan import PlannedFault
from testbed.engines.native.deeds import (
    AwaitDestination,
    BringUp,
    ChangeLink,
    Deed,
    DeedFailed,
    DestinationHeld,
    Drop,
    EndDestination,
    EndSource,
    Finding,
    Freeze,
    Heard,
    HearDestination,
    Inject,
    Injected,
    LastWord,
    LateOrder,
    LinkChanged,
    Publish,
    Question,
    SeeSource,
    Signalled,
    Slice,
    SourceSeen,
    TakeBack,
    TakenBack,
    Tell,
)
from testbed.engines.native.follower import Follower
from testbed.engines.native.settling import Pair, drop, freeze, go_on_at_destination, go_on_at_source, inject
from testbed.findings.ended import Ended
from testbed.linux.processes.interrupts import Noted
from testbed.linux.processes.waiting import SLICE_S
from testbed.rig.mover import SteeredLink
from testbed.rig.orders import Orders

FAULTS = (TestbedError, OSError)


class Following:
    """One migration, from the word to its end, in whatever way that comes."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that a migration is followed with
        self,
        migration: MigrationKey,
        pair: Pair,
        observer: Observer,
        timeout_s: float,
        controls: Orders,
        link: SteeredLink,
        noted: Noted | None = None,
        faults: Sequence[PlannedFault] = (),
    ) -> None:
        self._pair, self._observer, self._noted = pair, observer, noted or Noted()
        self._controls, self._link = controls, link
        self._migration = migration
        self._follower = Follower(migration, timeout_s, monotonic(), faults)

    def to_the_end(self) -> Ended:
        """Gives the word, then follows. A signal that was noted and the timeout cancel; the guest is then awaited at
        the source. Always has an answer: where the guest is could not be decided is one.
        """
        self._controls.open(self._migration)
        try:
            self._follow()
        except FAULTS as fault:
            self._recover(fault)
        finally:
            for order in self._controls.close(self._migration):
                self._hear(LateOrder(order=order))
        return self._follower.ended

    def _follow(self) -> None:
        self._do(self._follower.begin())
        while not self._follower.over:
            said = self._pair.source_agent.next_event(SLICE_S)
            if said is not None:
                self._hear(said)
            if not self._follower.over:
                self._look_around(silent=said is None)

    def _look_around(self, *, silent: bool) -> None:
        """Between two events."""
        while order := self._controls.take(self._migration):
            self._hear(order)
        if self._noted.why:
            self._hear(Signalled(why=self._noted.why))
        self._hear(Slice(silent=silent))

    def _recover(self, fault: Exception) -> None:
        try:
            self._hear(DeedFailed(fault=str(fault)))
        except FAULTS as again:
            self._hear(DeedFailed(fault=str(again)))

    def _hear(self, heard: Heard) -> None:
        self._do(self._follower.step(heard, monotonic()))

    def _do(self, deeds: list[Deed]) -> None:
        pair = self._pair
        for deed in deeds:
            match deed:
                case Tell(order=order, destination=there):
                    (pair.destination_agent if there else pair.source_agent).order(order)
                case Publish(event=event):
                    self._observer(event)
                case EndSource():
                    pair.source_agent.kill()
                case EndDestination():
                    pair.destination_agent.kill()
                case BringUp():
                    go_on_at_destination(pair)
                case Drop():
                    drop(pair)
                case _:
                    self._hear(self._find(deed))

    def _find(self, question: Question) -> Finding:  # noqa: PLR0911 - one a question
        pair = self._pair
        match question:
            case Freeze():
                return freeze(pair)
            case TakeBack(unaccepted=unaccepted):
                return TakenBack(fault=go_on_at_source(pair, unaccepted))
            case SeeSource():
                return SourceSeen(alive=pair.source.alive)
            case HearDestination():
                said = pair.destination_agent.until((DestinationFinished,), LAST_WORD_S)
                return LastWord(said=said if isinstance(said, DestinationFinished | AgentFailed | Gone) else None)
            case ChangeLink(order=order):
                return LinkChanged(order=order, fault=self._link.obey(order))
            case Inject(planned=planned):
                return Injected(planned=planned, failure=inject(pair, self._link, planned))
            case AwaitDestination():
                heard = pair.destination_agent.until((Held, DestinationFinished), STUNNED_TIMEOUT_S)  # as the source
                return DestinationHeld(
                    at=heard if isinstance(heard, Held) else None,
                    said=heard if isinstance(heard, DestinationFinished | AgentFailed) else None,
                )

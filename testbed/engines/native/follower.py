"""Following a migration to its end, decided over values: what was heard goes in with the time, what to do comes out.

    the source agent says ─┐               ┌─ Tell, Publish, ChangeLink
    somebody orders, signal┼─▶ Follower ──▶┤
    time, what a deed found┘               └─ who owns the guest: EndDestination, Freeze, then BringUp │ Drop, TakeBack

It knows no process and no clock, so each of its steps can be tried, and can fail, in a test. Who owns the guest when no
agent can say so: its own RAM says how far it came, and a destination that ran has done more operations than the frozen
source. One runner, never two, never none.
"""

from collections.abc import Sequence
from dataclasses import replace

from testbed.core.agents.patience import CANCEL_GRACE_S, SILENCE_S
from testbed.core.agents.told import (
    AgentFailed,
    CancelOrder,
    CommitUnanswered,
    DestinationFinished,
    Gone,
    Held,
    MigrateOrder,
    NeverConnected,
    ReleaseOrder,
    ResumeOrder,
    RoundCells,
    RoundDone,
    RoundProgress,
    SourceFacts,
    SourceFinished,
    Throttled,
    ThrottleOrder,
    Told,
    Unaccepted,
    UnacceptedConnections,
)
from testbed.core.events import Controlled, FaultInjected, PhaseChanged, Progress, RoundFinished
from testbed.core.migration_key import MigrationKey
from testbed.core.plan import PlannedFault
from testbed.core.records.migration import Outcome
from testbed.core.records.services import OrderRecord
from testbed.core.rounds import Action
from testbed.engines.native.deeds import (
    BringUp,
    ChangeLink,
    Deed,
    DeedFailed,
    DestinationHeld,
    Drop,
    EndDestination,
    EndSource,
    Freeze,
    Frozen,
    Heard,
    HearDestination,
    Injected,
    LastWord,
    LateOrder,
    LinkChanged,
    Publish,
    SeeSource,
    Signalled,
    Slice,
    SourceSeen,
    TakeBack,
    TakenBack,
    Tell,
)
from testbed.engines.native.injecting import Injecting
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.linux.processes.waiting import Patience
from testbed.rig.orders import Order

BY_HAND = "cancelled by hand"
SETTLE = (EndDestination(), Freeze())
"""What has to be done before it can be decided where the guest is."""


class Follower:
    """What is to be done about one migration, from its beginning at ``now`` (seconds of one clock, as all ``now``).
    ``ended`` is how it went as far as it went; ``over``: it has ended, once the deeds of the last step are done.
    ``faults`` are injected.
    """

    def __init__(
        self, migration: MigrationKey, timeout_s: float, now: float, faults: Sequence[PlannedFault] = ()
    ) -> None:
        self._migration, self._began, self._now = migration, now, now
        self._silence = Patience(SILENCE_S, lambda: self._now)
        self._time = Patience(timeout_s, lambda: self._now)
        self._cancelled_because: str | None = None
        self._ended_because = ""
        self._unaccepted: tuple[Unaccepted, ...] = ()
        self._last_word: DestinationFinished | AgentFailed | None = None
        self._in_doubt = self._broken = False
        self._injecting = Injecting(faults)
        self.ended, self.over = Ended(faults=self._injecting.records), False

    def begin(self) -> list[Deed]:
        """The word is given."""
        return [
            Tell(order=MigrateOrder()),
            Publish(event=PhaseChanged(at=self._now, migration=self._migration, phase="precopy")),
        ]

    def step(self, heard: Heard, now: float) -> list[Deed]:  # noqa: PLR0911 - one a kind
        """What to do about it, in order. What a deed finds is to be heard before the next one is done, and
        ``DeedFailed`` instead of all that are left. Raises nothing.
        """
        self._now = now
        match heard:
            case Slice(silent=silent):
                return self._watch(silent=silent)
            case Signalled(why=why):
                return self._interrupt(why)
            case Order():
                return self._obey(heard)
            case LateOrder(order=order):
                return self._note(order.what, order.value, "the migration had ended")
            case LinkChanged() | SourceSeen() | LastWord() | Frozen() | TakenBack() | DeedFailed():
                return self._find(heard)
            case Injected():
                return self._injected(heard)
            case DestinationHeld():
                self._last_word = heard.said or self._last_word
                return self._injecting.destination_held(heard)
        self._silence.anew()
        return self._hear(heard)

    def _watch(self, *, silent: bool) -> list[Deed]:
        """An agent that hangs is ended; its end is then heard next."""
        late = self._time.over()
        if silent and self._silence.over():
            return self._end_agent(f"the source agent said nothing for {SILENCE_S:g} s and was ended")
        if self._cancelled_because and late:
            return self._end_agent(f"{self._cancelled_because}; the source agent did not stop and was ended")
        return self._cancel("the migration took longer than its timeout") if late else []

    def _interrupt(self, why: str) -> list[Deed]:
        if self.ended.interrupted:
            return []
        self.ended = replace(self.ended, interrupted=True)
        return self._cancel(why)

    def _obey(self, order: Order) -> list[Deed]:
        """By hand: each is an event, and in the record; a throttle once the agent says what came of it."""
        match order.what:
            case "cancel":
                return [*self._note(order.what, None, None), *self._cancel(BY_HAND)]
            case "throttle":
                return [Tell(order=ThrottleOrder(level=order.value or 0.0))]
        return [ChangeLink(order=order)]

    def _note(self, what: str, value: float | None, fault: str | None) -> list[Deed]:
        record = OrderRecord(at_s=self._now - self._began, what=what, value=value, fault=fault)
        self.ended = replace(self.ended, controls=(*self.ended.controls, record))
        return [Publish(event=Controlled(at=self._now, migration=self._migration, what=what, value=value, fault=fault))]

    def _injected(self, found: Injected) -> list[Deed]:
        """A fault by plan: an event, and in the record."""
        record = self._injecting.done(found, self._now - self._began)
        self.ended = replace(self.ended, faults=self._injecting.records)
        told = FaultInjected(
            at=self._now, migration=self._migration, phase=record.phase, what=record.what, fault=record.fault
        )
        return [Publish(event=told)]

    def _cancel(self, why: str) -> list[Deed]:
        self._cancelled_because = self._cancelled_because or why
        self._time.anew(CANCEL_GRACE_S)
        return [Tell(order=CancelOrder())]

    def _end_agent(self, because: str) -> list[Deed]:
        self._ended_because = because
        return [EndSource()]

    def _hear(self, said: Told | Gone) -> list[Deed]:
        match said:
            case RoundProgress() | RoundDone() | RoundCells() | Throttled() | UnacceptedConnections():
                return self._go_on(said)
            case CommitUnanswered():
                self._in_doubt = True
                return [*SETTLE]
            case SourceFinished() | NeverConnected() | AgentFailed():
                return self._finish(said)
            case Gone():
                self._ended_because = self._ended_because or f"the source agent {said}"
                return [*SETTLE]
            case Held():
                return self._injecting.source_held(said)
        return self._end_agent(f"the source agent said what it may not say now ({type(said).__name__}) and was ended")

    def _go_on(self, said: RoundProgress | RoundDone | RoundCells | Throttled | UnacceptedConnections) -> list[Deed]:
        match said:
            case RoundProgress(at=at, round=index, sent_bytes=sent, round_bytes=size):
                return [
                    Publish(
                        event=Progress(at=at, migration=self._migration, round=index, sent_bytes=sent, round_bytes=size)
                    )
                ]
            case Throttled(level=level, fault=fault):
                return self._note("throttle", level, fault)
            case UnacceptedConnections(connections=connections):
                self._unaccepted = connections
                return []
            case RoundCells():
                self.ended = replace(self.ended, cells=(*self.ended.cells, said))
                return []
        self.ended = replace(self.ended, rounds=(*self.ended.rounds, (said.round, said.decision)))
        done = RoundFinished(at=said.at, migration=self._migration, round=said.round, decision=said.decision)
        deeds: list[Deed] = [Publish(event=done)]
        if said.decision and said.decision.action is Action.SWITCH_OVER:
            deeds.append(Publish(event=PhaseChanged(at=said.at, migration=self._migration, phase="switchover")))
        return deeds

    def _finish(self, said: SourceFinished | NeverConnected | AgentFailed) -> list[Deed]:
        match said:
            case SourceFinished(outcome=outcome, reason=reason, facts=facts):
                return self._heard_out(self._conclude(outcome, reason, facts))
            case AgentFailed(reason=reason):
                return self._heard_out(self._conclude("failed", reason))
            case NeverConnected(refused=False):
                return self._conclude(said.outcome, said.reason)  # the destination has heard of nothing
        return self._heard_out(self._conclude(said.outcome, said.reason))  # it had ended before, and says why

    def _heard_out(self, deeds: list[Deed]) -> list[Deed]:
        """And the destination's last word, unless it was heard while it was awaited: it says that once."""
        if self._last_word is None:
            return [*deeds, HearDestination()]
        self._hear_destination(self._last_word)
        return deeds

    def _conclude(self, outcome: Outcome, reason: str, facts: SourceFacts | None = None) -> list[Deed]:
        self.over = True
        self.ended = replace(self.ended, outcome=outcome, reason=reason, facts=facts)
        if self._cancelled_because and self.ended.outcome == "cancelled":
            self.ended = replace(self.ended, reason=self._cancelled_because)
        if self.ended.outcome == "completed":
            self._cancelled_too_late()
        return [SeeSource()]

    def _cancelled_too_late(self) -> None:
        """A cancel after commit changed nothing."""
        given_away = "the guest had been given away"
        controls = [replace(each, fault=given_away) if each.what == "cancel" else each for each in self.ended.controls]
        self.ended = replace(self.ended, controls=tuple(controls))

    def _find(self, found: LinkChanged | SourceSeen | LastWord | Frozen | TakenBack | DeedFailed) -> list[Deed]:
        match found:
            case LinkChanged(order=order, fault=fault):
                return self._note(order.what, order.value, fault)
            case SourceSeen(alive=alive):
                here = SOURCE if alive else None
                self.ended = replace(self.ended, runs_at=DESTINATION if self.ended.outcome == "completed" else here)
            case LastWord(said=said):
                self._hear_destination(said)
            case Frozen():
                return self._settle(found)
            case TakenBack(fault=fault):
                self.ended = replace(self.ended, reason=self.ended.reason + fault)
            case DeedFailed(fault=fault):
                return self._recover(fault)
        return []

    def _hear_destination(self, said: DestinationFinished | AgentFailed | Gone | None) -> None:
        if isinstance(said, DestinationFinished):
            self.ended = replace(self.ended, destination=said)
        reason = f"its agent {said}" if isinstance(said, Gone) else said.reason if said else ""
        if reason and self.ended.outcome == "aborted" and reason not in self.ended.reason:
            self.ended = replace(self.ended, reason=f"{self.ended.reason} (the destination: {reason})")

    def _settle(self, found: Frozen) -> list[Deed]:
        """Decides for good where the guest lives. In doubt the source agent is told, and brings it to its end."""
        there = found.destination_operations > found.source_operations
        deeds: list[Deed] = [BringUp() if there else Drop()]
        if self._in_doubt:
            self._in_doubt = False
            return [*deeds, Tell(order=ReleaseOrder() if there else ResumeOrder())]
        self.over = True
        self._hear_destination(self._last_word)
        because = self._ended_because
        if there:
            reason = f"{because} after commit; the guest runs at the destination"
            self.ended = replace(self.ended, outcome="completed", runs_at=DESTINATION, reason=reason)
            return deeds
        reason = f"{because} before commit; the guest runs on at the source"
        self.ended = replace(self.ended, runs_at=SOURCE if found.source_alive else None, reason=reason)
        return [*deeds, TakeBack(unaccepted=self._unaccepted)]

    def _recover(self, fault: str) -> list[Deed]:
        """Once it is decided without the agents; what fails then leaves nothing that could be tried."""
        if self._broken:
            self.over = True
            reason = f"where the guest is could not be decided, and neither host was told to run it: {fault}"
            self.ended = replace(self.ended, outcome="failed", runs_at=None, reason=reason)
            return []
        self._broken, self._in_doubt = True, False
        return [*self._end_agent(f"{fault}: the source agent was ended"), *SETTLE]

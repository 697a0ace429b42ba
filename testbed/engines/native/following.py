"""Following a migration to its end, in whatever way it comes: what its agents say, what somebody orders, what hangs."""

from dataclasses import dataclass, field
from time import monotonic

from testbed.core.agents.told import (
    AgentFailed,
    CancelOrder,
    CommitUnanswered,
    DestinationFinished,
    Gone,
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
from testbed.core.errors import TestbedError
from testbed.core.events import Controlled, Observer, PhaseChanged, Progress, RoundFinished
from testbed.core.records.migration import Outcome
from testbed.core.records.services import ControlRecord
from testbed.core.records.stamps import Stamps
from testbed.core.rounds import Action, Decision, Round
from testbed.engines.native.settling import Pair, go_on_at_source, settle
from testbed.linux.processes.interrupts import Noted
from testbed.linux.processes.waiting import SLICE_S, Patience
from testbed.rig.orders import Controls, LinkControl, Order

SOURCE, DESTINATION = "esx1", "esx2"
BY_HAND = "cancelled by hand"
CANCEL_GRACE_S = 10.0
"""How long a source may take to stop after a cancel, before its agent is ended instead."""
SILENCE_S = 20.0
"""An agent that says nothing for so long hangs: it tells its progress several times a second, and waits for no answer
that long while the guest stands still. Without this a guest could be stunned for as long as the timeout lasts."""
LAST_WORD_S = 5.0
"""How long a destination may take to say how it ended, once the source has."""


@dataclass(slots=True, kw_only=True)
class Ended:
    """How a migration went. ``runs_at`` is the host where the guest is to run from then on, None when that could not be
    decided; ``facts`` and ``destination`` are what the agents said at their ends, None of one that did not.
    """

    outcome: Outcome = "failed"
    reason: str = ""
    runs_at: str | None = None
    rounds: list[tuple[Round, Decision | None]] = field(default_factory=list)
    facts: SourceFacts | None = None
    destination: DestinationFinished | None = None
    cells: list[RoundCells] = field(default_factory=list)
    announced: int = 0
    announce_fault: str | None = None
    controls: list[ControlRecord] = field(default_factory=list)
    interrupted: bool = False

    @property
    def stamps(self) -> Stamps:
        """Of its switchover; all None where nobody said."""
        return self.facts.stamps if self.facts else Stamps()


class Following:
    """Reads the source agent's events until the migration has ended, in whatever way."""

    def __init__(
        self,
        pair: Pair,
        observer: Observer,
        timeout_s: float,
        controls: Controls,
        link: LinkControl,
        noted: Noted | None = None,
    ) -> None:
        self._pair, self._observer, self._noted = pair, observer, noted or Noted()
        self._controls, self._link, self._began = controls, link, monotonic()
        self._silence, self._time = Patience(SILENCE_S), Patience(timeout_s)
        self._cancelled_because: str | None = None
        self._ended_because: str | None = None
        self._unaccepted: tuple[Unaccepted, ...] = ()
        self.ended = Ended()

    def to_the_end(self) -> Ended:
        """Gives the word, then follows. A signal that was noted and the timeout cancel; the guest is then awaited at
        the source. Always has an answer: where the guest is could not be decided is one.
        """
        self._controls.open()
        try:
            self._follow()
        except (TestbedError, OSError) as fault:
            self._decide_without_it(fault)
        finally:
            for order in self._controls.close():
                self._note(order.what, order.value, "the migration had ended")
        return self.ended

    def _follow(self) -> None:
        self._pair.source_agent.order(MigrateOrder())
        self._observer(PhaseChanged(at=monotonic(), phase="precopy"))
        over = False
        while not over:
            event = self._pair.source_agent.next_event(SLICE_S)
            if event is not None:
                self._silence.anew()
                over = self._hear(event)
            if not over:
                self._watch(silent=event is None)

    def _hear(self, event: Told | Gone) -> bool:
        """Whether that was the end."""
        match event:
            case RoundProgress() | RoundDone() | RoundCells() | Throttled():
                self._note_event(event)
            case UnacceptedConnections(connections=connections):
                self._unaccepted = connections
            case CommitUnanswered():
                self._pair.source_agent.order(ReleaseOrder() if settle(self._pair) else ResumeOrder())
            case SourceFinished() | NeverConnected() | AgentFailed():
                self._on_finished(event)
                return True
            case Gone():
                self._on_gone(event)
                return True
        return False

    def _note_event(self, event: RoundProgress | RoundDone | RoundCells | Throttled) -> None:
        match event:
            case RoundProgress(at=at, round=index, sent_bytes=sent, round_bytes=of):
                self._observer(Progress(at=at, round=index, sent_bytes=sent, round_bytes=of))
            case RoundDone():
                self._on_round(event)
            case RoundCells():
                self.ended.cells.append(event)
            case Throttled(level=level, fault=fault):
                self._note("throttle", level, fault)

    def _decide_without_it(self, fault: Exception) -> None:
        try:
            self._end_agent(f"{fault}: the source agent was ended")
            self._on_gone(Gone())
        except (TestbedError, OSError) as again:
            self.ended.outcome, self.ended.runs_at = "failed", None
            self.ended.reason = f"where the guest is could not be decided, and neither host was told to run it: {again}"

    def _cancel(self, why: str) -> None:
        self._cancelled_because = self._cancelled_because or why
        self._time.anew(CANCEL_GRACE_S)
        self._pair.source_agent.order(CancelOrder())

    def _obey(self, order: Order) -> None:
        """By hand: each is an event, and in the record; a throttle once the agent says what came of it."""
        match order.what:
            case "cancel":
                self._note(order.what, None, None)
                self._cancel(BY_HAND)
            case "throttle":
                self._pair.source_agent.order(ThrottleOrder(level=order.value or 0.0))
            case _:
                self._note(order.what, order.value, self._link.obey(order))

    def _note(self, what: str, value: float | None, fault: str | None) -> None:
        now = monotonic()
        self.ended.controls.append(ControlRecord(at_s=now - self._began, what=what, value=value, fault=fault))
        self._observer(Controlled(at=now, what=what, value=value, fault=fault))

    def _watch(self, *, silent: bool) -> None:
        """Between two events. ``silent``: there is nothing to be read. An agent that hangs is ended; its end is then
        the next event.
        """
        while order := self._controls.take():
            self._obey(order)
        if self._noted.why and not self.ended.interrupted:
            self.ended.interrupted = True
            self._cancel(self._noted.why)
        late = self._time.over()
        if silent and self._silence.over():
            self._end_agent(f"the source agent said nothing for {SILENCE_S:g} s and was ended")
        elif self._cancelled_because and late:
            self._end_agent(f"{self._cancelled_because}; the source agent did not stop and was ended")
        elif late:
            self._cancel("the migration took longer than its timeout")

    def _end_agent(self, because: str) -> None:
        self._ended_because = because
        self._pair.source_agent.kill()

    def _on_round(self, event: RoundDone) -> None:
        self.ended.rounds.append((event.round, event.decision))
        self._observer(RoundFinished(at=event.at, round=event.round, decision=event.decision))
        if event.decision and event.decision.action is Action.SWITCH_OVER:
            self._observer(PhaseChanged(at=event.at, phase="switchover"))

    def _on_finished(self, event: SourceFinished | NeverConnected | AgentFailed) -> None:
        self.ended.outcome = "failed" if isinstance(event, AgentFailed) else event.outcome
        self.ended.reason = event.reason
        if self._cancelled_because and self.ended.outcome == "cancelled":
            self.ended.reason = self._cancelled_because
        self._leave_it_at_source()
        if isinstance(event, SourceFinished):
            self.ended.facts = event.facts
        if self.ended.outcome == "completed":
            self.ended.runs_at = DESTINATION
            self._cancelled_too_late()
        if not isinstance(event, NeverConnected):  # else the destination has heard of nothing, and says nothing
            self._hear_destination(event.reason)

    def _hear_destination(self, said: str) -> None:
        heard = self._pair.destination_agent.until(DestinationFinished, LAST_WORD_S)
        if isinstance(heard, DestinationFinished):
            self.ended.destination = heard
        if not isinstance(heard, DestinationFinished | AgentFailed) or self.ended.outcome != "aborted":
            return
        if heard.reason and heard.reason not in said:
            self.ended.reason += f" (the destination: {heard.reason})"

    def _leave_it_at_source(self) -> None:
        self.ended.runs_at = SOURCE if self._pair.source.alive else None

    def _cancelled_too_late(self) -> None:
        """A cancel after commit changed nothing."""
        for order in self.ended.controls:
            if order.what == "cancel":
                order.fault = "the guest had been given away"

    def _on_gone(self, event: Gone) -> None:
        because = self._ended_because or f"the source agent {event}"
        if settle(self._pair):
            self.ended.outcome, self.ended.runs_at = "completed", DESTINATION
            self.ended.reason = f"{because} after commit; the guest runs at the destination"
        else:
            self._leave_it_at_source()
            self.ended.reason = f"{because} before commit; the guest runs on at the source"
            self.ended.reason += go_on_at_source(self._pair, self._unaccepted)

"""Following a migration to its end, in whatever way it comes: what its agents say, what somebody orders, what hangs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from testbed.core.errors import TestbedError
from testbed.core.events import Controlled, Observer, PhaseChanged, Progress, RoundFinished
from testbed.core.records.migration import Outcome
from testbed.core.records.services import ControlRecord
from testbed.core.rounds import Action, Decision, Round, RoundKind, Throttle
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
    decided; ``facts`` what the source agent said at its end, empty when it died.
    """

    outcome: Outcome = "failed"
    reason: str = ""
    runs_at: str | None = None
    rounds: list[tuple[Round, Decision | None]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    destination: dict[str, Any] = field(default_factory=dict)
    cells: list[dict[str, Any]] = field(default_factory=list)
    announced: int = 0
    announce_fault: str | None = None
    controls: list[ControlRecord] = field(default_factory=list)
    interrupted: bool = False


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
        self._gone_because = "the source agent died"
        self._unaccepted: list[Any] = []
        self.ended = Ended()
        self._handlers: dict[str, Callable[[dict[str, Any]], bool]] = {
            "progress": self._on_progress,
            "round": self._on_round,
            "cells": self._on_cells,
            "throttled": self._on_throttled,
            "in_doubt": self._on_in_doubt,
            "unaccepted": self._on_unaccepted,
            "finished": self._on_finished,
            "gone": self._on_gone,
        }

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
        self._pair.source_agent.order("migrate")
        self._observer(PhaseChanged(at=monotonic(), phase="precopy"))
        over = False
        while not over:
            event = self._pair.source_agent.next_event(SLICE_S)
            if event is not None:
                self._silence.anew()
                over = self._handlers[event["event"]](event)
            if not over:
                self._watch(silent=event is None)

    def _decide_without_it(self, fault: Exception) -> None:
        try:
            self._end_agent(f"{fault}: the source agent was ended")
            self._on_gone({})
        except (TestbedError, OSError) as again:
            self.ended.outcome, self.ended.runs_at = "failed", None
            self.ended.reason = f"where the guest is could not be decided, and neither host was told to run it: {again}"

    def _cancel(self, why: str) -> None:
        self._cancelled_because = self._cancelled_because or why
        self._time.anew(CANCEL_GRACE_S)
        self._pair.source_agent.order("cancel")

    def _obey(self, order: Order) -> None:
        """By hand: each is an event, and in the record; a throttle once the agent says what came of it."""
        match order.what:
            case "cancel":
                self._note(order.what, None, None)
                self._cancel(BY_HAND)
            case "throttle":
                self._pair.source_agent.order("throttle", level=order.value)
            case _:
                self._note(order.what, order.value, self._link.obey(order))

    def _note(self, what: str, value: float | None, fault: str | None) -> None:
        now = monotonic()
        self.ended.controls.append(ControlRecord(at_s=now - self._began, what=what, value=value, fault=fault))
        self._observer(Controlled(at=now, what=what, value=value, fault=fault))

    def _on_throttled(self, event: dict[str, Any]) -> bool:
        self._note("throttle", event["level"], event["fault"])
        return False

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
        self._gone_because = because
        self._pair.source_agent.kill()

    def _on_progress(self, event: dict[str, Any]) -> bool:
        self._observer(
            Progress(
                at=event["at"],
                round=event["round"],
                sent_bytes=event["sent_bytes"],
                round_bytes=event["round_bytes"],
            )
        )
        return False

    def _on_round(self, event: dict[str, Any]) -> bool:
        finished, decision = read_round(event["round"]), read_decision(event["decision"])
        self.ended.rounds.append((finished, decision))
        self._observer(RoundFinished(at=event["at"], round=finished, decision=decision))
        if decision and decision.action is Action.SWITCH_OVER:
            self._observer(PhaseChanged(at=event["at"], phase="switchover"))
        return False

    def _on_cells(self, event: dict[str, Any]) -> bool:
        self.ended.cells.append({name: event[name] for name in ("round", "pages", "cell_pages", "sent", "dirtied")})
        return False

    def _on_unaccepted(self, event: dict[str, Any]) -> bool:
        self._unaccepted = event["connections"]
        return False

    def _on_in_doubt(self, _event: dict[str, Any]) -> bool:
        self._pair.source_agent.order("release" if settle(self._pair) else "resume")
        return False

    def _on_finished(self, event: dict[str, Any]) -> bool:
        self.ended.outcome, self.ended.reason, self.ended.facts = event["outcome"], event["reason"], event
        if self._cancelled_because and event["outcome"] == "cancelled":
            self.ended.reason = self._cancelled_because
        self._leave_it_at_source()
        if event["outcome"] == "completed":
            self.ended.runs_at = DESTINATION
            self._cancelled_too_late()
        if event.get("connected", True):  # else the destination has heard of nothing, and says nothing
            self.ended.destination = self._pair.destination_agent.until("finished", LAST_WORD_S) or {}
        heard = self.ended.destination.get("reason")
        if event["outcome"] == "aborted" and heard and heard not in event["reason"]:
            self.ended.reason += f" (the destination: {heard})"
        return True

    def _leave_it_at_source(self) -> None:
        self.ended.runs_at = SOURCE if self._pair.source.alive else None

    def _cancelled_too_late(self) -> None:
        """A cancel after commit changed nothing."""
        for order in self.ended.controls:
            if order.what == "cancel":
                order.fault = "the guest had been given away"

    def _on_gone(self, _event: dict[str, Any]) -> bool:
        if settle(self._pair):
            self.ended.outcome, self.ended.runs_at = "completed", DESTINATION
            self.ended.reason = f"{self._gone_because} after commit; the guest runs at the destination"
        else:
            self._leave_it_at_source()
            self.ended.reason = f"{self._gone_because} before commit; the guest runs on at the source"
            self.ended.reason += go_on_at_source(self._pair, self._unaccepted)
        return True


def read_round(fields: dict[str, Any]) -> Round:
    """A round out of an agent's event."""
    return Round(**{**fields, "kind": RoundKind(fields["kind"])})


def read_decision(fields: dict[str, Any] | None) -> Decision | None:
    """A decision out of an agent's event."""
    if fields is None:
        return None
    throttle = fields["throttle"]
    return Decision(
        action=Action(fields["action"]),
        reason=fields["reason"],
        throttle=None if throttle is None else Throttle(**throttle),
    )

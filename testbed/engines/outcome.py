"""Following a migration to its end, and the operator's part when an agent dies: one runner, never two, never none.

A guest's own RAM says how far it came. A destination that ran has done more operations than the frozen source, so
even with both agents dead it can be told who owns the guest: freeze both, compare, end one.
"""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from testbed.core.errors import Interrupted, TestbedError
from testbed.core.events import Controlled, PhaseChanged, Progress, RoundFinished
from testbed.core.record import Outcome
from testbed.core.rounds import Action, Decision, Round, RoundKind, Throttle
from testbed.core.service_record import ControlRecord
from testbed.engines import Observer
from testbed.engines.agents import AgentProcess
from testbed.engines.control import Controls, LinkControl, Order
from testbed.engines.guests import GuestProcess
from testbed.linux.nic import Nic
from testbed.migration.rescue import bring_up, take_back

BY_HAND = "cancelled by hand"
CANCEL_GRACE_S = 10.0
"""How long a source may take to stop after a cancel, before its agent is ended instead."""


SILENCE_S = 20.0
"""An agent that says nothing for so long hangs: it tells its progress several times a second, and waits for no answer
that long while the guest stands still. Without this a guest could be stunned for as long as the timeout lasts."""


@dataclass(slots=True, kw_only=True)
class Ended:
    """How a migration went. ``facts`` is what the source agent said at its end, empty when it died."""

    outcome: Outcome = "failed"
    reason: str = ""
    rounds: list[tuple[Round, Decision | None]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    destination: dict[str, Any] = field(default_factory=dict)
    cells: list[dict[str, Any]] = field(default_factory=list)
    announced: int = 0
    announce_fault: str | None = None
    controls: list[ControlRecord] = field(default_factory=list)
    interrupted: bool = False


@dataclass(slots=True, kw_only=True)
class Pair:
    """Both hosts' agents and guests; ``nic`` is what the agents were told of the guest's network, None without one;
    ``frames`` announce the guest on it.
    """

    source_agent: AgentProcess
    destination_agent: AgentProcess
    source: GuestProcess
    destination: GuestProcess
    nic: dict[str, Any] | None = None
    frames: tuple[bytes, ...] = ()


class Following:
    """Reads the source agent's events until the migration has ended, in whatever way."""

    def __init__(self, pair: Pair, observer: Observer, timeout_s: float, controls: Controls, link: LinkControl) -> None:
        self._pair, self._observer = pair, observer
        self._controls, self._link, self._began = controls, link, monotonic()
        self._deadline = monotonic() + timeout_s
        self._heard = monotonic()
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
        """Gives the word, then follows. Ctrl-C and the timeout cancel; the guest is then awaited at the source."""
        self._controls.open()
        try:
            return self._follow()
        finally:
            for order in self._controls.close():
                self._note(order.what, order.value, "the migration had ended")

    def _follow(self) -> Ended:
        self._pair.source_agent.order("migrate")
        told = False
        while True:
            try:
                if not told:
                    told = True
                    self._observer(PhaseChanged(at=monotonic(), phase="precopy"))
                event = self._pair.source_agent.next_event(0.2)
            except Interrupted as stop:
                self.ended.interrupted = True
                self._cancel(str(stop))
                continue
            if event is not None:
                self._heard = monotonic()
                if self._handlers[event["event"]](event):
                    return self.ended
            self._watch()

    def _cancel(self, why: str) -> None:
        self._cancelled_because = self._cancelled_because or why
        self._deadline = monotonic() + CANCEL_GRACE_S
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

    def _watch(self) -> None:
        """An agent that hangs is ended; its end is then the next event."""
        while order := self._controls.take():
            self._obey(order)
        now = monotonic()
        if now > self._heard + SILENCE_S:
            self._end_agent(f"the source agent said nothing for {SILENCE_S:g} s and was ended")
        elif self._cancelled_because and now > self._deadline:
            self._end_agent(f"{self._cancelled_because}; the source agent did not stop and was ended")
        elif now > self._deadline:
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
        if event["outcome"] == "completed":
            self._cancelled_too_late()
        self.ended.destination = self._pair.destination_agent.until("finished", 5.0) or {}
        heard = self.ended.destination.get("reason")
        if event["outcome"] == "aborted" and heard and heard not in event["reason"]:
            self.ended.reason += f" (the destination: {heard})"
        return True

    def _cancelled_too_late(self) -> None:
        """A cancel after commit changed nothing."""
        for order in self.ended.controls:
            if order.what == "cancel":
                order.fault = "the guest had been given away"

    def _on_gone(self, _event: dict[str, Any]) -> bool:
        if settle(self._pair):
            self.ended.outcome = "completed"
            self.ended.reason = f"{self._gone_because} after commit; the guest runs at the destination"
        else:
            self.ended.reason = f"{self._gone_because} before commit; the guest runs on at the source"
            self.ended.reason += _go_on_at_source(self._pair, self._unaccepted)
        return True


def settle(pair: Pair) -> bool:
    """Decides for good where the guest lives: True at the destination, which then runs; False at the source, and the
    destination's guest is ended. The source is left frozen either way.
    """
    pair.destination_agent.kill()
    pair.source.freeze()
    pair.destination.freeze()
    if pair.destination.operations() > pair.source.operations():
        _go_on_at_destination(pair)
        return True
    _silence(pair)
    pair.destination.kill()
    return False


def _silence(pair: Pair) -> None:
    """The guest that never ran says nothing to its clients when it is ended: they are the source's."""
    if pair.nic is not None and pair.destination.alive:
        pid, nic = pair.destination.process.pid, pair.nic
        with suppress(OSError), closing(Nic(pid, nic["interface"], nic["ip"], nic["prefix"])) as its:
            its.silence()


def _go_on_at_destination(pair: Pair) -> None:
    """As the agent would have done it: the network first, then the guest. One that cannot be reached there runs there
    all the same, and the switch is found to send what is for it elsewhere.
    """
    if pair.nic is not None and pair.destination.alive:
        with suppress(TestbedError):
            bring_up(pair.destination.process.pid, **pair.nic, frames=pair.frames)
    pair.destination.thaw()


def _go_on_at_source(pair: Pair, unaccepted: list[Any]) -> str:
    """As the agent would have done it: the network first, then the guest. What could not be done, as words to add."""
    fault = ""
    if pair.nic is not None and pair.source.alive:
        try:
            take_back(pair.source.process.pid, **pair.nic, frames=pair.frames, unaccepted=unaccepted)
        except TestbedError as error:
            fault = f", but {error}"
    pair.source.thaw()
    return fault


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

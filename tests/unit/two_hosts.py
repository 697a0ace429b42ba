"""Two toy guests, their agents and a clock: does what a ``Follower`` wants done, and fails where a test says so."""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.core.agents.told import AgentFailed, AgentOrder, DestinationFinished, Gone, Held, ResumeOrder
from testbed.core.events import Event
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
    EndSource,
    Finding,
    Freeze,
    Frozen,
    Heard,
    HearDestination,
    Inject,
    Injected,
    LastWord,
    LinkChanged,
    Publish,
    Question,
    SeeSource,
    Slice,
    SourceSeen,
    TakeBack,
    TakenBack,
    Tell,
)  # fmt: skip
from testbed.engines.native.follower import Follower

LAST = DestinationFinished(outcome="aborted", reason="it was told so", cpu_s=0.1)


class Fault(Exception):
    """Of a deed."""


@dataclass
class World:
    """``says``: the source agent's words, or what happens between them; then it has died. ``done``: operations of the
    source's guest and of the destination's. ``fails``: which deeds do, counted from 0; ``after``: with their effect.
    """

    says: list[Any]
    done: tuple[int, int] = (10, 0)
    fails: Collection[int] = ()
    after: bool = False
    timeout_s: float = 600.0
    follower: Follower = field(init=False)
    last_word: DestinationFinished | AgentFailed | Gone | None = LAST
    now: float = 100.0
    source_runs: bool = True
    source_alive: bool = True
    destination_runs: bool = False
    agent_lives: bool = True
    faults: Sequence[PlannedFault] = ()
    destination_stands: Sequence[Held | DestinationFinished | AgentFailed] = ()
    heard_out: bool = False
    deeds: list[Deed] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left, self.stands = deque(self.says), iter(self.destination_stands)
        self.follower = Follower(MigrationKey(name="m"), self.timeout_s, self.now, self.faults)

    @property
    def told(self) -> list[AgentOrder]:
        return [deed.order for deed in self.deeds if isinstance(deed, Tell)]

    @property
    def runners(self) -> int:
        return self.source_runs + self.destination_runs

    def switch_over(self) -> None:
        """The source is stunned, and the destination's guest took its first step."""
        self.source_runs, self.destination_runs, self.done = False, True, (self.done[0], self.done[0] + 1)

    def stun(self) -> None:
        self.source_runs = False

    def resume(self) -> None:
        self.source_runs = True

    def run(self) -> "World":
        """To the end, as the loop around a ``Follower`` does it."""
        try:
            self._do(self.follower.begin())
            while not self.follower.over:
                heard = self.next()
                self.hear(heard if heard else Slice(silent=True))
                if heard and not self.follower.over:
                    self.hear(Slice(silent=False))
        except Fault as fault:
            self._recover(fault)
        return self

    def _recover(self, fault: Fault) -> None:
        try:
            self.hear(DeedFailed(fault=str(fault)))
        except Fault as again:
            self.hear(DeedFailed(fault=str(again)))

    def next(self) -> Heard | None:
        while self.agent_lives and self.left:
            said = self.left.popleft()
            if not isinstance(said, Happens):
                return said  # type: ignore[no-any-return]
            said.what(self)
        return Gone()

    def hear(self, heard: Heard) -> None:
        self._do(self.follower.step(heard, self.now))

    def _do(self, deeds: list[Deed]) -> None:
        for deed in deeds:
            number = len(self.deeds)
            self.deeds.append(deed)
            if number in self.fails and not self.after:
                raise Fault(f"deed {number} failed")
            found = self._carried_out(deed)
            if number in self.fails:
                raise Fault(f"deed {number} failed")
            if found:
                self.hear(found)

    def _carried_out(self, deed: Deed) -> Finding | None:
        match deed:
            case Tell(order=ResumeOrder()):
                assert not self.destination_runs
                self.source_runs = self.source_alive and self.agent_lives
            case Publish(event=event):
                self.events.append(event)
            case EndSource():
                self.agent_lives = False
            case BringUp():
                assert not self.source_runs, "two would run"
                self.destination_runs = True
            case Drop():
                self.destination_runs = False
            case Freeze() | TakeBack() | SeeSource() | HearDestination() | ChangeLink() | Inject() | AwaitDestination():
                return self._found(deed)
        return None

    def _found(self, question: Question) -> Finding:  # noqa: PLR0911 - one a question
        match question:
            case Freeze():
                self.source_runs = self.destination_runs = False
                source, destination = self.done
                return Frozen(
                    source_operations=source, destination_operations=destination, source_alive=self.source_alive
                )
            case TakeBack():
                assert not self.destination_runs, "two would run"
                self.source_runs = self.source_alive
                return TakenBack(fault="")
            case SeeSource():
                return SourceSeen(alive=self.source_alive)
            case HearDestination():
                return LastWord(said=None if self.heard_out else self.last_word)
            case ChangeLink(order=order):
                return LinkChanged(order=order, fault=None)
            case Inject(planned=planned):
                self._break(planned.what)
                return Injected(planned=planned, failure=None)
            case AwaitDestination():
                return self._awaited()

    def _awaited(self) -> DestinationHeld:
        """Its last word is said once, as down a pipe."""
        stands = next(self.stands, None)
        if stands is None or isinstance(stands, Held):
            return DestinationHeld(at=stands)
        self.heard_out = True
        return DestinationHeld(at=None, said=stands)

    def _break(self, what: str) -> None:
        """Of what may break only the source agent is there."""
        self.agent_lives = self.agent_lives and what != "kill-source"


@dataclass(frozen=True)
class Happens:
    """Something between two words of the source agent."""

    what: Callable[[World], None]

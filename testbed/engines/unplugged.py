"""Faults in a simulated migration: the model's source fails as planned, and what is to be done about it is decided by
the very ``Follower`` of a real run, which hears what its agents would have said.
"""

from collections import deque
from dataclasses import replace

from testbed.core.agents.phases import MEND
from testbed.core.agents.told import CommitUnanswered, Gone, ResumeOrder, SourceFacts, SourceFinished, ThrottleFacts
from testbed.core.errors import InDoubt, ScenarioError
from testbed.core.events import Observer
from testbed.core.plan import Plan
from testbed.core.records.migration import Outcome
from testbed.core.records.stamps import Stamps
from testbed.engines.native.deeds import (
    Deed,
    EndSource,
    Finding,
    Freeze,
    Frozen,
    Heard,
    HearDestination,
    Injected,
    LastWord,
    Publish,
    SeeSource,
    Slice,
    SourceSeen,
    TakeBack,
    TakenBack,
    Tell,
)
from testbed.engines.native.follower import Follower
from testbed.engines.native.injecting import Injecting
from testbed.findings.ended import Ended
from testbed.linux.processes.waiting import SLICE_S
from testbed.migration.precopy import Source, resolved
from testbed.model.broken import BrokenSource
from testbed.model.predict import Forecast
from testbed.model.source import FluidSource

UNTOLD = SourceFacts(
    asked=0.0, released=0.0, stamps=Stamps(), streams=(), channel_bytes=0, connections=None,
    throttle=ThrottleFacts(), cpu_s=0.0,
)  # fmt: skip
"""What a model's agent says of itself at its end: nothing."""


class Unplugged:
    """A simulated migration that is to meet its faults: what stands ``around`` its source, and how it ended by that.
    Raises ``ScenarioError`` for a fault that a model cannot have.
    """

    def __init__(self, plan: Plan) -> None:
        if mend := next((fault for fault in plan.faults if fault.what == MEND), None):
            raise ScenarioError(
                f"engine 'simulated' has no TCP that says again what a cut link lost; leave out {mend}, or choose "
                "--engine native"
            )
        self._plan = plan
        self._source: BrokenSource

    def around(self, source: FluidSource) -> Source:
        """The source that meets them."""
        self._source = BrokenSource(source, self._plan.faults)
        return self._source

    def ended(self, seen: Forecast, begun: float, observer: Observer) -> Ended:
        """How the migration ended that was ``seen`` from ``begun`` on, seconds as events have them."""
        rounds, plan = tuple(seen.rounds), self._plan
        if not self._source.met:
            untouched = Injecting(plan.faults).records
            return Ended(outcome=seen.outcome, reason=seen.reason, rounds=rounds, faults=untouched)
        found = _Desk(plan, self._source, begun, observer).followed(seen.outcome, seen.reason)
        return replace(found, rounds=rounds, facts=None)


class _Desk:
    """Where the run sits: it hears what agents would have said, and asks for what would be seen at both hosts."""

    def __init__(self, plan: Plan, source: BrokenSource, begun: float, observer: Observer) -> None:
        self._source, self._observer, self._now = source, observer, begun
        self._follower = Follower(plan.key, float("inf"), begun, plan.faults)
        self._begun = begun
        self._said: deque[Heard] = deque()

    def followed(self, outcome: Outcome, reason: str) -> Ended:
        """To the end, which is that ``outcome`` unless somebody has to look."""
        for fault, at in self._source.met:
            self._now = self._begun + at
            self._hear(Injected(planned=fault, failure=None))
        gone = self._source.gone
        if gone is None:
            self._said.append(self._last_word(outcome, reason))
        elif gone.what.startswith("kill"):
            self._said.append(Gone())
        while not self._follower.over:
            self._now += SLICE_S
            self._hear(self._said.popleft() if self._said else Slice(silent=True))
        return self._follower.ended

    def _last_word(self, outcome: Outcome, reason: str) -> Heard:
        if self._source.doubt is not None:
            return CommitUnanswered(reason=reason)
        return SourceFinished(outcome="completed" if outcome == "completed" else "aborted", reason=reason, facts=UNTOLD)

    def _hear(self, heard: Heard) -> None:
        for deed in self._follower.step(heard, self._now):
            if found := self._done(deed):
                self._hear(found)

    def _done(self, deed: Deed) -> Finding | None:
        match deed:
            case Publish(event=event):
                self._observer(event)
            case EndSource():
                self._said.append(Gone())
            case Tell(order=order) if self._source.doubt is not None:
                self._resolve(self._source.doubt, here=order == ResumeOrder())
            case Freeze():
                return Frozen(
                    source_operations=1, destination_operations=2 if self._source.ran_there else 1, source_alive=True
                )
            case TakeBack():
                return TakenBack(fault="")
            case SeeSource():
                return SourceSeen(alive=True)
            case HearDestination():
                return LastWord(said=None)
        return None

    def _resolve(self, doubt: InDoubt, *, here: bool) -> None:
        """What the source says once the doubt is over."""
        outcome, reason = resolved(doubt, here=here)
        self._said.append(SourceFinished(outcome=outcome, reason=reason, facts=UNTOLD))

"""Who owns the guest, decided by whatever is left of two agents and two guests; every step of it may fail."""

from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents.patience import SILENCE_S
from testbed.core.agents.told import (
    AgentFailed,
    AgentOrder,
    CancelOrder,
    CommitUnanswered,
    DestinationFinished,
    Gone,
    Held,
    MigrateOrder,
    NeverConnected,
    ReleaseOrder,
    ResumeOrder,
    RoundProgress,
    SourceFacts,
    SourceFinished,
    ThrottleFacts,
    Told,
)
from testbed.core.errors import TestbedError
from testbed.core.events import Event
from testbed.core.migration_key import MigrationKey
from testbed.core.plan import PlannedFault
from testbed.core.records.stamps import Stamps
from testbed.engines.native import following as outcome
from testbed.engines.native.following import Following
from testbed.engines.native.settling import Pair, freeze
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.linux.processes import waiting
from testbed.linux.processes.interrupts import Noted
from testbed.rig.orders import Order, Orders

KEY = MigrationKey(name="m")
FACTS = SourceFacts(
    asked=0.5, released=1.3, stamps=Stamps(), streams=(), channel_bytes=0,
    connections=None, throttle=ThrottleFacts(), cpu_s=0.1,
)  # fmt: skip
FINISHED = SourceFinished(outcome="completed", reason="the guest runs at the destination", facts=FACTS)
CANCELLED = replace(FINISHED, outcome="cancelled", reason="cancelled by the user")
PROGRESS = RoundProgress(at=1.0, round=1, sent_bytes=1, round_bytes=2)
DOUBT = CommitUnanswered(reason="?")
HEARD = DestinationFinished(outcome="completed", reason="heard", cpu_s=0.1)


class Guest:
    """``stuck``: it cannot be stopped."""

    def __init__(self, done: int, log: list[str], name: str) -> None:
        self.done, self.runs, self.alive, self.stuck = done, True, True, False
        self._log, self._name = log, name

    def operations(self) -> int:
        return self.done

    def freeze(self) -> None:
        self._log.append(f"freeze {self._name}")
        if self.stuck:
            raise TimeoutError("process 7 did not stop within 5 s (state D)")
        self.runs = False

    def thaw(self) -> None:
        assert self.alive
        self.runs = True

    def kill(self) -> None:
        self.alive = self.runs = False


class Agent:
    """Says what a test gave it: an event, None for a silence, or something that is done first. Then it has gone."""

    def __init__(self, *said: Any) -> None:
        self.said = deque(said)
        self.ordered: list[AgentOrder] = []
        self.killed = False
        self.last: deque[Told] = deque([HEARD])

    def order(self, what: AgentOrder) -> None:
        self.ordered.append(what)

    def next_event(self, _timeout_s: float) -> Told | Gone | None:
        said: Any = None
        while not self.killed and self.said:
            said = self.said.popleft()
            if not callable(said):
                return said  # type: ignore[no-any-return]
            said()
        return Gone()

    def until(self, kinds: tuple[type[Any], ...], _timeout_s: float) -> Told | Gone:
        """Its last word, once; what else is waited for it never says."""
        assert DestinationFinished in kinds
        return self.last.popleft() if self.last else Gone()

    def kill(self) -> None:
        self.killed = True


class Link:
    def obey(self, _order: Order) -> str | None:
        return None


class Stage:
    """Two hosts, and a clock that stands still unless a test sets it forward."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch | None = None, *said: Any, done: tuple[int, int] = (10, 0)
    ) -> None:
        self.log: list[str] = []
        self.source, self.destination = Guest(done[0], self.log, "source"), Guest(done[1], self.log, "destination")
        self.destination.runs = done[1] > done[0]
        self.agent, self.serving = Agent(*said), Agent()
        self.pair = Pair(
            source_agent=self.agent,  # type: ignore[arg-type]
            destination_agent=self.serving,  # type: ignore[arg-type]
            source=self.source,  # type: ignore[arg-type]
            destination=self.destination,  # type: ignore[arg-type]
        )
        self.noted, self.controls, self.now = Noted(), Orders(), 0.0
        self.events: list[Event] = []
        if monkeypatch:
            monkeypatch.setattr(outcome, "monotonic", lambda: self.now)

    def follow(self, timeout_s: float = 600.0, *faults: PlannedFault) -> Ended:
        link: Any = Link()
        following = Following(KEY, self.pair, self.events.append, timeout_s, self.controls, link, self.noted, faults)
        return following.to_the_end()

    def later(self, seconds: float) -> Any:
        def step() -> None:
            self.now += seconds

        return step

    @property
    def runners(self) -> int:
        return self.source.runs + self.destination.runs


@given(st.integers(0, 2**63), st.integers(0, 2**63))
def test_there_is_one_runner_wherever_the_counters_stand(source: int, destination: int) -> None:
    stage = Stage(None, done=(source, destination))
    there = stage.follow().runs_at == DESTINATION
    assert there is (destination > source)
    assert stage.destination.runs is there and stage.destination.alive is there
    assert stage.source.runs is not there and stage.source.alive
    assert stage.serving.killed


@pytest.mark.parametrize("stuck", ["source", "destination"])
def test_a_guest_that_cannot_be_stopped_lets_nobody_decide_and_the_other_is_stopped(stuck: str) -> None:
    stage = Stage()
    getattr(stage, stuck).stuck = True
    with pytest.raises(TimeoutError):
        freeze(stage.pair)
    assert stage.log == ["freeze source", "freeze destination"]
    ended = stage.follow()
    assert (ended.outcome, ended.runs_at) == ("failed", None)
    assert "could not be decided" in ended.reason and "did not stop" in ended.reason


@pytest.mark.parametrize(
    ("said", "done", "outcome_", "host"),
    [
        ([FINISHED], (10, 11), "completed", DESTINATION),
        ([replace(FINISHED, outcome="aborted", reason="no")], (10, 0), "aborted", SOURCE),
        ([], (10, 11), "completed", DESTINATION),
        ([], (10, 10), "failed", SOURCE),
        ([PROGRESS, DOUBT, FINISHED], (10, 11), "completed", DESTINATION),
    ],
)
def test_every_end_says_who_runs(said: list[Any], done: tuple[int, int], outcome_: str, host: str) -> None:
    stage = Stage(None, *said, done=done)
    ended = stage.follow()
    assert (ended.outcome, ended.runs_at) == (outcome_, host)
    assert stage.agent.ordered[0] == MigrateOrder()


def test_in_doubt_the_source_is_told_what_the_counters_say() -> None:
    for done, word in (((10, 11), ReleaseOrder()), ((10, 10), ResumeOrder())):
        stage = Stage(None, DOUBT, FINISHED, done=done)
        stage.follow()
        assert stage.agent.ordered == [MigrateOrder(), word]


def test_a_source_that_is_dead_runs_nobody() -> None:
    stage = Stage(None, replace(FINISHED, outcome="aborted", reason="the guest could not be stunned"))
    stage.source.kill()
    assert stage.follow().runs_at is None


def test_who_was_stopped_reads_what_lies_in_the_pipe_before_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run stood still for an hour; its agent did not, and has finished meanwhile."""
    stage = Stage(monkeypatch)
    stage.agent.said = deque([PROGRESS, stage.later(3600), PROGRESS, PROGRESS, FINISHED])
    ended = stage.follow(timeout_s=60)
    assert (ended.outcome, ended.reason) == ("completed", FINISHED.reason)
    assert stage.agent.ordered == [MigrateOrder()] and not stage.agent.killed


def test_all_were_stopped_and_the_agent_has_its_time_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a suspended machine: nothing lies in the pipe, and nobody has been silent."""
    stage = Stage(monkeypatch)
    stage.agent.said = deque([PROGRESS, None, stage.later(3600), None, None, FINISHED])
    assert stage.follow(timeout_s=60).outcome == "completed"


def test_slow_is_not_hung_and_hung_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    slice_s = waiting.SLICE_S
    nearly = int(SILENCE_S / slice_s) - 2
    quiet = [stage.later(slice_s), None] * nearly
    stage.agent.said = deque([*[*quiet, PROGRESS] * 5, FINISHED])
    assert stage.follow().outcome == "completed"
    stage.agent.said = deque([stage.later(slice_s), None] * (nearly + 10))
    ended = stage.follow()
    assert stage.agent.killed and (ended.outcome, ended.runs_at) == ("failed", SOURCE)
    assert ended.reason.startswith(f"the source agent said nothing for {SILENCE_S:g} s")


def test_a_signal_that_was_noted_cancels_and_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)

    def interrupt() -> None:
        stage.noted.why = "interrupted by SIGHUP"

    stage.agent.said = deque([PROGRESS, interrupt, PROGRESS, CANCELLED])
    ended = stage.follow()
    assert stage.agent.ordered == [MigrateOrder(), CancelOrder()] and ended.interrupted
    assert (ended.outcome, ended.reason) == ("cancelled", "interrupted by SIGHUP")


def test_a_cancel_that_is_not_heard_ends_the_agent_and_not_the_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.noted.why = "interrupted by SIGINT"
    stage.agent.said = deque([stage.later(waiting.SLICE_S), PROGRESS] * 100)
    ended = stage.follow()
    assert stage.agent.killed and stage.source.runs and ended.runs_at == SOURCE
    assert "interrupted by SIGINT; the source agent did not stop and was ended" in ended.reason


def test_who_never_met_the_destination_does_not_wait_for_its_last_word() -> None:
    stage = Stage(None, NeverConnected(outcome="cancelled", reason="cancelled by the user"))
    ended = stage.follow()
    assert ended.destination is None and ended.outcome == "cancelled"
    assert Stage(None, FINISHED).follow().destination == HEARD


def test_an_aborted_migration_says_what_the_destination_had_to_say() -> None:
    aborted = replace(FINISHED, outcome="aborted", reason="it broke")
    assert Stage(None, aborted).follow().reason == "it broke (the destination: heard)"
    assert Stage(None, replace(aborted, reason="it broke: heard")).follow().reason == "it broke: heard"


def test_a_destination_that_refuses_the_guest_where_it_was_to_be_held_is_heard_all_the_same() -> None:
    aborted = replace(FINISHED, outcome="aborted", reason="it broke")
    stage = Stage(None, Held(phase="commit", said=True), aborted)
    ended = stage.follow(600.0, PlannedFault(phase="running", what="cut"))
    assert (ended.destination, ended.reason) == (HEARD, "it broke (the destination: heard)")


def test_an_agent_that_failed_is_a_failure_with_its_reason() -> None:
    ended = Stage(None, AgentFailed(reason="no tracker")).follow()
    assert (ended.outcome, ended.reason, ended.runs_at, ended.facts) == ("failed", "no tracker", SOURCE, None)


def test_nonsense_is_an_end_that_says_so() -> None:
    stage = Stage(None, PROGRESS, Gone(nonsense="progress.at is missing"))
    ended = stage.follow()
    assert (ended.outcome, ended.runs_at) == ("failed", SOURCE) and stage.runners == 1
    assert ended.reason.startswith("the source agent said what cannot be read (progress.at is missing) and was ended")


@pytest.mark.parametrize("fault", [TestbedError("no"), OSError(5, "Input/output error")])
def test_whatever_breaks_while_it_is_followed_is_an_end(fault: Exception) -> None:
    def broken() -> None:
        raise fault

    stage = Stage(None, PROGRESS, broken)
    ended = stage.follow()
    assert (ended.outcome, ended.runs_at) == ("failed", SOURCE) and str(fault) in ended.reason
    assert stage.agent.killed and stage.runners == 1
    assert stage.controls.give(Order(what="cancel")) is not None

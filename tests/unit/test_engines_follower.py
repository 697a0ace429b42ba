"""Every step of following a migration may fail, with or without its effect: one guest runs, and it is known where."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents.patience import CANCEL_GRACE_S, SILENCE_S
from testbed.core.agents.told import (
    AgentFailed,
    Announced,
    CancelOrder,
    CommitUnanswered,
    DestinationReady,
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
    SourceReady,
    Throttled,
    ThrottleFacts,
    ThrottleOrder,
    Told,
    Unaccepted,
    UnacceptedConnections,
)
from testbed.core.events import Controlled, PhaseChanged, Progress, RoundFinished
from testbed.core.migration_key import MigrationKey
from testbed.core.records.stamps import Stamps
from testbed.core.rounds import Action, Decision, Round, RoundKind
from testbed.engines.native.deeds import (
    BringUp,
    ChangeLink,
    Drop,
    EndDestination,
    EndSource,
    Freeze,
    Heard,
    LateOrder,
    Signalled,
    Slice,
    TakeBack,
    Tell,
)
from testbed.engines.native.follower import BY_HAND
from testbed.findings.ended import DESTINATION, SOURCE
from testbed.linux.processes.waiting import SLICE_S
from testbed.rig.orders import Order
from tests.unit.test_wire_lines import EVENTS
from tests.unit.two_hosts import LAST, Happens, World

FACTS = SourceFacts(
    asked=0.5, released=1.3, stamps=Stamps(), streams=(), channel_bytes=0,
    connections=None, throttle=ThrottleFacts(), cpu_s=0.1,
)  # fmt: skip
PROGRESS = RoundProgress(at=1.0, round=1, sent_bytes=1, round_bytes=2)
ROUND = Round(index=1, kind=RoundKind.PRECOPY, started_s=0.0, duration_s=1.0, sent_bytes=2, dirtied_bytes=1)
ENOUGH = Decision(action=Action.SWITCH_OVER, reason="it is little enough")
COMPLETED = SourceFinished(outcome="completed", reason="the guest runs at the destination", facts=FACTS)
ABORTED = replace(COMPLETED, outcome="aborted", reason="it broke")
CANCELLED = replace(COMPLETED, outcome="cancelled", reason="cancelled by the user")
DOUBT = CommitUnanswered(reason="?")
WAITING: Unaccepted = ("10.0.2.100", 7, "10.0.2.3", 40000, 5)

KEY = MigrationKey(name="m")


STUN, RESUME, SWITCH = Happens(World.stun), Happens(World.resume), Happens(World.switch_over)
GOOD = [PROGRESS, RoundDone(at=2.0, round=ROUND, decision=ENOUGH), SWITCH, COMPLETED]
STORIES: dict[str, tuple[list[Any], str]] = {
    "completes": (GOOD, DESTINATION),
    "aborts": ([PROGRESS, STUN, RESUME, ABORTED], SOURCE),
    "never connects": ([NeverConnected(outcome="aborted", reason="no way")], SOURCE),
    "fails": ([AgentFailed(reason="no tracker")], SOURCE),
    "dies": ([PROGRESS], SOURCE),
    "dies while the guest stands still": ([PROGRESS, STUN], SOURCE),
    "dies after commit": ([PROGRESS, SWITCH], DESTINATION),
    "is in doubt, and the guest has gone": ([SWITCH, DOUBT, COMPLETED], DESTINATION),
    "is in doubt, and the guest has not gone": ([STUN, DOUBT, ABORTED], SOURCE),
    "is in doubt, and dies": ([STUN, DOUBT], SOURCE),
    "says nonsense": ([STUN, Gone(nonsense="progress.at is missing")], SOURCE),
    "says what only another agent says": ([STUN, Announced(count=1, fault=None)], SOURCE),
}


def story(name: str, **more: Any) -> World:
    return World(list(STORIES[name][0]), **more).run()


@pytest.mark.parametrize("name", STORIES)
def test_every_end_says_who_runs(name: str) -> None:
    world = story(name)
    assert world.runners == 1
    assert world.follower.ended.runs_at == STORIES[name][1] == (SOURCE if world.source_runs else DESTINATION)
    assert world.follower.ended.reason
    assert world.deeds[0] == Tell(order=MigrateOrder())


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", STORIES)
def test_one_runs_whatever_fails_once(name: str, after: bool) -> None:
    """Before it had its effect, or with it."""
    for number in range(len(story(name).deeds)):
        world = story(name, fails={number}, after=after)
        ended = world.follower.ended
        assert world.runners == 1
        assert ended.runs_at == (SOURCE if world.source_runs else DESTINATION)
        assert f"deed {number} failed: the source agent was ended" in ended.reason


@pytest.mark.parametrize("name", STORIES)
def test_never_do_two_run_whatever_fails_twice(name: str) -> None:
    """What fails while the agents are dead leaves nobody to ask: then neither is told to run."""
    for first in range(len(story(name).deeds)):
        for second in range(first + 1, len(story(name, fails={first}).deeds)):
            world = story(name, fails={first, second})
            ended = world.follower.ended
            assert world.runners <= 1
            assert (ended.outcome, ended.runs_at) == ("failed", None)
            assert ended.reason.endswith(f"neither host was told to run it: deed {second} failed")
            assert not any(isinstance(deed, BringUp | TakeBack) for deed in world.deeds[second + 1 :])


@given(st.integers(0, 2**63), st.integers(0, 2**63), st.booleans())
def test_where_the_counters_stand_decides_and_nothing_else(source: int, destination: int, doubt: bool) -> None:
    world = World([STUN, DOUBT, COMPLETED] if doubt else [STUN], done=(source, destination)).run()
    there = destination > source
    assert world.deeds.count(Freeze()) == 1 and world.deeds.index(EndDestination()) < world.deeds.index(Freeze())
    assert (BringUp() in world.deeds) is there and (Drop() in world.deeds) is not there
    if doubt:
        assert world.told == [MigrateOrder(), ReleaseOrder() if there else ResumeOrder()]
    else:
        assert world.follower.ended.runs_at == (DESTINATION if there else SOURCE)


def test_whose_guest_is_dead_runs_nobody() -> None:
    for says in ([ABORTED], [STUN]):
        assert World(says, source_alive=False).run().follower.ended.runs_at is None


def test_what_was_taken_out_of_listeners_is_known_when_the_agent_is_dead() -> None:
    world = World([UnacceptedConnections(connections=(WAITING,)), STUN]).run()
    assert world.deeds[-1] == TakeBack(unaccepted=(WAITING,))


def test_rounds_cells_and_events_are_kept_as_they_come() -> None:
    last = RoundDone(at=3.0, round=replace(ROUND, index=2, kind=RoundKind.STOP_AND_COPY), decision=None)
    cells = RoundCells(round=1, pages=2, cell_pages=1, sent=(1, 1), dirtied=(1, 0))
    world = World([*GOOD[:-2], last, SWITCH, cells, COMPLETED], last_word=None).run()
    ended = world.follower.ended
    assert ended.rounds == ((ROUND, ENOUGH), (last.round, None)) and ended.cells == (cells,)
    assert (ended.facts, ended.destination) == (FACTS, None)
    assert world.events == [
        PhaseChanged(at=100.0, migration=KEY, phase="precopy"),
        Progress(at=1.0, migration=KEY, round=1, sent_bytes=1, round_bytes=2),
        RoundFinished(at=2.0, migration=KEY, round=ROUND, decision=ENOUGH),
        PhaseChanged(at=2.0, migration=KEY, phase="switchover"),
        RoundFinished(at=3.0, migration=KEY, round=last.round, decision=None),
    ]


def after(*heard: Heard | float) -> World:
    """A world in which that was heard; a number sets the clock forward, slice by slice."""
    world = World([])
    for each in heard:
        if not isinstance(each, float):
            world.hear(each)
            continue
        for _ in range(round(each / SLICE_S)):
            world.now += SLICE_S
            world.hear(Slice(silent=True))
    return world


def test_slow_is_not_hung_and_hung_is_ended() -> None:
    nearly = SILENCE_S - 2 * SLICE_S
    slow = after(nearly, PROGRESS, nearly, PROGRESS, nearly)
    assert EndSource() not in slow.deeds
    hung = after(nearly, 1.0)
    assert EndSource() in hung.deeds
    hung.hear(Gone())
    assert hung.follower.ended.reason.startswith(f"the source agent said nothing for {SILENCE_S:g} s and was ended")


def test_a_clock_that_ran_away_is_held_against_nobody() -> None:
    world = after(PROGRESS)
    world.now += 3600.0
    world.hear(Slice(silent=True))
    assert not any(isinstance(deed, EndSource | Tell) for deed in world.deeds)


def test_who_takes_too_long_is_cancelled_once_and_then_ended() -> None:
    world = World([], timeout_s=5.0)
    while EndSource() not in world.deeds and world.now < 200:
        world.now += SLICE_S
        world.hear(PROGRESS)
        world.hear(Slice(silent=False))
    assert world.told == [CancelOrder()]
    assert 105.0 + CANCEL_GRACE_S <= world.now <= 106.0 + CANCEL_GRACE_S
    world.hear(Gone())
    assert "the migration took longer than its timeout; the source agent did not stop" in world.follower.ended.reason


def test_a_signal_cancels_once_and_is_the_reason() -> None:
    world = after(PROGRESS, *[Signalled(why="interrupted by SIGHUP")] * 3, PROGRESS, CANCELLED)
    assert world.told == [CancelOrder()]
    ended = world.follower.ended
    assert ended.interrupted and (ended.outcome, ended.reason) == ("cancelled", "interrupted by SIGHUP")


def test_what_cancelled_it_first_is_the_reason() -> None:
    world = after(Order(what="cancel"), Signalled(why="interrupted by SIGINT"), CANCELLED)
    assert world.follower.ended.reason == BY_HAND and world.follower.ended.interrupted


def test_what_is_ordered_by_hand_is_done_and_recorded() -> None:
    cut, throttle = Order(what="cut"), Order(what="throttle", value=0.5)
    world = after(cut, throttle, Throttled(level=0.5, fault="not now"), Order(what="cancel"))
    assert world.told == [ThrottleOrder(level=0.5), CancelOrder()] and ChangeLink(order=cut) in world.deeds
    did = [(each.what, each.value, each.fault) for each in world.follower.ended.controls]
    assert did == [("cut", None, None), ("throttle", 0.5, "not now"), ("cancel", None, None)]
    assert [(each.what, each.value, each.fault) for each in world.events if isinstance(each, Controlled)] == did
    world.hear(CANCELLED)
    assert world.follower.ended.reason == BY_HAND


def test_what_is_ordered_too_late_is_recorded_as_such() -> None:
    world = after(Order(what="cancel"), COMPLETED, LateOrder(order=Order(what="mend")))
    assert [each.fault for each in world.follower.ended.controls] == [
        "the guest had been given away",
        "the migration had ended",
    ]
    assert (world.follower.ended.outcome, world.follower.ended.reason) == ("completed", COMPLETED.reason)


ORDERS = st.builds(Order, what=st.sampled_from(["cancel", "cut", "mend", "rate", "throttle"]), value=st.floats(0, 1))


@given(st.lists(EVENTS | ORDERS | st.builds(Signalled, why=st.text()) | st.builds(Slice, silent=st.booleans())))
def test_whatever_is_heard_in_whatever_order_comes_to_an_end(heard: list[Heard]) -> None:
    world = World([])
    rounds = []
    for each in [*heard, Gone()]:
        if not world.follower.over:
            world.now += SLICE_S
            rounds += [(each.round, each.decision)] if isinstance(each, RoundDone) else []
            world.source_runs = world.destination_runs = False  # whatever it says is true of them is
            world.hear(each)
    assert world.follower.over and world.follower.ended.rounds == tuple(rounds)


SAMPLES: list[Told] = [
    SourceReady(tracker="", reason=""),
    DestinationReady(),
    LAST,
    Announced(count=1, fault=None),
    COMPLETED,
    NeverConnected(outcome="aborted", reason=""),
    AgentFailed(reason=""),
    PROGRESS,
    RoundDone(at=2.0, round=ROUND, decision=None),
    RoundCells(round=1, pages=1, cell_pages=1, sent=(), dirtied=()),
    Throttled(level=0.0, fault=None),
    UnacceptedConnections(connections=()),
    DOUBT,
    Held(phase="commit", said=False),
]


def test_all_that_agents_may_say_is_listened_to() -> None:
    """But for what only the other one says, or what is said before it begins: that ends it."""
    assert {type(said) for said in SAMPLES} == set(get_args(Told))
    for number, said in enumerate(SAMPLES):
        world = after(said)
        assert (EndSource() in world.deeds) is (number < 4)
        assert world.follower.over is (4 <= number < 7)

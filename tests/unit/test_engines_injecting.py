"""What is planned is broken at its moment, once, whoever is held there, and the record says when."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents.config import HoldAt
from testbed.core.agents.moments import in_order, leaves, read_fault
from testbed.core.agents.told import AgentFailed, CommitUnanswered, DestinationFinished, Held, LetGoOrder
from testbed.core.events import FaultInjected
from testbed.core.plan import PlannedFault
from testbed.engines.native.deeds import AwaitDestination, HearDestination, Inject, Tell
from testbed.engines.native.injecting import destination_holds, source_holds
from testbed.findings.ended import DESTINATION, SOURCE
from tests.unit.test_agents_moments import FAULTS
from tests.unit.test_engines_follower import ABORTED, COMPLETED, DOUBT, RESUME, STUN, SWITCH
from tests.unit.two_hosts import LAST, World

LET_GO = Tell(order=LetGoOrder())
AWAY = Tell(order=LetGoOrder(), destination=True)


def before(phase: str) -> Held:
    return Held(phase=phase, said=False)


def after(phase: str) -> Held:
    return Held(phase=phase, said=True)


def planned(*texts: str) -> tuple[PlannedFault, ...]:
    return in_order(map(read_fault, texts))


def world(says: list[Any], *texts: str, there: tuple[Held | DestinationFinished | AgentFailed, ...] = ()) -> World:
    return World(says, faults=planned(*texts), destination_stands=there).run()


def test_the_agent_stands_until_the_fault_is_done() -> None:
    seen = world([before("commit"), STUN, DOUBT, ABORTED], "commit:kill-destination")
    begin = seen.deeds.index(Inject(planned=read_fault("commit:kill-destination")))
    assert seen.deeds.index(LET_GO) > begin and seen.runners == 1
    (fault,) = seen.follower.ended.faults
    assert fault.struck and fault.at_s == 0.0 and str(fault) == "commit:kill-destination"
    assert [(each.phase, each.what) for each in seen.events if isinstance(each, FaultInjected)] == [
        ("commit", "kill-destination")
    ]


def test_a_link_is_mended_when_the_word_was_said() -> None:
    seen = world([before("prepare"), after("prepare"), SWITCH, COMPLETED], "prepare:mend", "prepare:cut")
    wanted = [Inject(planned=fault) for fault in planned("prepare:cut", "prepare:mend")]
    assert [deed for deed in seen.deeds if deed in (*wanted, LET_GO)] == [wanted[0], LET_GO, wanted[1], LET_GO]


def test_running_is_the_destination_s_and_is_awaited_once_commit_was_said() -> None:
    stands = (before("running"), after("running"))
    seen = world([SWITCH, after("commit"), COMPLETED], "running:cut", "running:mend", there=stands)
    cut, mend = [Inject(planned=fault) for fault in planned("running:cut", "running:mend")]
    did = [deed for deed in seen.deeds if deed in (cut, mend, LET_GO, AWAY, AwaitDestination())]
    assert did == [LET_GO, AwaitDestination(), cut, AWAY, AwaitDestination(), mend, AWAY]
    assert all(fault.struck for fault in seen.follower.ended.faults)


def test_a_source_that_is_killed_after_the_first_step_leaves_the_guest_there() -> None:
    seen = world([SWITCH, after("commit")], "running:kill-source", there=(before("running"),))
    assert seen.follower.ended.runs_at == DESTINATION and seen.runners == 1
    assert seen.follower.ended.reason == "the source agent died after commit; the guest runs at the destination"


@pytest.mark.parametrize("word", [LAST, AgentFailed(reason="no room")])
def test_the_last_word_of_one_that_is_awaited_and_refuses_the_guest_is_not_lost(word: Any) -> None:
    seen = world([STUN, after("commit"), RESUME, ABORTED], "running:cut", there=(word,))
    assert AwaitDestination() in seen.deeds and HearDestination() not in seen.deeds
    assert seen.follower.ended.destination == (word if word == LAST else None)
    assert seen.follower.ended.reason == f"{ABORTED.reason} (the destination: {word.reason})"
    (fault,) = seen.follower.ended.faults
    assert not fault.struck and seen.follower.ended.runs_at == SOURCE


def test_what_is_never_reached_says_so() -> None:
    seen = world([SWITCH, COMPLETED], "round-9:cut")
    (fault,) = seen.follower.ended.faults
    assert fault.at_s is None and not fault.struck and seen.follower.ended.runs_at == DESTINATION


def test_an_agent_that_is_held_for_nothing_is_let_go() -> None:
    seen = world([before("round-1"), after("commit"), before("nonsense"), SWITCH, COMPLETED])
    assert seen.deeds.count(LET_GO) == 3 and AwaitDestination() not in seen.deeds


def test_whoever_says_that_it_stands_there_twice_is_struck_once() -> None:
    seen = world([before("prepare"), before("prepare"), STUN, RESUME, ABORTED], "prepare:kill-destination")
    assert seen.deeds.count(Inject(planned=read_fault("prepare:kill-destination"))) == 1
    assert seen.follower.ended.runs_at == SOURCE


@pytest.mark.parametrize(
    ("texts", "source", "destination"),
    [
        ((), HoldAt(), HoldAt()),
        (("commit:cut",), HoldAt(before=("commit",)), HoldAt()),
        (("hello:cut", "hello:mend"), HoldAt(before=("hello",), after=("hello",)), HoldAt()),
        (("running:kill-source",), HoldAt(after=("commit",)), HoldAt(before=("running",))),
        (
            ("commit:cut", "commit:mend", "running:cut"),
            HoldAt(before=("commit",), after=("commit",)),
            HoldAt(before=("running",)),
        ),
    ],
)
def test_an_agent_is_told_where_it_is_to_stand(texts: tuple[str, ...], source: HoldAt, destination: HoldAt) -> None:
    faults = planned(*texts)
    assert (source_holds(faults), destination_holds(faults)) == (source, destination)


@given(st.lists(FAULTS, max_size=3), st.integers(0, 10), st.booleans())
def test_one_runs_whatever_breaks_and_whatever_fails_beside_it(
    faults: list[PlannedFault], number: int, late: bool
) -> None:
    try:
        ordered = in_order(faults)
    except ValueError:
        return
    says: list[Any] = [before(fault.phase) for fault in ordered if fault.phase != "running"]
    there = leaves(ordered) != "source"
    says += [SWITCH, after("commit"), COMPLETED] if there else [STUN, CommitUnanswered(reason="?"), ABORTED]
    stands = [before("running"), after("running")]
    made = World(says, faults=ordered, destination_stands=stands, fails={number}, after=late).run()
    assert made.runners == 1
    assert made.follower.ended.runs_at == (SOURCE if made.source_runs else DESTINATION)

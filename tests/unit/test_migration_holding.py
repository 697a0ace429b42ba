"""Over real TCP: an agent is held at the very moment that was asked for, and what breaks then breaks there."""

import threading

import pytest

from testbed.core.agents.config import HoldAt
from testbed.core.agents.told import Held
from testbed.core.errors import InDoubt, TestbedError
from testbed.migration.holding import Holding
from tests.unit.loopback import Loopback, MemoryGuest, Script

PHASES = ("hello", "round-1", "round-2", "last-round", "prepare", "commit")


def lab() -> tuple[Loopback, list[Held]]:
    """A migration of two rounds, both of whose ends are held everywhere; where they stood goes into the list."""
    source, destination, stood = MemoryGuest(64, fill=b"a guest"), MemoryGuest(64), list[Held]()
    made = Loopback(source, destination)
    made.holdings = (
        Holding(HoldAt(before=PHASES, after=PHASES), stood.append),
        Holding(HoldAt(before=("running",), after=("running",)), stood.append),
    )
    return made, stood


def test_each_message_is_a_moment_before_it_is_said_and_one_after() -> None:
    made, stood = lab()
    made.run(Script([lambda: None]))
    said = [each for phase in PHASES for each in (Held(phase=phase, said=False), Held(phase=phase, said=True))]
    assert [each for each in stood if each.phase != "running"] == said
    running = [each for each in stood if each.phase == "running"]
    assert running == [Held(phase="running", said=False), Held(phase="running", said=True)]
    assert stood.index(Held(phase="commit", said=False)) < stood.index(running[0])


def test_nobody_is_held_where_nothing_is_planned() -> None:
    made, stood = lab()
    made.holdings = (Holding(HoldAt(before=("round-2",)), stood.append), Holding())
    made.run()
    assert stood == []


@pytest.mark.parametrize("phase", [*PHASES[1:], "running"])
def test_a_destination_that_goes_then_leaves_the_guest_where_the_protocol_has_it(phase: str) -> None:
    made, _ = lab()
    gone = threading.Event()

    def go(held: Held) -> None:
        if held.phase == phase and not held.said:
            made.agent_socket().shutdown(2)
            gone.set()

    made.holdings = (Holding(HoldAt(before=PHASES), go), Holding(HoldAt(before=("running",)), go))
    with pytest.raises(InDoubt if phase in ("commit", "running") else TestbedError):
        made.run(Script([lambda: None]))
    assert gone.is_set()
    assert ("run" in made.destination_guest.did) is (phase == "running")
    assert ("resume" in made.source_guest.did) is (phase not in ("commit", "running"))

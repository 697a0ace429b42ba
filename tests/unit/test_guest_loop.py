"""The guest's wait: sockets by the thousand, timers in order, and nothing through a gate that is shut but the host."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guest_agent.gate import Gate, GateKeeper
from guest_agent.journal import JournalWriter
from guest_agent.loop import GuestLoop
from tests.unit.descriptors import room_for_many

Pair = tuple[socket.socket, socket.socket]


class World:
    """A loop whose time is told, and the other side of its gate."""

    def __init__(self) -> None:
        journal = JournalWriter()
        self.gate, self.keeper, self.time = Gate(journal.words), GateKeeper(journal.fd), 0.0
        os.close(journal.fd)
        self.loop = GuestLoop(self.gate, lambda: self.time)
        self.heard: list[object] = []

    def hears(self, what: object) -> Callable[[], None]:
        return partial(self.heard.append, what)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def pairs() -> Iterator[Callable[[], Pair]]:
    with ExitStack() as stack:

        def pair() -> Pair:
            made = socket.socketpair()
            for each in made:
                stack.enter_context(each)
            return made

        yield pair


def test_a_socket_is_heard_again_and_again_until_it_is_read(world: World, pairs: Callable[[], Pair]) -> None:
    here, there = pairs()
    world.loop.watch(here.fileno(), world.hears("data"))
    world.loop.turn(0)
    there.send(b"x")
    for _ in range(3):
        world.loop.turn(None)
    assert world.heard == ["data"] * 3
    here.recv(1)
    world.loop.turn(0)
    world.loop.unwatch(here.fileno())
    there.send(b"x")
    world.loop.turn(0)
    world.loop.unwatch(here.fileno())
    assert world.heard == ["data"] * 3


def test_a_callback_is_inside_the_gate(world: World, pairs: Callable[[], Pair]) -> None:
    here, there = pairs()
    world.loop.watch(here.fileno(), lambda: world.heard.append(world.keeper.busy))
    world.loop.at(0.0, lambda: world.heard.append(world.keeper.busy))
    there.send(b"x")
    world.loop.turn(None)
    assert world.heard == [True, True] and not world.keeper.busy


def test_also_one_that_fails_leaves_the_gate(world: World) -> None:
    def fail() -> None:
        raise ValueError("failed")

    world.loop.at(0.0, fail)
    with pytest.raises(ValueError, match="failed"):
        world.loop.turn(None)
    assert not world.keeper.busy


def test_held_only_the_host_is_heard_and_what_waited_comes_after(world: World, pairs: Callable[[], Pair]) -> None:
    service, host = pairs(), pairs()
    world.loop.watch(service[0].fileno(), world.hears("service"))
    world.loop.serve(host[0].fileno(), world.hears("host"))
    world.loop.at(0.0, world.hears("timer"))
    world.keeper.hold()
    for pair in (service, host):
        pair[1].send(b"x")
    for _ in range(3):
        world.loop.turn(None)
    assert world.heard == ["host"] * 3 and not world.keeper.busy
    world.keeper.release()
    world.loop.turn(None)
    assert sorted(map(str, world.heard[3:])) == ["host", "service", "timer"]
    world.loop.leave(host[0].fileno())
    world.loop.turn(None)
    assert world.heard[6:] == ["service"]


def test_held_between_two_callbacks_of_one_turn(world: World, pairs: Callable[[], Pair]) -> None:
    """The second is not lost: it comes when the gate opens."""
    for name in ("one", "other"):
        here, there = pairs()
        there.send(b"x")

        def call(name: str = name, here: socket.socket = here) -> None:
            here.recv(1)
            world.heard.append(name)
            world.keeper.hold()

        world.loop.watch(here.fileno(), call)
    world.loop.at(0.0, world.hears("timer"))
    world.loop.turn(None)
    world.loop.turn(0)
    assert len(world.heard) == 1
    world.keeper.release()
    world.loop.turn(0)
    world.keeper.release()
    world.loop.turn(0)
    assert sorted(map(str, world.heard)) == ["one", "other", "timer"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 10), max_size=30), st.floats(0, 10))
def test_timers_come_in_order_once_and_not_before_they_are_due(whens: list[float], now: float) -> None:
    world = World()
    for index, when in enumerate(whens):
        world.loop.at(when, world.hears((when, index)))
    ordered = sorted((when, index) for index, when in enumerate(whens))
    world.time = now
    world.loop.turn(0)
    assert world.heard == [timer for timer in ordered if timer[0] <= now]
    world.time = 10
    world.loop.turn(0)
    world.loop.turn(0)
    assert world.heard == ordered


def test_a_timer_that_sets_itself_for_now_does_not_keep_the_guest(world: World) -> None:
    def again() -> None:
        world.heard.append("again")
        world.loop.at(world.time, again)

    again()
    world.loop.turn(0)
    assert world.heard == ["again"] * 2


def test_a_wait_ends_with_the_first_timer_and_no_earlier() -> None:
    journal = JournalWriter()
    loop, heard = GuestLoop(Gate(journal.words), time.monotonic), list[float]()
    os.close(journal.fd)
    due = time.monotonic() + 0.0023
    loop.at(due, lambda: heard.append(time.monotonic()))
    while not heard:
        loop.turn(10)
    assert heard[0] >= due


def test_more_sockets_than_select_has_room_for(world: World, pairs: Callable[[], Pair]) -> None:
    with room_for_many():
        many = [pairs() for _ in range(700)]
        assert max(here.fileno() for here, _ in many) > 1024
        for number, (here, there) in enumerate(many):

            def call(number: int = number, here: socket.socket = here) -> None:
                here.recv(1)
                world.heard.append(number)

            world.loop.watch(here.fileno(), call)
            there.send(b"x")
        turns = 0
        while len(world.heard) < len(many):
            world.loop.turn(0)
            turns += 1
        assert sorted(map(int, map(str, world.heard))) == list(range(700))
        assert turns > 10, "the guest's writes and its host wait for all of them"

"""A peer that never stops: what a migration keeps of it is bounded, whatever it says, and in whatever pieces."""

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import LocalProtocolError, RemoteProtocolError, TestbedError
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.migration.streams import sending
from testbed.migration.streams.receiving import RoundCounter
from testbed.wire import limits, messages
from testbed.wire.connection import Connection
from testbed.wire.messages import GuestConnection, Hello, Pages, Type, Welcome, encode
from testbed.wire.states import Role
from testbed.wire.tcp import MAX_CONNECTION_BYTES
from tests.unit.loopback import ID, Coming, Leaving, Loopback, MemoryGuest, Script, a_connection

FULL = encode(GuestConnection(a_connection(1, received=bytes(MAX_CONNECTION_BYTES))))
EMPTY = encode(GuestConnection(a_connection(1)))


def hearing(role: Role = Role.DESTINATION) -> Connection:
    """An end that has been greeted."""
    end = Connection(role)
    hello, welcome = Hello(ID, 1 << 20, PAGE_SIZE, 1), Welcome(1 << 20)
    if role is Role.DESTINATION:
        end.receive(encode(hello))
        end.next_message()
        end.send(welcome)
    else:
        end.send(hello)
        end.receive(encode(welcome))
        end.next_message()
    return end


def test_full_connections_without_end_are_refused_before_they_fill_the_memory() -> None:
    end, came = hearing(), 0
    tracemalloc.start()
    with pytest.raises(RemoteProtocolError, match="too much for one migration"):
        while came < 1000:
            end.receive(FULL)
            end.next_message()
            came += 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert came == limits.MAX_CONNECTIONS_BYTES // len(FULL)
    assert peak < 8 * len(FULL)


def test_small_connections_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 1000)
    end = hearing()
    with pytest.raises(RemoteProtocolError, match="more than 1000 connections are too many"):
        for _ in range(1001):
            end.receive(EMPTY)
            end.next_message()


def test_one_s_own_side_keeps_to_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 2)
    end = hearing(Role.SOURCE)
    with pytest.raises(LocalProtocolError, match="too many"):
        for _ in range(3):
            end.send(GuestConnection(a_connection(1)))


def test_connections_that_do_not_fit_are_refused_alone_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_BYTES", 3 * len(EMPTY) + 50)
    lab = Loopback(MemoryGuest(64, fill=b"x"), MemoryGuest(64))
    large = a_connection(2, received=bytes(5000))
    lab.departure = Leaving(lab.source_guest, [a_connection(1), large, *(a_connection(port) for port in (3, 4, 5))])
    lab.arrival = Coming(lab.destination_guest)
    lab.run()
    assert [each.remote_port for each in lab.destination_guest.adopted] == [1, 3, 4]
    assert lab.connections is not None
    assert (lab.connections.moved, lab.connections.refused) == (3, 2)


@given(st.lists(st.integers(0, 3000), max_size=30), st.integers(0, 20_000), st.integers(0, 30))
def test_what_fits_is_never_refused_by_the_other_end(sizes: list[int], most: int, count: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "MAX_CONNECTIONS_BYTES", most)
        patch.setattr(limits, "MAX_CONNECTIONS", count)
        said, heard = hearing(Role.SOURCE), hearing()
        for each in limits.fitting([a_connection(1, received=bytes(size)) for size in sizes]):
            heard.receive(said.send(GuestConnection(each)))
            message = heard.next_message()
            assert message is not None and message.type is Type.CONNECTION


# ---- Pages -----------------------------------------------------------------------------------------------------------


def test_pages_of_a_round_that_is_not_due_are_refused() -> None:
    counter = RoundCounter(10 * PAGE_SIZE)
    for wrong in (0, 2, 2**32 - 1):
        with pytest.raises(RemoteProtocolError, match=f"pages of round {wrong} came, the one that is due is 1"):
            counter.begin(wrong, PAGE_SIZE)
    counter.begin(1, PAGE_SIZE)
    counter.add(PAGE_SIZE)
    counter.wait(1, PAGE_SIZE, 1)
    with pytest.raises(RemoteProtocolError, match="the one that is due is 2"):
        counter.begin(1, PAGE_SIZE)
    with pytest.raises(RemoteProtocolError, match="round 3 was ended, the one that is due is 2"):
        counter.wait(3, 0, 1)


def test_a_round_larger_than_the_memory_is_refused() -> None:
    counter = RoundCounter(10 * PAGE_SIZE)
    counter.begin(1, 10 * PAGE_SIZE)
    with pytest.raises(RemoteProtocolError, match="more than the 40960 bytes of the memory"):
        counter.begin(1, PAGE_SIZE)


def test_no_page_is_written_once_the_guest_may_run() -> None:
    counter = RoundCounter(10 * PAGE_SIZE)
    counter.seal()
    for index in (0, 1, 2):
        with pytest.raises(RemoteProtocolError, match="pages of round"):
            counter.begin(index, PAGE_SIZE)


def test_a_prepare_while_pages_are_on_their_way_is_refused() -> None:
    counter = RoundCounter(10 * PAGE_SIZE)
    counter.begin(1, PAGE_SIZE)
    with pytest.raises(RemoteProtocolError, match="still on their way"):
        counter.seal()


def test_pages_after_prepare_do_not_reach_the_guest_s_memory() -> None:
    """A source that says more on a stream than it was asked for, when the guest runs there."""
    source, destination = MemoryGuest(64, fill=b"x"), MemoryGuest(64)
    lab = Loopback(source, destination)
    run = destination.run

    def run_and_be_written_to() -> tuple[float, int]:
        with suppress(OSError):  # the stream is cut after the first of them
            for index in (0, 1, 2, 3):
                head = encode(Pages(index, Extents.whole(PAGE_SIZE)))
                lab.stream_sockets[0].sendall(head + b"\xee" * PAGE_SIZE)
        with lab.agent._counter._condition:
            lab.agent._counter._condition.wait_for(lambda: lab.agent._counter.fault, 10)
        return run()

    destination.run = run_and_be_written_to  # type: ignore[method-assign]
    lab.run()
    assert destination.memory[:] == source.memory[:]
    assert "though the last one is over" in str(lab.agent._counter.fault)


def test_a_source_that_numbers_its_rounds_wrongly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "Pages", lambda index, extents: messages.Pages(index + 7, extents))
    lab = Loopback(MemoryGuest(64, fill=b"x"), MemoryGuest(64))
    with pytest.raises(TestbedError):
        lab.run(Script())
    assert "pages of round 8 came" in str(lab.agent._counter.fault)

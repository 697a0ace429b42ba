"""Connections that are on their way to an end when their guest moves: each way of each of them comes to it, whole."""

import hashlib
import socket
from collections.abc import Iterator

import pytest

from testbed.core.network.names import GUEST_INTERFACE
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net import tcp_orphan, tcp_repair
from testbed.linux.processes import process
from testbed.migration.identity.connections import CLOSED
from testbed.migration.identity.rescue import take_back
from testbed.network.fabric import Fabric
from testbed.packets.announcement import frames
from tests.netns.staging import Stage, close, exactly, staged

TEXT = "a prime number of characters: 41, see us."
SMALL = 4096
"""A client's receive buffer: most of what it was sent waits at the guest's host."""
ROOM = 256 * 1024
"""The guest's send buffer, which the kernel doubles."""


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-ends") as up:
        yield up


@pytest.fixture
def stage(fabric: Fabric) -> Iterator[Stage]:
    with staged(fabric) as ready:
        yield ready


def whole(written: dict[str, int], after: str = "") -> dict[str, list[object]]:
    """What a client reads of what was written with ``fill``, to the end."""
    said = {port: (TEXT * (size // len(TEXT) + 1))[:size] + after for port, size in written.items()}
    return {port: [len(words), hashlib.sha256(words.encode()).hexdigest(), "end"] for port, words in said.items()}


def states(sockets: dict[int, socket.socket]) -> set[int]:
    return {tcp_repair.state(sock) for sock in sockets.values()}


def test_a_client_that_half_closed_and_reads_late_gets_all_of_it(stage: Stage) -> None:
    stage.connect(2, buffer=SMALL)
    written = stage.source.ask("fill", text=TEXT, room=ROOM)
    stage.client.ask("finish")
    stage.source.ask("await_states", state=tcp_repair.CLOSE_WAIT)
    moving = stage.leave()
    assert all(each.ended and not each.finished and each.unsent > 200_000 for each in moving)
    here = stage.arrive(moving)
    stage.client.tell("read_all")
    for sock in here.values():
        sock.sendall(b"and good bye")
        assert sock.recv(1) == b"", "the client's end moved too"
    close(here)
    assert stage.client.hear() == whole(written, "and good bye")


@pytest.mark.parametrize("buffer", [0, SMALL])
def test_what_the_guest_half_closed_is_read_to_its_end_and_answered(stage: Stage, buffer: int) -> None:
    """FIN_WAIT_1: behind what the client did not take yet is the guest's end."""
    stage.connect(2, buffer=buffer)
    written = stage.source.ask("fill", text=TEXT)
    stage.source.ask("finish")
    moving = stage.leave()
    assert all(each.finished and not each.heard and not each.ended and each.unsent for each in moving)
    here = stage.arrive(moving)
    assert stage.client.ask("read_all") == whole(written)
    stage.client.ask("write", text="thank you")
    stage.client.ask("finish")
    for sock in here.values():
        assert exactly(sock, 100) == b"thank you", "and then the end"
    close(here)


def test_what_the_guest_half_closed_long_ago_still_listens(stage: Stage) -> None:
    """FIN_WAIT_2: the client knows that the guest will say no more."""
    stage.connect(2)
    stage.source.ask("write", text="answer")
    stage.source.ask("finish")
    stage.source.ask("await_states", state=tcp_repair.FIN_WAIT_2)
    stage.client.ask("write", text="thank you")
    moving = stage.leave()
    assert all(each.heard and each.received == b"thank you" for each in moving)
    here = stage.arrive(moving)
    assert states(here) == {tcp_repair.FIN_WAIT_2}
    stage.client.ask("write", text=", once more")
    stage.client.ask("finish")
    for sock in here.values():
        assert exactly(sock, 100) == b"thank you, once more", "and then the end"
    assert {each[2] for each in stage.client.ask("read_all").values()} == {"end"}
    close(here)


@pytest.mark.parametrize("first", ["guest", "client"])
def test_what_both_have_half_closed_is_read_to_its_end(stage: Stage, first: str) -> None:
    """CLOSING and LAST_ACK: the guest's last bytes are still on their way."""
    stage.connect(2, buffer=SMALL)
    written = stage.source.ask("fill", text=TEXT)
    for who in (stage.source, stage.client) if first == "guest" else (stage.client, stage.source):
        who.ask("finish")
        if who is stage.client:
            state = {"guest": tcp_repair.CLOSING, "client": tcp_repair.CLOSE_WAIT}[first]
            stage.source.ask("await_states", state=state)
    moving = stage.leave()
    assert all(each.finished and each.ended and not each.heard for each in moving)
    here = stage.arrive(moving)
    assert stage.client.ask("read_all") == whole(written)
    for sock in here.values():
        assert sock.recv(1) == b""
    close(here)


def test_what_is_over_but_for_bytes_that_the_guest_has_not_read_is_read_there(stage: Stage) -> None:
    """CLOSE, and yet these bytes were acknowledged."""
    stage.connect(2)
    stage.source.ask("finish")
    stage.source.ask("await_states", state=tcp_repair.FIN_WAIT_2)
    stage.client.ask("write", text="my last words")
    stage.client.ask("close")
    stage.source.ask("await_states", state=tcp_repair.CLOSE)
    moving = stage.leave()
    assert len(moving) == 2 and stage.refused() == {}
    here = stage.arrive(moving)
    assert states(here) == {tcp_repair.CLOSE}
    for sock in here.values():
        assert exactly(sock, 100) == b"my last words", "and then the end"
    close(here)


def test_what_is_over_is_no_connection(stage: Stage) -> None:
    stage.connect(3)
    stage.source.ask("finish")
    stage.source.ask("await_states", state=tcp_repair.FIN_WAIT_2)
    stage.client.ask("close")
    stage.source.ask("await_states", state=tcp_repair.CLOSE)
    assert (stage.leave(), stage.refused()) == ([], {})


def test_half_closed_connections_of_a_guest_that_stays_go_on(stage: Stage) -> None:
    stage.connect(2, buffer=SMALL)
    written = stage.source.ask("fill", text=TEXT)
    stage.source.ask("finish")
    here = stage.restore(stage.leave())
    stage.arriving.forget()
    close(here)
    stage.departing.stay()
    process.resume(stage.source.pid)
    assert stage.client.ask("read_all") == whole(written)
    stage.client.ask("write", text="thank you")
    assert set(stage.source.ask("read", size=9).values()) == {"thank you"}


@pytest.mark.parametrize("first", ["guest", "client", "guest alone"])
@pytest.mark.parametrize(("buffer", "room"), [(SMALL, 0), (SMALL, ROOM), (0, 0)])
def test_what_the_guest_closed_is_read_to_its_end_though_nobody_holds_it(
    stage: Stage, first: str, buffer: int, room: int
) -> None:
    """FIN_WAIT_1, CLOSING and LAST_ACK as orphans, beside connections that go on."""
    stage.connect(2, buffer=buffer)
    written = stage.source.ask("fill", text=TEXT, room=room)
    if first == "client":
        stage.client.ask("finish")
        stage.source.ask("await_states", state=tcp_repair.CLOSE_WAIT)
    stage.source.ask("close")
    if first == "guest":
        stage.client.ask("finish")
    stage.client_beside.ask("connect", count=3)
    stage.source.ask("accept", count=3)
    moving = stage.leave()
    assert (len(moving), stage.refused()) == (5, {})
    closed = [each for each in moving if each.closed]
    many = 8 * SMALL  # how much a buffer holds differs: 38,121 bytes with Linux 6.1, and more with newer ones
    assert len(closed) == 2 and all(each.unsent > many for each in closed)
    here = stage.arrive(moving)
    assert len(here) == 3, "the guest is given what it held"
    assert stage.client.ask("read_all") == whole(written)
    stage.client_beside.ask("write", text="question")
    for sock in here.values():
        assert exactly(sock, 8) == b"question"
    close(here)


@pytest.mark.parametrize("first", ["guest", "client"])
def test_what_the_guest_closed_goes_on_where_it_stays(stage: Stage, first: str) -> None:
    stage.connect(2, buffer=SMALL)
    written = stage.source.ask("fill", text=TEXT)
    if first == "client":
        stage.client.ask("finish")
        stage.source.ask("await_states", state=tcp_repair.CLOSE_WAIT)
    stage.source.ask("close")
    here = stage.restore(stage.leave())
    stage.arriving.forget()
    assert here == {}
    stage.departing.stay()
    assert stage.refused() == {}
    process.resume(stage.source.pid)
    assert stage.client.ask("read_all") == whole(written)


def test_who_reads_what_the_guest_closed_hears_it_when_the_agent_dies_with_it(stage: Stage) -> None:
    stage.connect(2, buffer=SMALL)
    stage.source.ask("fill", text=TEXT)
    stage.source.ask("close")
    assert len(stage.leave()) == 2
    stage.departing.close(gone=False)
    who = stage.who
    take_back(stage.source.pid, GUEST_INTERFACE, who.ip, who.prefix, frames=frames(who), unaccepted=stage.told)
    process.resume(stage.source.pid)
    assert stage.client.ask("await_errors", count=2) == ["Connection reset by peer"] * 2


def test_what_the_guest_closed_and_cannot_be_read_is_refused_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_orphan, "ANSWERS_S", 0.05)
    monkeypatch.setattr(tcp_orphan, "_hear", lambda *_: None)
    stage.connect(2, buffer=SMALL)
    stage.source.ask("fill", text=TEXT)
    stage.source.ask("close")
    stage.client_beside.ask("connect", count=1)
    stage.source.ask("accept", count=1)
    moving = stage.leave()
    assert (len(moving), stage.refused()) == (1, {CLOSED: 2})
    close(stage.arrive(moving))

"""Connections that move between two hosts under a client that is told nothing: not a byte lost, none twice."""

import errno
import hashlib
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest

from testbed.core.connection import TcpConnection
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux import process, tcp_repair
from testbed.linux.nic import Nic
from testbed.migration.announcing import Announcer
from testbed.migration.connections import Arriving, Departing, Unaccepted, take_back
from testbed.migration.guest import Adopted
from testbed.network.announce import frames
from testbed.network.fabric import Fabric
from testbed.network.nic import INTERFACE, Identity, forwarding, identity_of
from tests.netns.talking import Talker, guest, talker


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-repair") as up:
        yield up


@dataclass(slots=True)
class Stage:
    """A guest that talks at esx1, one that waits at esx2, and the client of both."""

    fabric: Fabric
    who: Identity
    source: Talker
    destination: Talker
    client: Talker
    departing: Departing
    arriving: Arriving
    told: list[Unaccepted]

    def connect(self, count: int, accept: int | None = None) -> None:
        self.source.ask("listen")
        self.client.ask("connect", count=count)
        self.source.ask("accept", count=count if accept is None else accept)

    def leave(self) -> list[TcpConnection]:
        process.stop(self.source.pid)
        return self.departing.leave()

    def arrive(self, connections: Sequence[TcpConnection]) -> dict[int, socket.socket]:
        """Restored, and the link up: the sockets as the guest would have them, by the client's port."""
        made = self.restore(connections)
        self.arriving.appear()
        self.arriving.hand_over()
        return made

    def restore(self, connections: Sequence[TcpConnection]) -> dict[int, socket.socket]:
        adopted: list[Adopted] = self.arriving.restore(connections)
        made = {connection.remote_port: sock.dup() for connection, sock in adopted}
        for sock in made.values():
            sock.settimeout(30)
        return made

    def forwarding(self) -> str | None:
        return forwarding(self.fabric, self.who.mac)


@pytest.fixture
def stage(fabric: Fabric) -> Iterator[Stage]:
    who = identity_of(fabric)
    assert who is not None
    with ExitStack() as stack:
        source = stack.enter_context(guest(fabric, "esx1", who, up=True))
        destination = stack.enter_context(guest(fabric, "esx2", who, up=False))
        client = stack.enter_context(talker(fabric, "client", "client", who.ip))
        here = Announcer(source.pid, INTERFACE, frames(who))  # the test before left it at the other host
        here.announce()
        here.close()
        told: list[Unaccepted] = []
        departing = Departing(
            source.pid,
            Nic(source.pid, INTERFACE, who.ip, who.prefix),
            who.ip,
            announcer=Announcer(source.pid, INTERFACE, frames(who)),
            told=told.extend,
        )
        stack.callback(departing.close, gone=True)
        there = Nic(destination.pid, INTERFACE, who.ip, who.prefix)
        stack.callback(there.close)
        announcer = Announcer(destination.pid, INTERFACE, frames(who))
        stack.callback(announcer.close)
        arriving = Arriving(destination.pid, there, announcer)
        yield Stage(fabric, who, source, destination, client, departing, arriving, told)
        process.resume(source.pid)


def exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := sock.recv(size - len(data))):
        data += more
    return data


def close(sockets: dict[int, socket.socket]) -> None:
    for sock in sockets.values():
        sock.close()


def test_this_kernel_can() -> None:
    assert tcp_repair.supported() is None


def test_fifty_connections_with_bytes_under_way_both_ways(stage: Stage) -> None:
    stage.connect(50)
    stage.client.ask("write", text="question" * 100)
    stage.source.ask("write", text="answer" * 50)
    assert stage.forwarding() == "esx1"
    moving = stage.leave()
    assert len(moving) == 50 and stage.departing.refused == 0
    assert all(each.received == b"question" * 100 for each in moving)
    stage.client.ask("write", text="late")  # nobody hears it: TCP has to say it again
    here = stage.arrive(moving)
    assert (len(here), stage.arriving.refused) == (50, 0)
    assert stage.forwarding() == "esx2"
    for sock in here.values():
        assert exactly(sock, 804) == b"question" * 100 + b"late"
        sock.sendall(b"from the other host")
    heard = stage.client.ask("read", size=319)
    assert set(heard.values()) == {"answer" * 50 + "from the other host"}
    assert {int(port) for port in heard} == set(here)
    assert stage.client.ask("errors") == []
    close(here)


def test_megabytes_that_were_never_sent_follow_whole(stage: Stage) -> None:
    stage.connect(3)
    text = "a prime number of characters: 41, see us."
    written = stage.source.ask("fill", text=text)
    moving = stage.leave()
    assert all(each.unsent > 0 for each in moving), "the client's window should have been full"
    here = stage.arrive(moving)
    sizes = {port: size + 3 for port, size in written.items()}
    stage.client.tell("digest", sizes=sizes)
    for sock in here.values():
        sock.sendall(b"end")
    said = {port: (text * (size // len(text) + 1))[:size] + "end" for port, size in written.items()}
    assert stage.client.hear() == {port: hashlib.sha256(words.encode()).hexdigest() for port, words in said.items()}
    close(here)


def test_megabytes_that_were_never_read_are_read_there(stage: Stage) -> None:
    stage.connect(1)
    stage.client.tell("write", text="0123456", times=200_000)  # more than fits: it waits until somebody reads
    here = stage.arrive(stage.leave())
    ((_, sock),) = here.items()
    assert exactly(sock, 1_400_000) == b"0123456" * 200_000
    assert stage.client.hear() is None
    close(here)


def test_a_client_that_will_say_no_more_is_still_answered(stage: Stage) -> None:
    stage.connect(2)
    stage.client.ask("write", text="last words")
    stage.client.ask("finish")
    moving = stage.leave()
    assert [each.ended for each in moving] == [True, True]
    here = stage.arrive(moving)
    for sock in here.values():
        assert exactly(sock, 100) == b"last words", "and then the end"
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == tcp_repair.CLOSE_WAIT
        sock.sendall(b"good bye")
    assert set(stage.client.ask("read", size=8).values()) == {"good bye"}
    close(here)


def test_what_was_not_accepted_yet_moves_too(stage: Stage) -> None:
    stage.connect(5, accept=2)
    stage.client.ask("write", text="hello")
    moving = stage.leave()
    assert sorted(each.unaccepted for each in moving) == [False, False, True, True, True]
    here = stage.arrive(moving)
    for sock in here.values():
        assert exactly(sock, 5) == b"hello"
        sock.sendall(b"world")
    assert set(stage.client.ask("read", size=5).values()) == {"world"}
    close(here)


def test_the_guest_listens_on_the_port_beside_what_moved(stage: Stage) -> None:
    stage.connect(3)
    here = stage.arrive(stage.leave())
    assert stage.destination.ask("listen") is None
    assert len(stage.client.ask("connect", count=1)) == 4
    assert stage.destination.ask("accept", count=1) is None
    close(here)


def test_a_connection_that_the_kernel_refuses_is_counted(stage: Stage) -> None:
    stage.connect(2)
    moving = stage.leave()
    here = stage.arrive([replace(moving[0], local_ip="10.99.0.1"), moving[1]])
    assert (stage.arriving.restored, stage.arriving.refused) == (1, 1)
    assert list(here) == [moving[1].remote_port]
    close(here)


def test_a_guest_that_stays_goes_on_where_it_was(stage: Stage) -> None:
    """Also after its connections were made at the other host: that host drops them without a word."""
    stage.connect(20)
    stage.source.ask("write", text="answer")
    moving = stage.leave()
    stage.client.ask("write", text="question")
    here = stage.restore(moving)
    stage.arriving.forget()
    close(here)
    stage.departing.stay()
    stage.departing.stay()
    process.resume(stage.source.pid)
    assert set(stage.source.ask("read", size=8).values()) == {"question"}
    stage.source.ask("write", text="ed")
    assert set(stage.client.ask("read", size=8).values()) == {"answered"}
    assert stage.client.ask("errors") == []


def test_a_guest_that_died_at_its_first_step_there_goes_on_here(stage: Stage) -> None:
    """Its sockets were let go of and its link was up: still no client hears a word of it."""
    stage.connect(20)
    moving = stage.leave()
    here = stage.restore(moving)
    stage.arriving.appear()
    close(here)  # as the end of the guest's process would
    assert stage.forwarding() == "esx2"
    stage.arriving.forget()
    stage.departing.stay()
    assert stage.forwarding() == "esx1"
    process.resume(stage.source.pid)
    stage.client.ask("write", text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}
    assert stage.client.ask("errors") == []


def test_a_client_that_was_not_accepted_hears_it_when_the_guest_stays(stage: Stage) -> None:
    """It is out of the listener's queue and cannot be put back: better a reset than a silence."""
    stage.connect(3, accept=2)
    assert len(stage.leave()) == 3
    stage.departing.stay()
    process.resume(stage.source.pid)
    assert stage.client.ask("await_errors", count=1) == ["Connection reset by peer"]
    stage.source.ask("write", text="still here")


def test_a_guest_whose_agent_died_is_taken_back(stage: Stage) -> None:
    stage.connect(3)
    stage.leave()
    take_back(stage.source.pid, INTERFACE, stage.who.ip, stage.who.prefix)
    process.resume(stage.source.pid)
    stage.client.ask("write", text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}


def test_who_was_not_accepted_hears_it_also_when_the_agent_died_and_the_switch_follows(stage: Stage) -> None:
    """The client that waits says nothing, so only a reset can tell it."""
    stage.connect(3, accept=2)
    assert len(stage.leave()) == 3 and len(stage.told) == 1
    stage.arriving.appear()
    assert stage.forwarding() == "esx2"
    stage.arriving.forget()
    stage.departing.close(gone=False)  # as the agent's end would
    who = stage.who
    take_back(stage.source.pid, INTERFACE, who.ip, who.prefix, frames=frames(who), unaccepted=stage.told)
    process.resume(stage.source.pid)
    assert stage.forwarding() == "esx1"
    assert stage.client.ask("await_errors", count=1) == ["Connection reset by peer"]
    stage.client.ask("write_to", ports=stage.source.ask("ports"), text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}


def test_a_connection_that_ended_while_it_waited_for_the_guest_is_refused_and_no_others(stage: Stage) -> None:
    stage.connect(4, accept=2)
    stage.client.ask("abort", last=1)
    moving = stage.leave()
    assert sorted(each.unaccepted for each in moving) == [False, False, True]
    assert stage.departing.refused == 1
    here = stage.arrive(moving)
    for sock in here.values():
        sock.sendall(b"world")
    assert set(stage.client.ask("read", size=5).values()) == {"world"}
    close(here)


def test_a_connection_that_cannot_be_read_is_refused_and_no_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.connect(3)
    dump, once = tcp_repair.dump, [OSError(errno.ENOTCONN, "it ended just now")]

    def failing(sock: socket.socket, *, unaccepted: bool = False) -> TcpConnection:
        if once:
            raise once.pop()
        return dump(sock, unaccepted=unaccepted)

    monkeypatch.setattr(tcp_repair, "dump", failing)
    assert (len(stage.leave()), stage.departing.refused) == (2, 1)
    stage.departing.stay()
    process.resume(stage.source.pid)
    stage.client.ask("write", text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}


def test_a_reset_silences_and_reads_nothing(stage: Stage) -> None:
    stage.connect(2)
    process.stop(stage.source.pid)
    stage.departing.reset_because = "asked for"
    assert stage.departing.leave() == []
    stage.departing.stay()
    process.resume(stage.source.pid)
    stage.client.ask("write", text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}


def test_five_hundred(stage: Stage) -> None:
    stage.connect(500)
    stage.client.ask("write", text="question")
    here = stage.arrive(stage.leave())
    assert len(here) == 500
    for sock in here.values():
        assert exactly(sock, 8) == b"question"
        sock.sendall(b"answered")
    assert set(stage.client.ask("read", size=8).values()) == {"answered"}
    close(here)

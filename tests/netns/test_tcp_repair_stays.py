"""Connections of a guest that stays after all, that could not be read, or whose clients were not accepted yet."""

import errno
import hashlib
import socket
from collections.abc import Iterator

import pytest

from testbed.core.connection import TcpConnection
from testbed.core.errors import MigrationAborted
from testbed.core.network.names import GUEST_INTERFACE
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net import tcp_repair
from testbed.linux.processes import process
from testbed.migration.identity.connections import TAKEN_OUT
from testbed.migration.identity.inventory import UNREADABLE
from testbed.migration.identity.rescue import bring_up, take_back
from testbed.migration.precopy import CommitRefused
from testbed.network.fabric import Fabric
from testbed.packets.announcement import frames
from tests.netns.staging import Stage, close, staged
from tests.unit.loopback import Loopback, MemoryGuest


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-stays") as up:
        yield up


@pytest.fixture
def stage(fabric: Fabric) -> Iterator[Stage]:
    with staged(fabric) as ready:
        yield ready


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


@pytest.mark.parametrize("dies", [True, False])
def test_a_commit_that_is_refused_after_all_was_made_there_loses_no_byte(stage: Stage, dies: bool) -> None:
    """At the guest's first step there its clients speak, and it fails: they are heard by the source alone."""
    stage.connect(20)
    stage.connect(1, buffer=4096)
    ((late, size),) = stage.source.ask("fill", text="0123456", room=1 << 18, last=1).items()
    guests = MemoryGuest(16, fill=b"x"), MemoryGuest(16)
    lab = Loopback(*guests)
    lab.departure, lab.arrival = stage.departing, stage.arriving

    def fail() -> tuple[float, int]:
        stage.client.ask("write", text="question")
        if dies:
            stage.destination.process.kill()
            stage.destination.process.wait()
        raise MigrationAborted("its first step failed")

    guests[0].stun = lambda: process.freeze(stage.source.pid)  # type: ignore[method-assign]
    guests[0].resume = lambda: process.resume(stage.source.pid)  # type: ignore[method-assign]
    guests[1].run = fail  # type: ignore[method-assign]
    with pytest.raises(CommitRefused, match="its first step failed"):
        lab.run()
    assert len(guests[1].adopted) == 21
    assert lab.connections and lab.connections.moved == lab.connections.refused == 0
    assert stage.forwarding() == "esx1"
    assert set(stage.source.ask("read", size=8).values()) == {"question"}
    sent = ("0123456" * (size // 7 + 1))[:size]
    assert stage.client.ask("digest", sizes={late: size})[late] == hashlib.sha256(sent.encode()).hexdigest()
    stage.source.ask("write", text="answered")
    assert set(stage.client.ask("read", size=8).values()) == {"answered"}
    assert stage.client.ask("errors") == []


def test_a_client_that_was_not_accepted_hears_it_when_the_guest_stays(stage: Stage) -> None:
    """It is out of the listener's queue and cannot be put back: better a reset than a silence."""
    stage.connect(3, accept=2)
    assert len(stage.leave()) == 3
    stage.departing.stay()
    process.resume(stage.source.pid)
    assert stage.client.ask("await_errors", count=1) == ["Connection reset by peer"]
    assert stage.refused() == {TAKEN_OUT: 1}
    stage.source.ask("write", text="still here")


def test_a_guest_whose_agent_died_after_its_first_step_there_is_put_on_the_network(stage: Stage) -> None:
    stage.connect(3, buffer=4096)
    written = stage.source.ask("fill", text="0123456")
    here = stage.restore(stage.leave())
    stage.arriving.hand_over()  # as the agent's end would
    who = stage.who
    bring_up(stage.destination.pid, GUEST_INTERFACE, who.ip, who.prefix, frames=frames(who))
    assert stage.forwarding() == "esx2"
    stage.client.tell("digest", sizes=written)
    said = {port: ("0123456" * (size // 7 + 1))[:size] for port, size in written.items()}
    assert stage.client.hear() == {port: hashlib.sha256(words.encode()).hexdigest() for port, words in said.items()}
    close(here)


def test_a_guest_whose_agent_died_is_taken_back(stage: Stage) -> None:
    stage.connect(3)
    stage.leave()
    take_back(stage.source.pid, GUEST_INTERFACE, stage.who.ip, stage.who.prefix)
    process.resume(stage.source.pid)
    stage.client.ask("write", text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}


def test_who_was_not_accepted_hears_it_also_when_the_agent_died(stage: Stage) -> None:
    """The client that waits says nothing, so only a reset can tell it."""
    stage.connect(3, accept=2)
    assert len(stage.leave()) == 3 and len(stage.told) == 1
    stage.departing.close(gone=False)  # as the agent's end would
    who = stage.who
    take_back(stage.source.pid, GUEST_INTERFACE, who.ip, who.prefix, frames=frames(who), unaccepted=stage.told)
    process.resume(stage.source.pid)
    assert stage.forwarding() == "esx1"
    assert stage.client.ask("await_errors", count=1) == ["Connection reset by peer"]
    stage.client.ask("write_to", ports=stage.source.ask("ports"), text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}


def test_a_connection_that_was_reset_while_it_waited_for_the_guest_is_over_and_no_others(stage: Stage) -> None:
    stage.connect(4, accept=2)
    stage.client.ask("abort", last=1)
    moving = stage.leave()
    assert sorted(each.unaccepted for each in moving) == [False, False, True]
    assert stage.refused() == {}, "there is nothing left of it"
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
    assert (len(stage.leave()), stage.refused()) == (2, {UNREADABLE: 1})
    stage.departing.stay()
    assert stage.refused() == {}, "it goes on too"
    process.resume(stage.source.pid)
    stage.client.ask("write", text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}


def test_a_reset_silences_and_reads_nothing(stage: Stage) -> None:
    stage.connect(2)
    process.freeze(stage.source.pid)
    stage.departing.reset_because = "asked for"
    assert stage.departing.leave() == []
    stage.departing.stay()
    process.resume(stage.source.pid)
    stage.client.ask("write", text="question")
    assert set(stage.source.ask("read", size=8).values()) == {"question"}

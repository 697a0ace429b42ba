"""Connections of a guest that stays after all, that could not be read, or whose clients were not accepted yet."""

import errno
import socket
from collections.abc import Iterator

import pytest

from testbed.core.connection import TcpConnection
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux import process, tcp_repair
from testbed.migration.connections import take_back
from testbed.network.announce import frames
from testbed.network.fabric import Fabric
from testbed.network.nic import INTERFACE
from tests.netns.staging import Stage, close, staged


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

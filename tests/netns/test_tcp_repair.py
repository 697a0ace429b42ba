"""Connections that move between two hosts under a client that is told nothing: not a byte lost, none twice."""

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net import tcp_repair
from testbed.migration.identity.inventory import ELSEWHERE, OPENING
from testbed.network.fabric import Fabric
from tests.netns.staging import Stage, close, exactly, staged


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(NetworkPlan(vmotion=LinkPlan()), "test-repair") as up:
        yield up


@pytest.fixture
def stage(fabric: Fabric) -> Iterator[Stage]:
    with staged(fabric) as ready:
        yield ready


def test_this_kernel_can() -> None:
    assert tcp_repair.supported() is None


def test_fifty_connections_with_bytes_under_way_both_ways(stage: Stage) -> None:
    stage.connect(50)
    stage.client.ask("write", text="question" * 100)
    stage.source.ask("write", text="answer" * 50)
    assert stage.forwarding() == "esx1"
    moving = stage.leave()
    assert len(moving) == 50 and stage.refused() == {}
    assert all(each.received == b"question" * 100 for each in moving)
    stage.client.ask("write", text="late")  # nobody hears it: TCP has to say it again
    here = stage.arrive(moving)
    assert len(here) == 50
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


@pytest.mark.parametrize("room", [0, 1 << 20, 4 << 20])
def test_one_client_that_reads_late_into_a_small_buffer_and_others_that_do_not_care(stage: Stage, room: int) -> None:
    """Its queue is moved whole, and no other connection waits for it."""
    stage.connect(20)
    stage.connect(1, buffer=4096)
    text = "a prime number of characters: 41, see us."
    ((late, size),) = stage.source.ask("fill", text=text, room=room, last=1).items()
    stage.client.ask("write", text="question")
    moving = stage.leave()
    assert (len(moving), stage.refused()) == (21, {})
    (slow,) = [each for each in moving if each.remote_port == int(late)]
    assert slow.unsent > (room * 3 // 4 if room else 20_000), "or it was no small buffer"
    here = stage.arrive(moving)
    assert len(here) == 21
    for port, sock in here.items():
        assert exactly(sock, 8) == b"question"
        if port != int(late):
            sock.sendall(b"answered")
    assert stage.client.ask("read", size=8, but_last=1).keys() == {str(port) for port in here} - {late}
    sent = (text * (size // len(text) + 1))[:size]
    assert stage.client.ask("digest", sizes={late: size})[late] == hashlib.sha256(sent.encode()).hexdigest()
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
    assert list(here) == [moving[1].remote_port]
    close(here)


def test_what_cannot_move_is_known_before_the_stun_and_counted(stage: Stage) -> None:
    stage.connect(2)
    stage.source.ask("talk_to_itself")
    unfit = {ELSEWHERE: 2, OPENING: 1}
    assert stage.departing.foresee() == unfit
    assert (len(stage.leave()), stage.refused()) == (2, unfit)


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

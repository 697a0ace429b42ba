"""Strangers at an agent's port: none gets in, none ends the migration, and none holds the place."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.core.errors import MigrationAborted, TestbedError
from testbed.migration import admission as admission_module
from testbed.migration.admission import NAMED, Admission
from testbed.migration.streams import sending
from testbed.migration.streams.sockets import listen
from testbed.wire.messages import MAGIC, VERSION, Abandon, Hello, StreamHello, encode
from tests.unit.loopback import ID, Loopback, MemoryGuest, Script

HELLO = Hello(ID, 1 << 20, 4096, 1)
RIGHT = encode(HELLO)
OTHER = encode(Hello(bytes(16), 1 << 20, 4096, 1))


class Visited:
    """An admission on loopback, its log, and everybody who came."""

    def __init__(self, stack: ExitStack, *, peer: str | None = None) -> None:
        self._stack = stack
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.at = listener.getsockname()
        self.log: list[str] = []
        self.admission = stack.enter_context(Admission(listener, Hello, ID, peer=peer, log=self.log.append))

    def come(self, says: bytes = b"", host: str = "127.0.0.1") -> socket.socket:
        sock = self._stack.enter_context(socket.create_connection(self.at, 10, (host, 0)))
        sock.sendall(says)
        return sock

    def admitted(self, timeout_s: float = 10) -> socket.socket:
        """Whose connection was let in, by its other end."""
        sock, said, hello = self.admission.admit(timeout_s)
        assert (said, hello) == (RIGHT, HELLO) and sock.gettimeout() is None
        return self._stack.enter_context(sock)


@pytest.fixture
def visited() -> Iterator[Visited]:
    with ExitStack() as stack:
        yield Visited(stack)


def is_ended(sock: socket.socket) -> bool:
    sock.settimeout(10)
    with suppress(ConnectionError):
        return sock.recv(1) == b""
    return True


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (OTHER, "another migration"),
        (encode(StreamHello(ID, 0)), "STREAM_HELLO first"),
        (encode(Abandon("go away")), "ABANDON first"),
        (b"GET / HTTP/1.1\r\n\r\n", "begins with b'GE'"),
        (b"FM\x09\x01\0\0\0\x1f" + bytes(31), "version 9"),
        (MAGIC + bytes([VERSION, 1]) + b"\xff\xff\xff\xff", "longer than"),
    ],
    ids=["another id", "a stream", "another message", "a browser", "a later version", "a long one"],
)
def test_a_stranger_is_turned_away_and_the_source_let_in(visited: Visited, says: bytes, why: str) -> None:
    stranger = visited.come(says)
    source = visited.come(RIGHT)
    assert visited.admitted().getpeername() == source.getsockname()
    assert is_ended(stranger)
    assert visited.admission.strangers == 1
    assert why in visited.log[0] and "127.0.0.1" in visited.log[0]


def test_who_says_nothing_holds_nobody_up(visited: Visited) -> None:
    silent = [visited.come(RIGHT[:size]) for size in (0, 1, 7, 8, len(RIGHT) - 1)]
    source = visited.come(RIGHT)
    assert visited.admitted(2).getpeername() == source.getsockname()
    visited.admission.close()
    assert all(is_ended(each) for each in silent)


def test_who_says_nothing_is_turned_away_in_the_end(visited: Visited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission_module, "CONNECT_TIMEOUT_S", 0.05)
    silent = visited.come()
    with pytest.raises(MigrationAborted, match=r"no source came within 0.5 s; turned away as strangers: 1"):
        visited.admitted(0.5)
    assert is_ended(silent) and "silent for 0.05 s" in visited.log[0]


class Leaping:
    """A clock that runs away whenever it is looked at, as for a process that is stopped again and again."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1000.0
        return self.now


def test_who_was_stopped_meanwhile_reads_what_came_before_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission_module, "monotonic", Leaping())
    with ExitStack() as stack:
        visited = Visited(stack)
        slow = visited.come(RIGHT[:9])
        with pytest.raises(MigrationAborted, match="no source came within 3 s"):
            visited.admitted(3)
        slow.sendall(RIGHT[9:])
        assert visited.admitted(3).getpeername() == slow.getsockname() and not visited.admission.strangers


def test_a_hello_may_come_in_pieces(visited: Visited) -> None:
    source = visited.come()

    def dribble() -> None:
        source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in RIGHT:
            source.send(bytes([byte]))
            time.sleep(0.001)

    speaking = threading.Thread(target=dribble)
    speaking.start()
    assert visited.admitted().getpeername() == source.getsockname()
    speaking.join()


def test_what_follows_a_hello_is_left_for_who_reads_on(visited: Visited) -> None:
    visited.come(RIGHT + b"and more")
    assert visited.admitted().recv(100) == b"and more"


def test_a_flood_of_strangers_does_not_keep_the_source_out(visited: Visited) -> None:
    before = [visited.come() for _ in range(350)]
    source = visited.come(RIGHT)
    after = [visited.come(OTHER) for _ in range(50)]
    assert visited.admitted().getpeername() == source.getsockname()
    visited.admission.close()
    assert all(is_ended(each) for each in before + after)
    assert len(visited.log) <= NAMED + 1
    assert str(visited.admission.strangers) in visited.log[-1]


def test_a_right_hello_from_another_address_is_a_stranger() -> None:
    with ExitStack() as stack:
        visited = Visited(stack, peer="127.0.0.1")
        stranger = visited.come(RIGHT, host="127.0.0.2")
        source = visited.come(RIGHT)
        assert visited.admitted().getpeername() == source.getsockname()
        assert is_ended(stranger) and "from 127.0.0.2" in visited.log[0] and "it is not 127.0.0.1" in visited.log[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.binary(max_size=60) | st.binary(max_size=40).map(RIGHT[:8].__add__), max_size=8))
def test_whatever_strangers_say_the_source_is_let_in(words: list[bytes]) -> None:
    with ExitStack() as stack:
        visited = Visited(stack)
        for each in words:
            if each[: len(RIGHT)] != RIGHT:
                visited.come(each)
        source = visited.come(RIGHT)
        assert visited.admitted().getpeername() == source.getsockname()
        assert visited.admission.strangers <= len(words)


def test_a_listener_hears_its_own_interface_alone() -> None:
    listener = listen("127.0.0.1", 0, "lo", 1)
    with listener, socket.create_connection(listener.getsockname(), 10):
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"


def test_an_interface_that_is_not_there_is_said() -> None:
    with pytest.raises(MigrationAborted, match="nowhere0"):
        listen("127.0.0.1", 0, "nowhere0", 1)


# ---- Through a whole migration ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("streams", [1, 4])
def test_strangers_at_both_ports_end_no_migration(streams: int) -> None:
    source, destination = MemoryGuest(512, fill=b"x"), MemoryGuest(512)
    lab = Loopback(source, destination, streams=streams)
    words = [b"", b"x", OTHER, RIGHT[:20], encode(StreamHello(bytes(16), 0)), encode(StreamHello(ID, 0))[:-1]]
    with ExitStack() as stack:
        for each in words:
            for listener in (lab.listener, lab.stream_listener):
                stack.enter_context(socket.create_connection(listener.getsockname(), 10)).sendall(each)
        lab.run()
    assert destination.memory[:] == source.memory[:]
    assert destination.did == ["run", "resume"] and lab.destination_fault is None
    assert sum(each.strangers for each in lab.admissions) >= 4


def test_nobody_is_heard_once_all_have_come() -> None:
    source, destination = MemoryGuest(512, fill=b"x"), MemoryGuest(512)
    lab = Loopback(source, destination)
    addresses = [each.getsockname() for each in (lab.listener, lab.stream_listener)]
    refused: list[type] = []

    def knock() -> None:
        for address in addresses:
            try:
                socket.create_connection(address, 10).close()
            except OSError as fault:
                refused.append(type(fault))

    lab.run(Script([knock]))
    assert refused == [ConnectionRefusedError, ConnectionRefusedError]


@pytest.mark.parametrize("indices", [(0, 0), (0, 2), (0, 65535)])
def test_a_stream_that_comes_twice_or_is_none_of_them_is_the_sources_own_fault(
    indices: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, destination = MemoryGuest(512, fill=b"x"), MemoryGuest(512)
    monkeypatch.setattr(sending, "StreamHello", lambda known, index: StreamHello(known, indices[index]))
    lab = Loopback(source, destination, streams=2)
    with pytest.raises(TestbedError):
        lab.run()
    assert "came twice, or is none" in str(lab.destination_fault)
    assert "stun" not in source.did and destination.did == []

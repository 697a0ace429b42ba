"""Echo: every byte comes back, whatever the queues hold when it moves."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.client.conversation import ClientFinished
from guest_agent.services.echo.client import Content
from guest_agent.services.echo.service import Echo
from testbed.core.errors import TestbedError
from tests.unit.service_machine import SmallMachine, evidence, free_port


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallMachine]:
    monkeypatch.setattr(Echo, "port", free_port())
    small = SmallMachine(Echo(), str(tmp_path / "none")).start()
    yield small
    small.close()


def connect() -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", Echo.port or 0))
    sock.setblocking(False)
    return sock


def exchange(machine: SmallMachine, sock: socket.socket, data: bytes, came: bytearray) -> None:
    """Sends as the queues take it, reads as it comes."""
    left = memoryview(data)
    while len(came) < len(data):
        machine.turn(0.001)
        with contextlib.suppress(BlockingIOError):
            left = left[sock.send(left) :] if left else left
        with contextlib.suppress(BlockingIOError):
            came += sock.recv(100_000)


def test_bytes_come_back(machine: SmallMachine) -> None:
    came, data = bytearray(), bytes(range(256)) * 8192
    with connect() as sock:
        exchange(machine, sock, data, came)
    assert came == data


def test_bytes_of_a_client_that_does_not_read_move_with_the_connection(machine: SmallMachine) -> None:
    data = b"".join(number.to_bytes(4, "big") for number in range(4_000_000))
    with connect() as sock:
        sent, idle = 0, 0
        while idle < 50 and sent < len(data):  # until no queue takes any more
            machine.turn(0.001)
            try:
                sent += sock.send(data[sent : sent + 500_000])
                idle = 0
            except BlockingIOError:
                idle += 1
        assert 0 < sent < len(data), "the queues took it all"
        successor = machine.move()
        came = bytearray()
        while len(came) < sent:
            successor.turn(0.001)
            with contextlib.suppress(BlockingIOError):
                came += sock.recv(1_000_000)
        assert came == data[:sent]
    successor.close()


def test_connections_that_end_are_let_go(machine: SmallMachine) -> None:
    for reset in (False, True):
        sock = connect()
        machine.turn()
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    machine.run(lambda: len(machine._selector.get_map()) == 1)


def test_an_address_that_cannot_be_listened_on_is_said(tmp_path: Path, machine: SmallMachine) -> None:
    other = SmallMachine(Echo(), str(tmp_path / "none"))
    with pytest.raises(TestbedError, match=r"cannot listen on 127\.0\.0\.1"):
        other.start()
    other.close()


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"broken": 2}, 0), ({"mismatched": 1}, 0), ({"answered": 7}, 3), ({}, None),
        ({"answered": 7, "abandoned": 2}, 1), ({"answered": 7, "abandoned": 3}, None), ({"sent": 0, "answered": 0}, 0),
    ],
)  # fmt: skip
def test_the_verdict_is_the_clients(machine: SmallMachine, changed: dict[str, int], lost: int | None) -> None:
    said = ClientFinished(sent=10, answered=10, errors=0, reconnects=0)
    verdict = Echo().verify(evidence(machine, said=replace(said, **changed)))
    assert verdict.ok == (lost is None) and verdict.lost == (lost or 0)


def test_connections_that_had_to_break_are_no_fault(machine: SmallMachine) -> None:
    said = ClientFinished(sent=10, answered=8, errors=0, reconnects=2, broken=2, abandoned=2)
    left = evidence(machine, said=said)
    assert [Echo().verify(replace(left, may_break=most)).ok for most in (0, 1, 2, None)] == [False, False, True, True]


def test_clients_that_said_nothing_prove_nothing(machine: SmallMachine) -> None:
    assert not Echo().verify(evidence(machine)).ok


@pytest.mark.parametrize("wrong", [{"connections": 0}, {"size": 0}, {"window": 0}])
def test_what_cannot_be_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Echo(**wrong)


CONTENT = Content(7, 65536)


@given(st.integers(0, 9999), st.integers(0, 2**40), st.integers(64, 65536), st.integers(1, 100_000))
def test_lost_and_repeated_bytes_never_leave_content_as_it_was(
    number: int, offset: int, length: int, shift: int
) -> None:
    content = CONTENT.of(number, offset, length)
    assert len(content) == length
    assert content != CONTENT.of(number, offset + shift, length)
    assert content[10:] == CONTENT.of(number, offset + 10, length - 10)

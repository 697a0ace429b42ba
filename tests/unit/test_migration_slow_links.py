"""A slow link is no fault of anybody: whoever works says so, hears a cancel, and is waited for."""

import socket
import threading
from time import monotonic, sleep

import pytest

from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.migration import destination as destination_module
from testbed.migration.streams.receiving import RoundCounter
from testbed.migration.streams.sending import LONG_RUN, PIECE, Memory
from testbed.wire.messages import MAX_EXTENTS
from tests.unit.loopback import Loopback, MemoryGuest

RUN = LONG_RUN - PAGE_SIZE
"""Bytes of the longest run that is gathered."""


def scattered(runs: int, size: int) -> Extents:
    """So many runs of that size, a page apart."""
    marks = Extents.none().bitmap(runs * (size // PAGE_SIZE + 1)).reshape(runs, -1)
    marks[:, 1:] = True
    return Extents.of_bitmap(marks.reshape(-1))


@pytest.mark.parametrize("size", [PAGE_SIZE, RUN])
def test_scattered_pages_are_told_of_as_they_go(size: int) -> None:
    runs = min(MAX_EXTENTS, (8 << 20) // size)
    batch, told = scattered(runs, size), list[int]()
    guest = MemoryGuest(runs * (size // PAGE_SIZE + 1), fill=b"some page of a guest")
    ours, theirs = socket.socketpair()
    got = bytearray()

    def read() -> None:
        while data := theirs.recv(1 << 16):
            got.extend(data)

    reading = threading.Thread(target=read)
    reading.start()
    memory = Memory(guest.fd, guest.size)
    with theirs:
        with ours:
            memory.send(ours, b"head", batch, told.append)
        reading.join()
    memory.close()
    assert bytes(got) == b"head" + b"".join(guest.memory[at : at + length] for at, length in batch)
    assert sum(told) == batch.size and max(told) < PIECE + LONG_RUN


def test_a_source_says_how_far_it_is_while_tcp_holds_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the run takes it for one that hangs: all has been handed to TCP, and the link takes its time."""
    lab, heard = Loopback(MemoryGuest(64, fill=b"x"), MemoryGuest(64)), list[float]()
    lab.progress = lambda *_: heard.append(monotonic())
    wait, waited = RoundCounter.wait, list[float]()

    def slow(counter: RoundCounter, index: int, size: int, timeout_s: float) -> None:
        waited.append(monotonic())
        sleep(1.2)
        wait(counter, index, size, timeout_s)

    monkeypatch.setattr(RoundCounter, "wait", slow)
    lab.run()
    assert len([at for at in heard if waited[0] + 0.1 < at < waited[0] + 1.2]) >= 2


def test_a_round_may_take_longer_than_a_source_may_be_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destination_module, "QUIET_S", 0.75)
    source, destination = MemoryGuest(2048, fill=b"x"), MemoryGuest(2048)
    lab = Loopback(source, destination)
    lab.progress = lambda *_: sleep(0.3)
    lab.run()
    assert lab.destination_fault is None and destination.memory[:] == source.memory[:]

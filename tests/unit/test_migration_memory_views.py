"""What ends a migration is what is said: no view of memory that was left open hides it, on either side."""

import mmap
import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from guest_agent.config import GuestConfig
from guest_agent.memory.ram import read_state
from testbed.core.errors import RemoteProtocolError, TestbedError
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.migration.agents.attached import AttachedGuest
from testbed.migration.cancel import Cancel, MigrationCancelled
from testbed.migration.early_look import Pass
from testbed.migration.memory_views import drop, release
from testbed.migration.streams.sending import Memory, SendStreams, send_gathered
from testbed.migration.streams.sockets import cut
from testbed.rig import datastore
from testbed.rig.guests import local_guest
from tests.unit.loopback import ID, Loopback, MemoryGuest, Script

PAGES = 4096


def scattered(guest: MemoryGuest) -> None:
    """Every second page: each goes by a view of its own."""
    for page in range(1, guest.pages, 2):
        guest.write(page, b"new")


@pytest.mark.parametrize("streams", [1, 4])
def test_a_cancel_in_the_middle_of_a_round_is_what_is_said(streams: int) -> None:
    source, destination = MemoryGuest(PAGES, fill=b"x"), MemoryGuest(PAGES)
    lab = Loopback(source, destination, streams=streams)

    def ask_soon() -> None:
        lab.progress = lambda *_: lab.cancel.ask()

    with pytest.raises(MigrationCancelled):
        lab.run(Script([lambda: scattered(source), ask_soon]))
    assert source.did == ["resume"]
    assert not isinstance(lab.destination_fault, BufferError)


@pytest.mark.parametrize("streams", [1, 4])
def test_a_stream_that_breaks_in_the_middle_of_a_round_is_what_is_said(streams: int) -> None:
    source, destination = MemoryGuest(PAGES, fill=b"x"), MemoryGuest(PAGES)
    lab = Loopback(source, destination, streams=streams)

    def break_soon() -> None:
        lab.progress = lambda *_: cut(lab.stream_sockets[-1])

    with pytest.raises(RemoteProtocolError, match=r"broke|was closed"):
        lab.run(Script([lambda: scattered(source), break_soon]))
    assert not isinstance(lab.destination_fault, BufferError) and lab.agent.abandoned


@contextmanager
def unread(count: int) -> Iterator[tuple[list[socket.socket], list[socket.socket]]]:
    """Connections whose other ends take nothing."""
    pairs = [socket.socketpair() for _ in range(count)]
    try:
        yield [ours for ours, _ in pairs], [theirs for _, theirs in pairs]
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


def test_a_stream_that_breaks_ends_those_that_wait_for_their_peer() -> None:
    guest = MemoryGuest(PAGES, fill=b"x")
    memory = Memory(guest.fd, guest.size)
    told = threading.Event()
    with unread(4) as (ours, theirs):
        streams = SendStreams(ours, ID, Cancel(), cap=1e6)

        def break_one() -> None:
            told.wait(10)
            theirs[2].close()

        breaking = threading.Thread(target=break_one)
        breaking.start()
        with pytest.raises(RemoteProtocolError, match=r"stream \d broke"):
            streams.send(1, Pass(Extents.whole(guest.size), 0), memory, told.set)
        breaking.join()
        memory.close()
        streams.close()


def test_what_a_send_raises_holds_no_view() -> None:
    guest = MemoryGuest(PAGES, fill=b"x")
    memory = Memory(guest.fd, guest.size)
    odd = Extents.of_bitmap(np.arange(PAGES) % 2 == 1)
    with unread(1) as ((ours,), _):
        ours.settimeout(0.05)
        with pytest.raises(TimeoutError) as raised:
            for batch in odd.batches(1 << 20, 512):
                memory.send(ours, b"head", batch, lambda _size: None)
        memory.close()
        assert raised.value.__traceback__


def test_parts_go_in_order_whatever_a_socket_takes() -> None:
    chance = random.Random(7)
    for _ in range(200):
        whole = [chance.randbytes(chance.randrange(1, 50)) for _ in range(chance.randrange(1, 8))]
        parts, text = [memoryview(each) for each in whole], b"".join(whole)
        while parts:
            gone = chance.randrange(0, sum(map(len, parts)) + 1)
            drop(parts, gone)
            text = text[gone:]
            assert b"".join(parts) == text
        assert not text


def test_a_send_of_nothing_sends_nothing() -> None:
    with unread(1) as ((ours,), _):
        assert send_gathered(ours, [], 0) == 0
    with mmap.mmap(-1, PAGE_SIZE) as memory:
        view = memoryview(memory)
        release([view[:8], view])


def test_a_page_0_without_a_guest_is_said_and_not_hidden(tmp_path: Path) -> None:
    config = GuestConfig(role="destination", ram_bytes=4 << 20, workload={"name": "idle"})
    with (
        local_guest(config, tmp_path / "guest") as started,
        pytest.raises(TestbedError, match="page 0 holds no guest"),
        AttachedGuest(str(started.socket)) as attached,
    ):
        attached.operations()


def test_a_mapped_page_without_a_state_is_said_and_not_hidden() -> None:
    with pytest.raises(TestbedError, match="page 0 holds no guest"), mmap.mmap(-1, PAGE_SIZE) as page:
        read_state(page)


def test_a_full_disk_is_said_while_a_datastore_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwritev", full)
    fd = os.memfd_create("disk")
    with pytest.raises(OSError, match="No space left"):
        datastore._fill(fd, 1 << 20)
    os.close(fd)

"""Who owns a guest's tracker: one tracker gives way to another without a page lost, and none holds the guest up."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

import pytest

from testbed.core.errors import LocalProtocolError, TestbedError
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts
from testbed.dirty.checksum import Checksum
from testbed.migration.tracked_memory import TrackedMemory
from tests.unit.loopback import MemoryGuest, SetTracker

PAGES = 64


class Told(SetTracker):
    """Says in the guest's list what is done with it."""

    fault: str | None = None

    def __init__(self, ports: GuestPorts, guest: MemoryGuest) -> None:
        super().__init__(ports, guest)
        self.did = guest.did

    def start(self) -> None:
        self.did.append("start")
        if self.fault:
            raise TestbedError(self.fault)
        super().start()

    def close(self) -> None:
        self.did.append("close")
        super().close()


class Unstartable(Told):
    fault = "the memory cannot be protected"


@pytest.fixture
def guest() -> MemoryGuest:
    return MemoryGuest(PAGES)


@pytest.fixture
def memory(guest: MemoryGuest) -> Iterator[TrackedMemory]:
    tracked = TrackedMemory(guest, SetTracker(guest.ports(), guest), nullcontext())
    yield tracked
    tracked.close()


def pages(extents: Extents) -> list[int]:
    return [page for at, length in extents for page in range(at // PAGE_SIZE, (at + length) // PAGE_SIZE)]


def test_what_was_not_sent_stays_dirty(guest: MemoryGuest, memory: TrackedMemory) -> None:
    memory.start()
    assert memory.dirty.size == guest.size
    guest.write(3, b"a")
    left = memory.collect(Extents.of_bitmap(Extents.none().bitmap(PAGES)))
    assert pages(left) == [3]
    guest.write(5, b"b")
    assert pages(memory.collect(left)) == [3, 5]
    guest.write(7, b"c")
    memory.collect_last()
    assert pages(memory.dirty) == [3, 5, 7]


def test_an_exchange_loses_nothing_and_has_one_hold_the_memory_at_a_time(
    guest: MemoryGuest, memory: TrackedMemory
) -> None:
    memory.start()
    memory.collect(Extents.none())
    guest.write(3, b"before")
    memory.exchange(lambda ports: Told(ports, guest))
    assert guest.did == ["freeze", "start", "resume"]
    assert pages(memory.dirty) == [3]
    guest.write(4, b"after")
    assert pages(memory.collect(Extents.none())) == [4]
    memory.exchange(lambda ports: Told(ports, guest))
    assert guest.did[3:] == ["freeze", "close", "start", "resume"]


def test_one_that_cannot_start_lets_go_before_the_guest_runs(guest: MemoryGuest, memory: TrackedMemory) -> None:
    """It may have protected a part of the memory, and would answer no write to it."""
    memory.start()
    with pytest.raises(TestbedError, match="cannot be protected"):
        memory.exchange(lambda ports: Unstartable(ports, guest))
    assert guest.did == ["freeze", "start", "close", "resume"]
    assert not memory.tracked and not memory.delay(None)
    with pytest.raises(LocalProtocolError, match="not tracked"):
        memory.collect(Extents.none())


def test_one_that_cannot_be_made_changes_nothing(guest: MemoryGuest, memory: TrackedMemory) -> None:
    def make(_ports: GuestPorts) -> SetTracker:
        raise TestbedError("no more descriptors")

    memory.start()
    with pytest.raises(TestbedError, match="no more"):
        memory.exchange(make)
    guest.write(2, b"x")
    assert pages(memory.collect(Extents.none())) == [2]
    assert guest.did == [] and memory.install_s == 0


def test_copies_are_read_until_another_tracker_protects_the_memory_itself(guest: MemoryGuest) -> None:
    memory = TrackedMemory(guest, Checksum(replace(guest.ports(), pid=os.getpid())), nullcontext())
    memory.start()
    assert memory.pages is not memory.ram
    memory.exchange(lambda ports: SetTracker(ports, guest))
    assert memory.pages is memory.ram
    memory.close()
    memory.untrack()
    assert not memory.tracked

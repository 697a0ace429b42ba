"""A service's disk: real direct I/O on its own part of a file, to and from its own pages, which are then dirty."""

import errno
import mmap
import os
import select
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from guest_agent.disk import Controller, ServiceDisk
from guest_agent.gate import Gate, GateKeeper
from guest_agent.journal import JournalWriter
from guest_agent.loop import GuestLoop
from guest_agent.services import Area
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts
from testbed.dirty.uffd_wp import FEATURES
from testbed.linux.memory import memfd, userfaultfd
from testbed.linux.memory.pagemap import WrittenPages
from testbed.throttles.sdps import StunDuringPageSend

PAGES = 32
START, SIZE = 8 * PAGE_SIZE, 16 * PAGE_SIZE


class Bench:
    """One service's disk on a file of 32 pages, of which 16, from the eighth on, are its own."""

    def __init__(self, fd: int) -> None:
        journal = JournalWriter()
        self.gate, self.keeper, self.fd = Gate(journal.words), GateKeeper(journal.fd), fd
        os.close(journal.fd)
        self.loop = GuestLoop(self.gate, lambda: 0.0)
        ram = memfd.create("area", PAGES * PAGE_SIZE)
        memfd.preallocate(ram, PAGES * PAGE_SIZE)
        self.area: Area = np.frombuffer(memfd.map_shared(ram, PAGES * PAGE_SIZE, populate=True), np.uint8)
        os.close(ram)
        self.controller = Controller(fd, self.loop, self.gate)
        self.disk = ServiceDisk(self.controller, self.area, START, SIZE)
        self.results: list[int] = []

    def done(self, result: int) -> None:
        self.results.append(result)

    def finish(self, count: int = 1) -> list[int]:
        while len(self.results) < count:
            self.loop.turn(30)
        found, self.results = self.results, []
        return found

    def busy(self) -> bool:
        return self.keeper.busy

    def page(self, number: int) -> Area:
        return self.area[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    fd = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT, 0o600)
    os.posix_fallocate(fd, 0, PAGES * PAGE_SIZE)
    made = Bench(fd)
    yield made
    made.controller.aio.close()
    os.close(fd)


@pytest.mark.parametrize("sync", [False, True])
def test_what_was_written_is_read_and_lies_in_its_own_part(bench: Bench, sync: bool) -> None:
    bench.page(3)[:] = np.random.default_rng(2).integers(0, 256, PAGE_SIZE, np.uint8)
    bench.disk.write(2 * PAGE_SIZE, 3 * PAGE_SIZE, PAGE_SIZE, bench.done, sync=sync)
    assert bench.finish() == [PAGE_SIZE]
    bench.disk.read(2 * PAGE_SIZE, 9 * PAGE_SIZE, PAGE_SIZE, bench.done)
    assert bench.finish() == [PAGE_SIZE]
    assert np.array_equal(bench.page(9), bench.page(3))
    with open(f"/proc/self/fd/{bench.fd}", "rb") as file:
        assert file.read() == bytes(START + 2 * PAGE_SIZE) + bench.page(3).tobytes() + bytes(21 * PAGE_SIZE)


def test_a_read_leaves_what_came_and_nothing_beside_it(bench: Bench) -> None:
    bench.area[:] = 7
    bench.disk.read(0, PAGE_SIZE + 512, 2 * PAGE_SIZE + 512, bench.done)
    assert bench.finish() == [2 * PAGE_SIZE + 512]
    expected = np.full(PAGES * PAGE_SIZE, 7, np.uint8)
    expected[PAGE_SIZE + 512 : 3 * PAGE_SIZE + 1024] = 0
    assert np.array_equal(bench.area, expected)


def test_nothing_ends_before_the_next_turn_and_until_then_the_guest_is_busy(bench: Bench) -> None:
    for page in range(8):
        bench.disk.write(page * PAGE_SIZE, page * PAGE_SIZE, PAGE_SIZE, bench.done)
    assert not bench.results and bench.busy()
    bench.finish(8)
    assert not bench.busy()


def test_what_is_in_flight_ends_while_the_guest_is_held(bench: Bench) -> None:
    states = list[bool]()

    def done(result: int) -> None:
        bench.done(result)
        states.append(bench.busy())

    bench.disk.write(0, 0, PAGE_SIZE, done)
    bench.keeper.hold()
    assert bench.finish() == [PAGE_SIZE]
    assert states == [True] and not bench.busy()


@pytest.mark.parametrize(
    ("offset", "area_offset", "length"),
    [
        (SIZE, 0, PAGE_SIZE),
        (SIZE - 512, 0, PAGE_SIZE),
        (-512, 0, PAGE_SIZE),
        (0, PAGES * PAGE_SIZE, 512),
        (0, -512, 512),
        (0, 0, 0),
        (0, 0, SIZE + 512),
    ],
)
def test_what_lies_outside_is_refused(bench: Bench, offset: int, area_offset: int, length: int) -> None:
    for verb in (bench.disk.read, bench.disk.write):
        with pytest.raises(ValueError, match="outside"):
            verb(offset, area_offset, length, bench.done)
    assert not bench.busy()


def test_an_operation_that_the_disk_cannot_do_ends_with_its_error(bench: Bench) -> None:
    nowhere = np.frombuffer(mmap.mmap(-1, PAGE_SIZE, prot=0), np.uint8)
    ServiceDisk(bench.controller, nowhere, 0, SIZE).write(0, 0, PAGE_SIZE, bench.done)
    assert bench.finish() == [-errno.EFAULT] and not bench.busy()


def test_an_operation_that_the_kernel_refuses_to_begin_ends_with_its_error_in_a_later_turn(bench: Bench) -> None:
    controller = Controller(1 << 20, bench.loop, bench.gate)
    disk = ServiceDisk(controller, bench.area, 0, SIZE)
    disk.read(0, 0, PAGE_SIZE, bench.done)
    bench.disk.write(0, 0, PAGE_SIZE, bench.done)
    assert not bench.results and bench.busy()
    assert sorted(bench.finish(2)) == [-errno.EBADF, PAGE_SIZE]
    assert not bench.busy()
    controller.aio.close()


def test_a_read_goes_on_where_its_pages_are_protected_and_the_kernel_may_not_wait(bench: Bench) -> None:
    ports = GuestPorts(
        pid=os.getpid(),
        ram_address=int(bench.area.ctypes.data),
        ram_bytes=PAGES * PAGE_SIZE,
        ram_fd=-1,
        new_userfaultfd=userfaultfd.open_for_user_faults,
    )
    tracker = StunDuringPageSend(ports)
    try:
        tracker.start()
        bench.disk.read(0, 5 * PAGE_SIZE + 512, 3 * PAGE_SIZE, bench.done)
        assert bench.finish() == [3 * PAGE_SIZE]
        assert list(tracker.collect()) == [(5 * PAGE_SIZE, 4 * PAGE_SIZE)]
        bench.disk.write(0, 5 * PAGE_SIZE, PAGE_SIZE, bench.done)
        assert bench.finish() == [PAGE_SIZE], "what the kernel only reads is not protected from it"
        assert list(tracker.collect()) == []
    finally:
        tracker.close()


@pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")
def test_pages_protected_while_they_are_read_into_are_dirty_when_the_read_is_done(bench: Bench) -> None:
    address, length = int(bench.area.ctypes.data), PAGES * PAGE_SIZE
    fd = userfaultfd.open_for_user_faults()
    written = WrittenPages(os.getpid())
    try:
        userfaultfd.enable(fd, FEATURES)
        userfaultfd.register_write_protect(fd, address, length)
        bench.disk.read(0, 5 * PAGE_SIZE + 512, 3 * PAGE_SIZE, bench.done)
        written.collect(address, length)
        assert len(written.collect(address, length)) == 0
        assert select.select([bench.controller.aio.eventfd], [], [], 30)[0]
        assert len(written.collect(address, length)) == 0, "the kernel wrote to RAM"
        bench.finish()
        runs = written.collect(address, length).tolist()
        assert runs == [[address + 5 * PAGE_SIZE, address + 9 * PAGE_SIZE]]
    finally:
        written.close()
        os.close(fd)

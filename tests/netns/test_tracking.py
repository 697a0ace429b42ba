"""A page is never lost: a running guest, thousands of rounds, and a copy kept only from what the tracker collected.

After ``start`` everything is copied; in each round what was collected, after it was protected again; at the end the
guest is stopped, and one more round. The copy must then be the guest's RAM, byte for byte.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guest_agent.config import GuestConfig
from guest_agent.memory.program import Memory, Program
from guest_agent.memory.verify import prove
from testbed.core.errors import TestbedError
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker
from testbed.dirty.choice import choose
from testbed.linux.processes import process
from testbed.rig.guests import GuestProcess, local_guest
from tests.unit.replaying import read_state_of, redo, replay

RAM = 4 << 20
ASYNC = pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")
SOFT = [pytest.mark.stock_kernel, pytest.mark.needs_kernel("CONFIG_MEM_SOFT_DIRTY")]
TRACKERS = [pytest.param("uffd-wp", marks=ASYNC), "checksum"]
ROUNDS = {"uffd-wp": 4000, "checksum": 700, "soft-dirty": 1000}
BUSY: dict[str, Any] = {"name": "uniform", "write_rate": 600e6}


@dataclass
class Shadow:
    """The copy, and the only ways of bringing it up to date."""

    tracker: Tracker
    memory: Memory

    def copy(self, extents: Extents) -> None:
        flat = self.memory.reshape(-1).data.cast("B")
        for offset, length in extents:
            assert os.preadv(self.tracker.pages_fd, [flat[offset : offset + length]], offset) == length


@dataclass
class Tracked:
    """A guest, its descriptors and ports."""

    process: GuestProcess
    config: GuestConfig
    ports: GuestPorts

    def ram(self) -> Memory:
        memory = np.empty((self.config.pages, PAGE_SIZE // 8), np.uint64)
        assert os.preadv(self.ports.ram_fd, [memory.data.cast("B")], 0) == memory.nbytes
        return memory


@pytest.fixture(params=[BUSY, {"name": "sequential", "write_rate": 2e9}, {"name": "hot-cold", "write_rate": 300e6}])
def guest(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tracked]:
    config = GuestConfig(ram_bytes=RAM, workload=request.param, seed=11)
    with local_guest(config, tmp_path / "guest") as started:
        ports = started.client.ports()
        yield Tracked(
            started,
            config,
            GuestPorts(
                pid=ports.pid,
                ram_address=ports.ram_address,
                ram_bytes=ports.ram_bytes,
                ram_fd=ports.ram_fd,
                new_userfaultfd=started.client.userfaultfd,
            ),
        )
        os.close(ports.ram_fd)
        os.close(ports.journal_fd)


@pytest.mark.parametrize("name", [*TRACKERS, pytest.param("soft-dirty", marks=SOFT)])
def test_no_page_is_lost_over_thousands_of_rounds(guest: Tracked, name: str) -> None:
    tracker = choose(guest.ports, name).tracker
    guest.process.client.run()
    shadow = Shadow(tracker, np.zeros((guest.config.pages, PAGE_SIZE // 8), np.uint64))
    tracker.start()
    shadow.copy(Extents.whole(RAM))
    found = rounds = 0
    while rounds < ROUNDS[name] or found <= ROUNDS[name]:  # on a busy machine a guest writes less in so many rounds
        extents = tracker.collect()
        assert in_order(extents), "a page was found twice, or behind one that was found before it"
        rounds, found = rounds + 1, found + extents.pages
        shadow.copy(extents)
    process.freeze(guest.process.pid)
    shadow.copy(tracker.collect())
    assert np.array_equal(shadow.memory, guest.ram())
    assert process.is_frozen(guest.process.pid), "a tracker must not wake a guest that others stopped"
    tracker.close()
    check_replay(guest)


def in_order(extents: Extents) -> bool:
    """Rising and disjoint: the destination refuses anything else."""
    offsets, lengths = extents.table.astype(np.int64).T
    return bool((offsets[1:] >= offsets[:-1] + lengths[:-1]).all())


@ASYNC
@pytest.mark.parametrize("pages", [3000, 20_000])
def test_many_runs_are_found_once_and_in_order(guest: Tracked, pages: int) -> None:
    """So many scattered runs that the kernel hands them over in parts, while the guest writes behind them."""
    tracker = choose(guest.ports, "uffd-wp").tracker
    guest.process.client.run()
    tracker.start()
    for _ in range(20):
        until = guest.process.client.status().operations + pages
        while guest.process.client.status().operations < until:
            pass
        assert in_order(tracker.collect())
    tracker.close()


def check_replay(guest: Tracked) -> None:
    """Tracking has not changed what the guest does."""
    state, memory = read_state_of(guest.ports.ram_fd), guest.ram()
    expected = replay(guest.config, state.operations)
    for each in (memory, expected):
        redo(Program(guest.config), each, state.operations, state.pending)
    assert np.array_equal(memory[1:], expected[1:])


@pytest.mark.parametrize("name", TRACKERS)
def test_a_guest_that_was_moved_by_rounds_is_proved(guest: Tracked, name: str, tmp_path: Path) -> None:
    """The whole way, without a network: rounds into a waiting guest's RAM, switchover, proof, and one that fails."""
    config = GuestConfig(role="destination", ram_bytes=RAM)
    with local_guest(config, tmp_path / "other") as destination:
        ports = destination.client.ports()
        tracker = choose(guest.ports, name).tracker
        guest.process.client.run()
        tracker.start()
        move(tracker, ports.ram_fd, Extents.whole(RAM))
        for _ in range(20):
            move(tracker, ports.ram_fd, tracker.collect())
        process.freeze(guest.process.pid)
        move(tracker, ports.ram_fd, tracker.collect())
        first = destination.client.run()
        assert first.operation == read_state_of(guest.ports.ram_fd).operations + 1
        while destination.client.status().operations < first.operation + 3000:
            pass
        process.freeze(destination.pid)
        proof = prove(guest.ports.ram_fd, ports.ram_fd, guest.config)
        assert proof.match and proof.pages_compared + proof.pages_replayed == guest.config.pages
        for page in (1, guest.config.pages - 1):
            flip(ports.ram_fd, page)
            assert prove(guest.ports.ram_fd, ports.ram_fd, guest.config).mismatches == (page,)
            flip(ports.ram_fd, page)
        tracker.close()


def move(tracker: Tracker, fd: int, extents: Extents) -> None:
    for offset, length in extents:
        os.pwrite(fd, os.pread(tracker.pages_fd, length, offset), offset)


def flip(fd: int, page: int) -> None:
    """One bit of the page's second to last byte."""
    at = (page + 1) * PAGE_SIZE - 2
    os.pwrite(fd, bytes([os.pread(fd, 1, at)[0] ^ 4]), at)


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("guest", [BUSY], indirect=True)
def test_a_guest_that_died_is_an_error_and_no_empty_round(guest: Tracked, name: str) -> None:
    tracker = choose(guest.ports, name).tracker
    tracker.start()
    guest.process.client.stop()
    guest.process.wait(10)
    with pytest.raises(TestbedError):
        tracker.collect()
    tracker.close()


@pytest.mark.parametrize("guest", [BUSY], indirect=True)
def test_a_second_migration_may_begin_after_the_first_was_given_up(guest: Tracked) -> None:
    guest.process.client.run()
    for _ in range(3):
        tracker = choose(guest.ports).tracker
        tracker.start()
        tracker.collect()
        tracker.close()
    assert guest.process.client.status().running

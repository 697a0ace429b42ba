"""Trackers on memory of this very process, or of another: exact, complete, named when refused."""

import errno
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker, registry
from testbed.dirty.choice import choose, works_here
from testbed.dirty.soft_dirty import SoftDirty
from testbed.linux.memory import pagemap, userfaultfd
from testbed.linux.processes import process
from tests.unit.memories import PAGES, OwnMemory, memory_for

WORKING = [name for name, (works, _) in works_here().items() if works]
ASYNC = pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")


def pages_of(tracker: Tracker) -> list[int]:
    return [page for at, length in tracker.collect() for page in range(at // PAGE_SIZE, (at + length) // PAGE_SIZE)]


@pytest.mark.parametrize("name", WORKING)
def test_each_finds_exactly_what_was_written_round_after_round(name: str) -> None:
    random = np.random.default_rng(4)
    with memory_for(name) as guest:
        tracker = choose(guest.ports, name).tracker
        guest.write(7)
        tracker.start()
        for count in (0, 1, 5, 200, 0, 512, 3):
            written = sorted(random.choice(PAGES, count, replace=False).tolist())
            for page in written:
                guest.write(page)
            assert pages_of(tracker) == written
        assert pages_of(tracker) == []
        guest.write(3)
        tracker.start()
        assert pages_of(tracker) == []
        tracker.close()
        guest.write(1)


@ASYNC
def test_what_is_written_while_all_is_being_protected_is_no_part_of_the_first_round(
    own: OwnMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is sent after ``start``; what came before that is not to be sent twice."""
    protect = userfaultfd.write_protect

    def busy(fd: int, address: int, length: int) -> None:
        protect(fd, address, length)
        own.write(5)

    monkeypatch.setattr(userfaultfd, "write_protect", busy)
    tracker = choose(own.ports, "uffd-wp").tracker
    tracker.start()
    assert pages_of(tracker) == []
    own.write(5)
    assert pages_of(tracker) == [5], "and it is protected again"
    tracker.close()


def test_another_process_memory_is_written_by_it_and_seen_here() -> None:
    """By which soft-dirty is tried where the kernel has it: it stops who writes."""
    with memory_for("soft-dirty") as guest:
        tracker = choose(guest.ports, "checksum").tracker
        tracker.start()
        guest.write(7)
        guest.fill(range(500, PAGES), 1)
        process.freeze(guest.ports.pid)
        assert pages_of(tracker) == [7, *range(500, PAGES)]
        process.resume(guest.ports.pid)
        guest.write(7)
        assert pages_of(tracker) == [7]
        tracker.close()


@pytest.mark.parametrize("name", WORKING)
def test_pages_fd_holds_what_was_collected(name: str) -> None:
    with memory_for(name) as guest:
        tracker = choose(guest.ports, name).tracker
        guest.fill(range(PAGES), 5)
        tracker.start()
        assert os.pread(tracker.pages_fd, guest.ports.ram_bytes, 0) == bytes([5]) * guest.ports.ram_bytes
        guest.fill(range(9, 10), 6)
        assert pages_of(tracker) == [9]
        assert os.pread(tracker.pages_fd, PAGE_SIZE, 9 * PAGE_SIZE) == bytes([6]) * PAGE_SIZE
        tracker.close()


@pytest.mark.parametrize("name", WORKING)
def test_memory_that_was_never_touched_is_tracked_too(name: str) -> None:
    with memory_for(name, populate=False) as guest:
        tracker = choose(guest.ports, name).tracker
        tracker.start()
        guest.write(100)
        assert pages_of(tracker) == [100]
        tracker.close()


@ASYNC
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.sets(st.integers(0, PAGES - 1)), regions=st.integers(1, 5))
def test_a_vector_that_fills_up_loses_nothing(own: OwnMemory, written: set[int], regions: int) -> None:
    tracker = choose(own.ports, "uffd-wp").tracker
    tracker._memory._written.close()  # type: ignore[attr-defined]
    tracker._memory._written = pagemap.WrittenPages(os.getpid(), regions)  # type: ignore[attr-defined]
    tracker.start()
    for page in written:
        own.write(page)
    extents = tracker.collect()
    assert np.flatnonzero(extents.bitmap(PAGES)).tolist() == sorted(written)
    assert extents.size == len(written) * PAGE_SIZE
    assert (np.diff(extents.table[:, 0].astype(np.int64)) > 0).all()
    assert pages_of(tracker) == []
    tracker.close()


def test_checksum_frees_the_snapshot_of_the_round_before(own: OwnMemory) -> None:
    tracker = choose(own.ports, "checksum").tracker
    own.bytes[:] = 5
    tracker.start()
    assert os.fstat(tracker.pages_fd).st_blocks * 512 == own.ports.ram_bytes
    own.write(3)
    tracker.collect()
    assert os.fstat(tracker.pages_fd).st_blocks * 512 == PAGE_SIZE
    tracker.collect()
    assert os.fstat(tracker.pages_fd).st_blocks == 0
    tracker.close()


def test_checksum_sends_what_it_hashed_even_if_the_page_changes_back(own: OwnMemory) -> None:
    """A -> B is found; before B is sent the guest writes A again: B goes out, and the next round must correct it."""
    tracker = choose(own.ports, "checksum").tracker
    tracker.start()
    own.bytes[8] = 1
    assert pages_of(tracker) == [8]
    own.bytes[8] = 0
    assert os.pread(tracker.pages_fd, 1, 8 * PAGE_SIZE) == b"\x01"
    assert pages_of(tracker) == [8]
    tracker.close()


@pytest.mark.parametrize("name", WORKING)
def test_a_closed_tracker_leaves_no_descriptor(own: OwnMemory, name: str) -> None:
    before = os.listdir("/proc/self/fd")
    tracker = choose(own.ports, name).tracker
    tracker.start()
    tracker.close()
    assert os.listdir("/proc/self/fd") == before


@ASYNC
def test_two_cannot_protect_the_same_memory(own: OwnMemory) -> None:
    first = choose(own.ports, "uffd-wp").tracker
    before = os.listdir("/proc/self/fd")
    with pytest.raises(PrerequisiteMissing, match="cannot be write-protected"):
        choose(own.ports, "uffd-wp")
    assert os.listdir("/proc/self/fd") == before
    first.close()
    choose(own.ports, "uffd-wp").tracker.close()


def test_soft_dirty_is_bit_55() -> None:
    entries = np.array([0, 1 << 55, 1 << 54, 1 << 56, 2**64 - 1, 1 << 63 | 1 << 55, 1 << 63], np.uint64)
    assert pagemap.soft_dirty(entries).tolist() == [False, True, False, False, True, True, False]


def test_soft_dirty_reads_all_pages_of_a_range_longer_than_one_read(own: OwnMemory) -> None:
    fd = os.open("/proc/self/pagemap", os.O_RDONLY)
    bits = pagemap.read_soft_dirty(fd, own.ports.ram_address, own.ports.ram_bytes)
    os.close(fd)
    assert bits.shape == (PAGES,)


def test_best_first_and_the_reason_names_what_was_passed_over(own: OwnMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(works_here()) == ["uffd-wp", "soft-dirty", "checksum"]
    chosen = choose(own.ports)
    assert chosen.tracker.name == WORKING[0] and chosen.reason.startswith(f"{WORKING[0]}: ")
    chosen.tracker.close()
    monkeypatch.setattr(registry.get("uffd-wp"), "lacks", staticmethod(lambda: "kernel has none"))
    monkeypatch.setattr(SoftDirty, "lacks", staticmethod(lambda: "nor that"))
    chosen = choose(own.ports)
    assert chosen.tracker.name == "checksum"
    assert chosen.reason == (
        "checksum: works anywhere, reads all memory each round; uffd-wp: kernel has none; soft-dirty: nor that"
    )
    chosen.tracker.close()


def test_one_that_is_asked_for_is_taken_or_refused_by_name(own: OwnMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = choose(own.ports, "checksum")
    assert chosen.reason == "checksum: asked for, and works anywhere, reads all memory each round"
    chosen.tracker.close()
    monkeypatch.setattr(SoftDirty, "lacks", staticmethod(lambda: "kernel has no CONFIG_MEM_SOFT_DIRTY"))
    with pytest.raises(PrerequisiteMissing, match=r"'soft-dirty' does not work.*CONFIG_MEM_SOFT_DIRTY; set migration"):
        choose(own.ports, "soft-dirty")
    with pytest.raises(ScenarioError, match="did you mean 'soft-dirty'"):
        choose(own.ports, "softdirty")


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EINVAL, "kernel has no UFFD_FEATURE_WP_ASYNC"), (errno.EPERM, "Operation not permitted")],
)
def test_what_a_kernel_or_a_container_refuses_is_said_in_words(
    own: OwnMemory, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refuse(_fd: int, _features: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(userfaultfd, "enable", refuse)
    assert works_here()["uffd-wp"][1].startswith(said)
    with pytest.raises(PrerequisiteMissing, match=f"tracker 'uffd-wp' does not work on this machine: {said}"):
        choose(own.ports, "uffd-wp")


def test_what_the_kernel_says_is_what_the_probe_says() -> None:
    works, reason = works_here()["soft-dirty"]
    assert works or reason == "kernel has no CONFIG_MEM_SOFT_DIRTY"
    assert works_here()["checksum"][0]


@pytest.mark.parametrize("name", WORKING)
def test_a_guest_that_is_gone_is_said_to_be(name: str) -> None:
    own = OwnMemory()
    ports = GuestPorts(
        pid=2**22 + 1,
        ram_address=own.ports.ram_address,
        ram_bytes=own.ports.ram_bytes,
        ram_fd=own.fd,
        new_userfaultfd=userfaultfd.open_userfaultfd,
    )
    with pytest.raises((TestbedError, ProcessLookupError)):
        tracker = choose(ports, name).tracker
        tracker.start()
        tracker.collect()
    os.close(own.fd)

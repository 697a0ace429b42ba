"""The kernel's asynchronous I/O, on a real file opened for direct I/O."""

import errno
import mmap
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from testbed.core.errors import PrerequisiteMissing
from testbed.core.units import PAGE_SIZE
from testbed.linux.aio import AioContext

PAGES = 64


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT, 0o600)
    os.posix_fallocate(opened, 0, PAGES * PAGE_SIZE)
    yield opened
    os.close(opened)


@pytest.fixture
def aio(fd: int) -> Iterator[AioContext]:
    with closing(AioContext(fd, PAGES)) as context:
        yield context


@pytest.fixture
def memory() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.frombuffer(mmap.mmap(-1, PAGES * PAGE_SIZE), np.uint8).reshape(PAGES, PAGE_SIZE)


Memory = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


def place(memory: Memory, page: int = 0) -> int:
    return int(memory.ctypes.data) + page * PAGE_SIZE


def results(aio: AioContext, count: int) -> dict[int, int]:
    found: dict[int, int] = {}
    while len(found) < count:
        assert select.select([aio.eventfd], [], [], 30)[0], "no operation ended"
        found |= dict(aio.ended())
    return found


@pytest.mark.parametrize("sync", [False, True])
def test_what_was_written_is_read_back_in_whatever_order(aio: AioContext, memory: Memory, sync: bool) -> None:
    memory[:] = np.random.default_rng(1).integers(0, 256, memory.shape, np.uint8)
    written = memory.copy()
    for page in range(PAGES):
        aio.write(page, place(memory, page), PAGE_SIZE, (PAGES - 1 - page) * PAGE_SIZE, sync=sync)
    assert results(aio, PAGES) == dict.fromkeys(range(PAGES), PAGE_SIZE)
    memory[:] = 0
    for page in range(PAGES):
        aio.read(2**63 + page, place(memory, page), PAGE_SIZE, page * PAGE_SIZE)
    assert set(results(aio, PAGES)) == {2**63 + page for page in range(PAGES)}
    assert np.array_equal(memory, written[::-1])


def test_nothing_has_ended_before_anything_began(aio: AioContext) -> None:
    assert aio.ended() == []
    assert not select.select([aio.eventfd], [], [], 0)[0]


def test_woken_without_an_end(aio: AioContext) -> None:
    aio.wake()
    assert select.select([aio.eventfd], [], [], 0)[0]
    assert aio.ended() == [] and not select.select([aio.eventfd], [], [], 0)[0]


SIGNALLED = """
import os, signal
from testbed.linux.aio import AioContext

signal.signal(signal.SIGALRM, lambda *_: None)
context = AioContext(os.open(".", os.O_TMPFILE | os.O_RDWR), 8)
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
for _ in range(5_000):
    context.wake()
    assert context.ended() == []
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_signal_as_it_looks_for_ends_is_no_fault(tmp_path: Path) -> None:
    """As a throttle that stops its guest sends them, hundreds of times in a migration."""
    done = subprocess.run([sys.executable, "-c", SIGNALLED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_not_there_is_read_as_nothing(aio: AioContext, memory: Memory) -> None:
    aio.read(1, place(memory), PAGE_SIZE, PAGES * PAGE_SIZE)
    assert results(aio, 1) == {1: 0}


def test_a_buffer_that_is_no_memory_fails_as_the_kernel_says(aio: AioContext) -> None:
    aio.read(7, PAGE_SIZE, PAGE_SIZE, 0)
    assert results(aio, 1) == {7: -errno.EFAULT}


def test_a_descriptor_that_is_none_is_refused(memory: Memory) -> None:
    with closing(AioContext(1 << 20, 1)) as context, pytest.raises(OSError) as refused:
        context.write(1, place(memory), PAGE_SIZE, 0, sync=False)
    assert refused.value.errno == errno.EBADF


def test_more_operations_than_a_kernel_has_is_a_missing_prerequisite(fd: int) -> None:
    with pytest.raises(PrerequisiteMissing, match="aio-max-nr"):
        AioContext(fd, 1 << 28)

"""The kernel interfaces that guests and trackers stand on: memfd, process, system calls."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from testbed.core.units import PAGE_SIZE
from testbed.linux import syscalls
from testbed.linux.memory import memfd
from testbed.linux.memory.room import available_bytes
from testbed.linux.processes import process


@pytest.fixture
def sleeper() -> Iterator[psutil.Popen]:
    with psutil.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(600)"], stdout=-1) as child:
        child.stdout.readline()
        yield child
        child.kill()


def test_a_memfd_keeps_its_size_and_gives_its_pages_back() -> None:
    fd = memfd.create("test", 10 * PAGE_SIZE)
    for size in (PAGE_SIZE, 11 * PAGE_SIZE):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)
    assert os.fstat(fd).st_blocks == 0
    memfd.preallocate(fd, 10 * PAGE_SIZE)
    assert os.fstat(fd).st_blocks * 512 == 10 * PAGE_SIZE
    memory = memfd.map_shared(fd, 10 * PAGE_SIZE, populate=True)
    memory[:] = b"x" * len(memory)
    memfd.punch(fd, PAGE_SIZE, 2 * PAGE_SIZE)
    assert os.fstat(fd).st_blocks * 512 == 8 * PAGE_SIZE
    assert memory[PAGE_SIZE : 3 * PAGE_SIZE] == bytes(2 * PAGE_SIZE) and memory[3 * PAGE_SIZE] == ord("x")
    os.close(fd)


def test_a_mapping_for_reading_cannot_be_written() -> None:
    fd = memfd.create("test", PAGE_SIZE)
    with pytest.raises(TypeError):
        memfd.map_shared(fd, PAGE_SIZE, writable=False)[0] = 1
    os.close(fd)


def test_memory_that_no_machine_has_is_an_error() -> None:
    fd = memfd.create("test", 1 << 50)
    with pytest.raises(OSError):
        syscalls.fallocate(fd, 0, 0, 1 << 62)
    os.close(fd)
    assert 0 < available_bytes() <= psutil.virtual_memory().total


def test_stop_returns_when_it_stands_still(sleeper: psutil.Popen) -> None:
    assert not process.is_frozen(sleeper.pid)
    for _ in range(50):
        process.freeze(sleeper.pid)
        assert process.is_frozen(sleeper.pid)
        process.resume(sleeper.pid)
    assert not process.has_ended(sleeper.pid)


def test_nothing_stops_itself() -> None:
    with pytest.raises(ValueError, match="nobody would set it going again"):
        process.freeze(os.getpid())


def test_a_process_that_is_gone_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert process.has_ended(child.pid)
    for verb in (process.state, process.is_frozen, process.freeze, process.resume):
        with pytest.raises(ProcessLookupError):
            verb(child.pid)


def test_a_zombie_has_ended(sleeper: psutil.Popen) -> None:
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert process.has_ended(sleeper.pid)


def test_a_system_call_that_fails_says_why() -> None:
    with pytest.raises(OSError) as caught:
        syscalls.syscall("userfaultfd", -1)
    assert caught.value.errno in (errno.EINVAL, errno.EPERM)


def test_an_architecture_without_a_number_is_like_a_kernel_without_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "s390x")
    with pytest.raises(OSError) as caught:
        syscalls.syscall("userfaultfd", 0)
    assert caught.value.errno == errno.ENOSYS

"""The shared datastore: zeros that were really written, seen by every holder, gone with the last of them."""

import fcntl
import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.core.errors import PrerequisiteMissing
from testbed.rig.datastore import Datastore

SIZE = 3 * (1 << 20) + 4096


def test_it_is_zeros_and_its_blocks_are_there(tmp_path: Path) -> None:
    with Datastore(tmp_path, SIZE) as store:
        assert store.read(0, SIZE) == bytes(SIZE)
        assert os.fstat(store.fd).st_blocks * 512 >= SIZE
        assert list(tmp_path.iterdir()) == []


def test_another_process_writes_into_it_by_the_descriptor(tmp_path: Path) -> None:
    writer = (
        "import mmap, os, sys\n"
        "page = mmap.mmap(-1, 4096)\n"
        "page[:] = b'x' * 4096\n"
        "os.pwritev(int(sys.argv[1]), [page], 8192)\n"
    )
    with Datastore(tmp_path, SIZE) as store:
        subprocess.run([sys.executable, "-c", writer, str(store.fd)], pass_fds=(store.fd,), check=True)
        assert store.read(8192, 4096) == b"x" * 4096
        assert store.read(4096, 4096) == bytes(4096)


def test_it_is_for_direct_operations(tmp_path: Path) -> None:
    with Datastore(tmp_path, SIZE) as store, mmap.mmap(-1, 4096) as page:
        assert os.preadv(store.fd, [page], 4096) == 4096
        assert fcntl.fcntl(store.fd, fcntl.F_GETFL) & os.O_DIRECT
        if subprocess.check_output(["stat", "-f", "-c", "%T", tmp_path], text=True) == "tmpfs\n":
            return  # it takes direct operations from kernel 6.6 on, and of any size
        with pytest.raises(OSError, match="Invalid argument"):
            os.pwrite(store.fd, b"1", 1)


def test_it_is_gone_when_it_is_left(tmp_path: Path) -> None:
    with Datastore(tmp_path, SIZE) as store:
        fd = store.fd
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_no_room_is_said_by_size(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteMissing, match=r"needs 1,?\d* .*B in"), Datastore(tmp_path, 1 << 50):
        pass


def test_a_file_system_without_it_is_named() -> None:
    with (
        pytest.raises(PrerequisiteMissing, match=r"direct I/O .*give another folder with --out: on ext4"),
        Datastore(Path("/proc"), SIZE),
    ):
        pass
    with pytest.raises(PrerequisiteMissing, match="elsewhere: on ext4"), Datastore(Path("/proc"), SIZE, "elsewhere"):
        pass

"""The shared datastore: a file that both hosts' guests hold open, as hosts share storage, and that has no name.

A file without a name goes with the last process that holds it, whatever ends the run.
"""

import errno
import mmap
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from testbed.core.errors import PrerequisiteMissing
from testbed.core.units import in_bytes
from testbed.runfiles.folder import OTHERWISE

_STEP = 4 << 20
"""Bytes written at a time."""


class Datastore:
    """``size`` bytes of zeros in the file system of ``folder``, opened for direct I/O, while the context lasts.

    Entering raises ``PrerequisiteMissing`` (no direct I/O there, or no room), which says what to do ``otherwise``.
    """

    def __init__(self, folder: Path, size: int, otherwise: str = OTHERWISE) -> None:
        self._folder, self._size, self._otherwise = folder, size, otherwise
        self._stack = ExitStack()
        self.fd = self._reader = -1

    def __enter__(self) -> "Datastore":
        with ExitStack() as stack:
            try:
                self.fd = os.open(self._folder, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT | os.O_CLOEXEC, 0o600)
                stack.callback(os.close, self.fd)
                self._reader = os.open(f"/proc/self/fd/{self.fd}", os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, self._reader)
                _fill(self.fd, self._size)
            except OSError as fault:
                raise self._missing(fault) from fault
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def read(self, offset: int, length: int) -> bytes:
        """What is stored there now. Nothing may be in flight."""
        return os.pread(self._reader, length, offset)

    def _missing(self, fault: OSError) -> PrerequisiteMissing:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return PrerequisiteMissing(
                f"the datastore needs {in_bytes(self._size)} in {self._folder}: {fault.strerror}",
                f"make room, {self._otherwise}, or choose a smaller size of the service",
            )
        return PrerequisiteMissing(
            f"the file system of {self._folder} cannot hold a datastore for direct I/O ({fault.strerror})",
            f"{self._otherwise}: on ext4, xfs, btrfs or a recent tmpfs",
        )


def _fill(fd: int, size: int) -> None:
    """Zeros that were really written: a first write into a hole costs more than a later one, and would be measured."""
    os.posix_fallocate(fd, 0, max(size, 1))
    with mmap.mmap(-1, _STEP) as zeros, memoryview(zeros) as view:
        for offset in range(0, size, _STEP):
            with view[: min(_STEP, size - offset)] as part:
                os.pwritev(fd, [part], offset)
    os.fsync(fd)

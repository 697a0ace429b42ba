"""A descriptor of a process, and pidfd_getfd(2): a second descriptor of a file that another process has open, also
while that process is stopped.

Sources: pidfd_open(2); include/uapi/asm-generic/unistd.h (438 on every architecture), pidfd_getfd(2), which needs the
right to trace the process.
"""

import errno
import fcntl
import os

from testbed.linux.processes.process import allow_files
from testbed.linux.syscalls import syscall

MANY = 8192
"""Descriptors that the table is grown for, if the hard limit allows so many."""


def make_room() -> None:
    """Lets this process have as many descriptors as it may, and grows the kernel's table of them now: each doubling of
    the table of a process with threads waits for the kernel (RCU) for 10 ms. Raises ``OSError``.
    """
    most = min(MANY, allow_files())
    some = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    os.close(fcntl.fcntl(some, fcntl.F_DUPFD_CLOEXEC, most - 1))
    os.close(some)


def opened(pid: int) -> int:
    """A descriptor that means this process for as long as it is open; it is the caller's. Raises ``OSError``:
    ``ProcessLookupError`` also for one that has ended and whose number its group still goes by, for which Linux
    6.1 says EINVAL.
    """
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH)) from error
        raise


class Descriptors:
    """The open files of process ``pid``. A context manager. Raises ``OSError`` (no such process, not permitted)."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._pidfd = opened(pid)

    def sockets(self) -> list[tuple[int, int]]:
        """Its sockets as (descriptor in that process, inode), each socket once."""
        found: dict[int, int] = {}
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            kind, _, inode = os.readlink(f"/proc/{self.pid}/fd/{name}").partition(":[")
            if kind == "socket":
                found.setdefault(int(inode[:-1]), int(name))
        return [(fd, inode) for inode, fd in found.items()]

    def get(self, fd: int) -> int:
        """A descriptor of this process for the same open file; it is the caller's."""
        return syscall("pidfd_getfd", self._pidfd, fd, 0)

    def close(self) -> None:
        """Lets go of the process."""
        os.close(self._pidfd)

    def __enter__(self) -> "Descriptors":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""userfaultfd(2): write-protection of another process's memory, through a descriptor that the process gave away.

    guest:    fd = userfaultfd()  ──SCM_RIGHTS──>  tracker:  enable, register, protect  (all act on the guest's memory)

Numbers and layouts: include/uapi/linux/userfaultfd.h. Functions raise ``OSError`` as the kernel says it.
"""

import fcntl
import os
import struct

from testbed.linux.syscalls import syscall

PAGEFAULT_FLAG_WP = 1 << 0
WP_HUGETLBFS_SHMEM = 1 << 12
WP_UNPOPULATED = 1 << 13
WP_ASYNC = 1 << 15

_API = 0xAA
_USER_MODE_ONLY = 1
_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK
_MODE_WP = 1 << 1
_WRITEPROTECT_MODE_WP = 1 << 0


def _ioc(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | 0xAA << 8 | number


_UFFDIO_API = _ioc(3, 0x3F, 24)
_UFFDIO_REGISTER = _ioc(3, 0x00, 32)
_UFFDIO_WRITEPROTECT = _ioc(3, 0x06, 24)


def open_userfaultfd() -> int:
    """A descriptor for the calling process's address space, not yet enabled.

    Without the right to handle the kernel's own faults it is for user faults alone, which any user may.
    """
    try:
        return syscall("userfaultfd", _FLAGS)
    except PermissionError:
        return open_for_user_faults()


def open_for_user_faults() -> int:
    """One that anybody may have: where it protects a page, a system call that would write there fails with EFAULT."""
    return syscall("userfaultfd", _FLAGS | _USER_MODE_ONLY)


def enable(fd: int, features: int) -> None:
    """The handshake that asks for ``features`` (the constants above, or-ed). EINVAL where the kernel lacks one."""
    fcntl.ioctl(fd, _UFFDIO_API, struct.pack("QQQ", _API, features, 0))


def register_write_protect(fd: int, address: int, length: int) -> None:
    """Takes a range under write-protection; nothing is protected yet. EBUSY when another descriptor has it."""
    fcntl.ioctl(fd, _UFFDIO_REGISTER, struct.pack("QQQQ", address, length, _MODE_WP, 0))


def write_protect(fd: int, address: int, length: int, *, protect: bool = True) -> None:
    """Protects all pages of a registered range, or lets all of them be written."""
    mode = _WRITEPROTECT_MODE_WP if protect else 0
    fcntl.ioctl(fd, _UFFDIO_WRITEPROTECT, struct.pack("QQQ", address, length, mode))

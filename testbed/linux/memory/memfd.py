"""Anonymous memory with a descriptor (``memfd_create(2)``): made, filled with pages, mapped, emptied.

    memfd ── fallocate ──> pages exist ── mmap MAP_POPULATE ──> page tables exist: no first write costs a fault

The first touch of a page of fresh shared memory costs several microseconds; allocating and mapping beforehand costs
about one, and keeps that cost out of everything that is timed.
"""

import fcntl
import mmap
import os

from testbed.linux.syscalls import fallocate

_PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01
_GRANT = 64 << 20
"""Bytes allocated by one call: an interrupt is answered within tens of milliseconds."""


def create(name: str, size: int) -> int:
    """A memfd of ``size`` bytes, all holes, whose size can never change (so that no mapping of it can fault)."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except OSError:
        os.close(fd)
        raise
    return fd


def preallocate(fd: int, size: int) -> None:
    """Gives it all its pages, zeroed. Raises ``OSError`` (ENOSPC, ENOMEM) when the machine has not that much."""
    for offset in range(0, size, _GRANT):
        fallocate(fd, 0, offset, min(_GRANT, size - offset))


def map_shared(fd: int, size: int, *, populate: bool = False, writable: bool = True) -> mmap.mmap:
    """Maps all of it; ``populate`` fills the page tables too."""
    flags = mmap.MAP_SHARED | (mmap.MAP_POPULATE if populate else 0)
    return mmap.mmap(fd, size, flags=flags, prot=mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0))


def punch(fd: int, offset: int, length: int) -> None:
    """Gives the pages of a range back to the kernel; it reads as zero afterwards."""
    fallocate(fd, _PUNCH_HOLE_KEEP_SIZE, offset, length)

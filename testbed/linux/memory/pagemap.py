"""/proc/PID/pagemap: which pages a process wrote, by the PAGEMAP_SCAN ioctl or by the soft-dirty bit.

PAGEMAP_SCAN (Linux 6.7) finds the written pages of a range that is under asynchronous write-protection and protects
them again in the same step, so no write falls between the two. Layouts and flags: include/uapi/linux/fs.h, and the
manual page PAGEMAP_SCAN(2const).
"""

import fcntl
import os
import struct

import numpy as np
import numpy.typing as npt

from testbed.core.units import PAGE_SIZE

Regions = npt.NDArray[np.uint64]

_PAGEMAP_SCAN = 3 << 30 | 96 << 16 | ord("f") << 8 | 16
_WP_MATCHING, _CHECK_WPASYNC = 1 << 0, 1 << 1
_PAGE_IS_WRITTEN = 1 << 1
_ARGUMENT = struct.Struct("12Q")
"""size, flags, start, end, walk_end, vec, vec_len, max_pages, category inverted, mask, anyof mask, return mask."""
_SOFT_DIRTY = np.uint64(1 << 55)
_ENTRIES = 1 << 16
"""Pagemap entries read at a time: 512 KiB, for 256 MiB of memory."""


class WrittenPages:
    """Collects what another process wrote to a range under asynchronous write-protection."""

    def __init__(self, pid: int, regions: int = 1 << 16) -> None:
        """``regions``: how many runs one call may return; its vector is kept and used again."""
        self._vector = np.empty((regions, 3), np.uint64)
        self._fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)

    def collect(self, address: int, length: int, *, protect: bool = True) -> Regions:
        """The runs written since the last call, as rows (start, end) of addresses, rising; all protected again, or else
        found again by the next call.

        The kernel stops early when the vector is full, and the walk goes on where its last run ends. The field that is
        meant to say so, ``walk_end``, cannot be used: the kernel fills the vector in parts of 512 runs, and after the
        last part leaves in it where the part before had stopped. Going on from there would find new writes behind
        what was already found.
        """
        end, found = address + length, []
        while address < end:
            count = self._scan(address, end, _WP_MATCHING if protect else 0)
            found.append(self._vector[:count, :2].copy())
            if count < len(self._vector):
                break
            address = int(self._vector[count - 1, 1])
        return np.concatenate(found) if len(found) != 1 else found[0]

    def _scan(self, start: int, end: int, protecting: int) -> int:
        vector = self._vector
        flags, vec, wanted = protecting | _CHECK_WPASYNC, (vector.ctypes.data, len(vector)), _PAGE_IS_WRITTEN
        fields = (_ARGUMENT.size, flags, start, end, 0, *vec, 0, 0, wanted, 0, wanted)
        argument = bytearray(_ARGUMENT.pack(*fields))
        return int(fcntl.ioctl(self._fd, _PAGEMAP_SCAN, argument))

    def close(self) -> None:
        """Closes the other process's pagemap."""
        os.close(self._fd)


def soft_dirty(entries: Regions) -> npt.NDArray[np.bool_]:
    """Which of these pagemap entries (one u64 a page) have the soft-dirty bit, 55."""
    dirty: npt.NDArray[np.bool_] = (entries & _SOFT_DIRTY) != 0
    return dirty


def read_soft_dirty(pagemap_fd: int, address: int, length: int) -> npt.NDArray[np.bool_]:
    """One entry a page: written since the bits were cleared. Raises ``OSError`` when the process is gone."""
    pages = length // PAGE_SIZE
    dirty = np.zeros(pages, np.bool_)
    for first in range(0, pages, _ENTRIES):
        count = min(_ENTRIES, pages - first)
        raw = os.pread(pagemap_fd, count * 8, (address // PAGE_SIZE + first) * 8)
        if len(raw) != count * 8:
            raise ProcessLookupError("its pagemap ends early: the process is gone")
        dirty[first : first + count] = soft_dirty(np.frombuffer(raw, np.uint64))
    return dirty


def clear_soft_dirty(pid: int) -> None:
    """Clears the soft-dirty bit of every page of a process (``4`` to clear_refs)."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("4")

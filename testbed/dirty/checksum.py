"""A checksum of every page, compared with that of what was last sent: works on any kernel, at a price.

    live page ── hash differs ──> copied to the snapshot ──> the copy is hashed ──> the copy is what gets sent

The page must not be sent from the guest's RAM: it could change between the hash and the send, and change back before
the next round, and the stale bytes would never be noticed. What is hashed is exactly what is sent, because both are the
copy. The price: a pass over all RAM each round (xxh3, some 10 GB/s, and a call a page), and a snapshot that holds
what one round sends, which in round 1 is everything.
"""

import os

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.extents import Bitmap, Extents
from testbed.core.units import PAGE_SIZE, in_bytes
from testbed.dirty import GuestPorts, Tracker, register
from testbed.linux.memory import memfd
from testbed.linux.memory.room import available_bytes
from testbed.linux.processes import process

_PAGES_AT_ONCE = 256
"""1 MiB: what was hashed is still in a core's cache when it is copied."""


@register("checksum")
class Checksum(Tracker):
    """The last choice: no help from the kernel at all. Two pages with one hash (2^-64) would be taken for equal."""

    name = "checksum"
    rank = 3
    works = "works anywhere, reads all memory each round"

    def __init__(self, ports: GuestPorts) -> None:
        self._ports = ports
        try:
            self.pages_fd = memfd.create("snapshot", ports.ram_bytes)
            self._live = _pages(ports.ram_fd, ports.ram_bytes, writable=False)
            self._copy = _pages(self.pages_fd, ports.ram_bytes, writable=True)
        except OSError as error:
            raise PrerequisiteMissing(f"checksum: no snapshot of the guest's memory ({error})", "free it") from error
        self._hashes = np.zeros(len(self._live), np.uint64)
        self._held = self._kept = Extents.none()

    @staticmethod
    def lacks() -> str | None:
        """Nothing is needed but memory, which ``start`` asks for."""
        return None

    def start(self) -> None:
        """Takes a snapshot of everything. Raises ``PrerequisiteMissing`` when there is no memory for one."""
        if available_bytes() < self._ports.ram_bytes:
            raise PrerequisiteMissing(
                f"checksum: no memory for a snapshot of {in_bytes(self._ports.ram_bytes)}", "make vm.ram smaller"
            )
        self._free()
        for first in range(0, len(self._live), _PAGES_AT_ONCE):
            self._keep(np.arange(first, min(first + _PAGES_AT_ONCE, len(self._live))))
        self._held = Extents.whole(self._ports.ram_bytes)

    def keep(self, unsent: Extents) -> None:
        """See ``Tracker``: ``pages_fd`` is of copies."""
        self._kept = unsent

    def collect(self) -> Extents:
        """Hashes all of RAM; copies and hashes again what changed. Frees the copies of the round before that are not to
        be kept.
        """
        if process.has_ended(self._ports.pid):
            raise TestbedError(f"checksum: guest {self._ports.pid} has ended")
        self._free()
        changed = np.zeros(len(self._live), np.bool_)
        for first in range(0, len(self._live), _PAGES_AT_ONCE):
            last = min(first + _PAGES_AT_ONCE, len(self._live))
            suspects = first + np.flatnonzero(_hash(self._live[first:last]) != self._hashes[first:last])
            changed[suspects] = self._keep(suspects)
        found, kept = Extents.of_bitmap(changed), self._kept
        self._held, self._kept = found.union(kept), Extents.none()
        return found

    def close(self) -> None:
        """Frees the snapshot and its memory."""
        del self._live, self._copy
        os.close(self.pages_fd)

    def _keep(self, pages: npt.NDArray[np.int64]) -> Bitmap:
        """Copies pages to the snapshot and remembers the copies' hashes; says which differ from what was sent."""
        self._copy[pages] = self._live[pages]
        before, self._hashes[pages] = self._hashes[pages], _hash(self._copy[pages])
        changed: Bitmap = before != self._hashes[pages]
        return changed

    def _free(self) -> None:
        for offset, length in self._held.without(self._kept):
            memfd.punch(self.pages_fd, offset, length)
        self._held = Extents.none()


Pages = npt.NDArray[np.uint8]


def _pages(fd: int, size: int, *, writable: bool) -> Pages:
    return np.frombuffer(memfd.map_shared(fd, size, writable=writable), np.uint8).reshape(-1, PAGE_SIZE)


def _hash(pages: Pages) -> npt.NDArray[np.uint64]:
    flat = pages.reshape(-1).data
    starts = range(0, len(flat), PAGE_SIZE)
    return np.fromiter((xxh3_64_intdigest(flat[at : at + PAGE_SIZE]) for at in starts), np.uint64, len(pages))

"""The soft-dirty bit of the page tables: read from /proc/PID/pagemap, cleared by /proc/PID/clear_refs.

Reading and clearing are two steps, and a write between them would be lost. So the guest stands still (SIGSTOP) for the
milliseconds that both take; it is set going again only if it was this that stopped it. The cost of a pause each round
is why this is the second choice.
"""

import os

import numpy as np

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.extents import Bitmap, Extents
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker, register
from testbed.linux.memory import memfd, pagemap
from testbed.linux.processes import process


@register("soft-dirty")
class SoftDirty(Tracker):
    """For kernels before 6.7 that are built with CONFIG_MEM_SOFT_DIRTY."""

    name = "soft-dirty"
    rank = 2
    works = "soft-dirty bits work here, the guest is stopped for each scan"

    def __init__(self, ports: GuestPorts) -> None:
        self._ports, self.pages_fd = ports, ports.ram_fd
        try:
            self._pagemap = os.open(f"/proc/{ports.pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise PrerequisiteMissing(f"soft-dirty: no pagemap of guest {ports.pid} ({error})", "be root") from error

    @staticmethod
    def lacks() -> str | None:
        """Clears the bits of this process, writes one page of three, and expects its bit alone."""
        size = 3 * PAGE_SIZE
        fd = memfd.create("trial", size)
        memory = memfd.map_shared(fd, size, populate=True)
        view = np.frombuffer(memory, np.uint8)
        address = int(view.ctypes.data)
        try:
            pagemap.clear_soft_dirty(os.getpid())
            memory[PAGE_SIZE] = 1
            found = _read(os.getpid(), address, size).tolist()
        except OSError as error:
            return f"no soft-dirty bits ({error.strerror})"
        finally:
            del view
            memory.close()
            os.close(fd)
        return None if found == [False, True, False] else "kernel has no CONFIG_MEM_SOFT_DIRTY"

    def start(self) -> None:
        """Clearing alone needs no pause: what is written before it is sent in round 1 anyway."""
        try:
            pagemap.clear_soft_dirty(self._ports.pid)
        except OSError as error:
            raise self._gone(error) from error

    def collect(self) -> Extents:
        """Stops the guest, reads, clears, lets it go on."""
        try:
            return Extents.of_bitmap(self._collect())
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Nothing is left in the guest but bits that nobody reads."""
        os.close(self._pagemap)

    def _collect(self) -> Bitmap:
        pid = self._ports.pid
        ours = not process.is_frozen(pid)
        process.freeze(pid)
        try:
            dirty = pagemap.read_soft_dirty(self._pagemap, self._ports.ram_address, self._ports.ram_bytes)
            pagemap.clear_soft_dirty(pid)
        finally:
            if ours:
                process.resume(pid)
        return dirty

    def _gone(self, error: OSError) -> TestbedError:
        return TestbedError(f"soft-dirty: what guest {self._ports.pid} wrote cannot be found ({error}); does it run?")


def _read(pid: int, address: int, length: int) -> Bitmap:
    fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return pagemap.read_soft_dirty(fd, address, length)
    finally:
        os.close(fd)

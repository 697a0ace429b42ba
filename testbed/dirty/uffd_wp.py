"""Asynchronous userfaultfd write-protection, collected by PAGEMAP_SCAN: the guest never waits for an answer.

protect all ──> a first write to a page: the kernel lifts its protection and goes on (2 us) ──> the page counts as
written ──> PAGEMAP_SCAN finds it and protects it again, in one step ──> ...
"""

import errno
import mmap
import os

import numpy as np

from testbed.core.errors import PrerequisiteMissing, TestbedError, in_words
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker, register
from testbed.linux.memory import memfd, userfaultfd
from testbed.linux.memory.pagemap import WrittenPages

FEATURES = (
    userfaultfd.WP_ASYNC
    | userfaultfd.WP_UNPOPULATED  # a page that is not there yet is tracked too
    | userfaultfd.WP_HUGETLBFS_SHMEM  # RAM is a memfd
    | userfaultfd.PAGEFAULT_FLAG_WP
)
UNKNOWN = "kernel has no UFFD_FEATURE_WP_ASYNC, as Linux 6.7 and newer have"


class ProtectedMemory:
    """A guest's RAM under asynchronous write-protection, of which nothing is protected yet. Whose it is, ``tracker``
    says. Every method raises ``TestbedError`` if the guest is gone. ``size`` in bytes.
    """

    def __init__(self, ports: GuestPorts, tracker: str) -> None:
        """Raises ``PrerequisiteMissing`` when it cannot be."""
        self._ports, self._tracker, self.size = ports, tracker, ports.ram_bytes
        self._fd = ports.new_userfaultfd()
        try:
            userfaultfd.enable(self._fd, FEATURES)
            userfaultfd.register_write_protect(self._fd, ports.ram_address, ports.ram_bytes)
            self._written = WrittenPages(ports.pid)
        except OSError as error:
            os.close(self._fd)
            raise PrerequisiteMissing(
                f"{tracker}: the guest's memory cannot be write-protected ({in_words(error)})",
                "use migration.tracker=auto",
            ) from error

    def protect(self, runs: Extents) -> None:
        """The first write to each page of these is seen from here on."""
        try:
            for offset, length in runs:
                userfaultfd.write_protect(self._fd, self._ports.ram_address + offset, length)
        except OSError as error:
            raise self._gone(error) from error

    def written(self, runs: Extents, *, protect: bool) -> Extents:
        """What of these was written since it was protected, or never was; ``protect``: protected again, in one step."""
        found, start = [np.empty((0, 2), np.uint64)], self._ports.ram_address
        try:
            for offset, length in runs:
                found.append(self._written.collect(start + offset, length, protect=protect))
        except OSError as error:
            raise self._gone(error) from error
        table = np.concatenate(found) if len(found) != 2 else found[1]
        table[:, 1] -= table[:, 0]
        table[:, 0] -= np.uint64(start)
        return Extents(table)

    def close(self) -> None:
        """Lifts the protection of every page."""
        self._written.close()
        os.close(self._fd)

    def _gone(self, error: OSError) -> TestbedError:
        return TestbedError(
            f"{self._tracker}: what guest {self._ports.pid} wrote cannot be found ({in_words(error)}); does it run?"
        )


@register("uffd-wp")
class UffdWp(Tracker):
    """The tracker of choice: exact, and only the first write to a page in a round costs anything."""

    name = "uffd-wp"
    rank = 1
    works = "asynchronous write-protect works here"

    def __init__(self, ports: GuestPorts) -> None:
        self._memory, self.pages_fd = ProtectedMemory(ports, "uffd-wp"), ports.ram_fd

    @staticmethod
    def lacks() -> str | None:
        """Writes one page of three and expects to find it, twice."""
        try:
            return _try_on_own_memory()
        except OSError as error:
            return f"no asynchronous write-protect of shared memory with PAGEMAP_SCAN ({error.strerror})"

    def start(self) -> None:
        """One call protects all: about 25 ms for 1 GiB, in which the guest's writes may wait. What it wrote meanwhile
        behind that is protected again and forgotten, for it is no part of what is dirtied from here on.
        """
        self._memory.protect(Extents.whole(self._memory.size))
        self._memory.written(Extents.whole(self._memory.size), protect=True)

    def collect(self) -> Extents:
        """A walk over the page tables: about 1 ms for 1 GiB, and 0.1 us for each page found."""
        return self._memory.written(Extents.whole(self._memory.size), protect=True)

    def close(self) -> None:
        """Closing the last descriptor lifts the protection of every page."""
        self._memory.close()


def _try_on_own_memory() -> str | None:
    size = 3 * PAGE_SIZE
    fd = memfd.create("trial", size)
    memory = memfd.map_shared(fd, size, populate=True)
    view = np.frombuffer(memory, np.uint8)
    ports = GuestPorts(
        pid=os.getpid(), ram_address=int(view.ctypes.data), ram_bytes=size, ram_fd=fd,
        new_userfaultfd=userfaultfd.open_userfaultfd,
    )  # fmt: skip
    try:
        return _find_one_page(ports, memory)
    except PrerequisiteMissing as error:
        return _lack(error.__cause__ or error)
    finally:
        del view
        memory.close()
        os.close(fd)


def _find_one_page(ports: GuestPorts, memory: mmap.mmap) -> str | None:
    tracker = UffdWp(ports)
    try:
        tracker.start()
        for _ in range(2):
            memory[PAGE_SIZE] = 1
            if list(tracker.collect()) != [(PAGE_SIZE, PAGE_SIZE)]:
                return "a written page was not found by PAGEMAP_SCAN"
    except TestbedError as error:
        return _lack(error.__cause__ or error)
    finally:
        tracker.close()
    return None


def _lack(fault: BaseException) -> str:
    """A kernel refuses as an invalid argument what it does not know."""
    return UNKNOWN if isinstance(fault, OSError) and fault.errno == errno.EINVAL else in_words(fault)

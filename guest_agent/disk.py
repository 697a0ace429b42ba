"""A service's part of the datastore: direct, asynchronous operations between it and the service's pages of RAM.

The kernel never writes into RAM: without the right to handle its faults it is refused where a page is protected
(EFAULT, userfaultfd(2)), and what it has pinned before it writes to unseen. So a read arrives in a buffer beside RAM
and is copied when it ends, before the service hears of it: a write like any other, that every tracker sees and may
make wait.
"""

import errno
import mmap
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from guest_agent.gate import Gate
from guest_agent.loop import GuestLoop
from guest_agent.services import Area, Done
from testbed.linux.aio import AioContext

DEPTH = 2048
"""Operations in flight, of all services together."""


@dataclass(frozen=True, slots=True)
class Landing:
    """A buffer beside RAM, in whole pages; ``bytes`` of it are asked for."""

    bytes: Area
    address: int


class Landings:
    """Those that are free, by their size: a service's reads are of one size or of few."""

    def __init__(self) -> None:
        self._free: defaultdict[int, list[Landing]] = defaultdict(list)

    def take(self, length: int) -> Landing:
        """One of that size that nobody else has."""
        free = self._free[length]
        if free:
            return free.pop()
        memory = np.frombuffer(mmap.mmap(-1, length), np.uint8)
        return Landing(memory, int(memory.ctypes.data))

    def give_back(self, landing: Landing) -> None:
        """Nothing arrives in it any more."""
        self._free[len(landing.bytes)].append(landing)


class Controller:
    """The guest's one disk controller: what is in flight, for all services."""

    def __init__(self, fd: int, loop: GuestLoop, gate: Gate) -> None:
        """``fd``: the datastore's descriptor, opened for direct I/O. Raises ``PrerequisiteMissing``."""
        self.aio, self._gate = AioContext(fd, DEPTH), gate
        self.landings = Landings()
        self._ends: dict[int, Done] = {}
        self._refused: list[tuple[int, int]] = []
        self._next = 0
        loop.serve(self.aio.eventfd, self._collect)

    def begin(self, submit: Callable[[int], None], end: Done) -> None:
        """``submit(tag)`` begins an operation; ``end`` is told its result in a later turn, also when the kernel refuses
        to begin it.
        """
        self._next += 1
        self._gate.begin()
        self._ends[self._next] = end
        try:
            submit(self._next)
        except OSError as fault:
            self._refused.append((self._next, -(fault.errno or errno.EIO)))
            self.aio.wake()

    def _collect(self) -> None:
        refused, self._refused = self._refused, []
        for tag, result in refused + self.aio.ended():
            try:
                self._ends.pop(tag)(result)
            finally:
                self._gate.end()  # with what it led to: the guest is never seen between the two


class ServiceDisk:
    """Implements ``guest_agent.services.Disk``. ``start`` and ``size``: which part of the datastore, bytes."""

    def __init__(self, controller: Controller, area: Area, start: int, size: int) -> None:
        self._controller, self._area, self._start, self._size = controller, area, start, size
        self._address = int(area.ctypes.data)

    def read(self, offset: int, area_offset: int, length: int, done: Done) -> None:
        """See ``Disk``. Raises ``ValueError`` for what lies outside."""
        self._check(offset, area_offset, length)
        landings, at = self._controller.landings, self._start + offset
        landing = landings.take(length)

        def end(result: int) -> None:
            if result > 0:
                self._area[area_offset : area_offset + result] = landing.bytes[:result]
            landings.give_back(landing)
            done(result)

        self._controller.begin(lambda tag: self._controller.aio.read(tag, landing.address, length, at), end)

    def write(self, offset: int, area_offset: int, length: int, done: Done, *, sync: bool = False) -> None:
        """See ``Disk``. Raises as ``read`` does."""
        self._check(offset, area_offset, length)
        place, at = self._address + area_offset, self._start + offset
        self._controller.begin(lambda tag: self._controller.aio.write(tag, place, length, at, sync=sync), done)

    def _check(self, offset: int, area_offset: int, length: int) -> None:
        inside = 0 <= offset <= self._size - length and 0 <= area_offset <= len(self._area) - length
        if not inside or length <= 0:
            raise ValueError(f"{length} bytes at {offset}, of RAM at {area_offset}, lie outside what this service has")

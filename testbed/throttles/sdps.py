"""Stun During Page Send: whoever writes a traced page first is stopped for microseconds, so that dirtying slows down.

    guest writes a protected page ─▶ kernel stops that thread, and tells us ─▶ we wait until the preferred rate
    allows one more dirty page ─▶ note it as dirty, lift its protection ─▶ the thread goes on; rewrites cost nothing

The mechanism is synchronous write-protection by userfaultfd, answered late by this process; the guest does not help.
It is like VMware's SDPS in what is public of it: microsecond delays at the first write to a traced page, until the
guest dirties at a preferred rate (docs/policies.md). It is done by a tracker, since every first write has to pass it.
"""

import contextlib
import os
import select
import struct
import threading
import time

import numpy as np

from testbed.core.errors import PrerequisiteMissing, TestbedError, in_words
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker
from testbed.linux.memory import userfaultfd
from testbed.linux.processes.process import set_timer_slack
from testbed.throttles import register
from testbed.throttles.held_rate import HeldRate

FEATURES = userfaultfd.WP_HUGETLBFS_SHMEM | userfaultfd.PAGEFAULT_FLAG_WP
CREDIT_S = 0.02
"""How far behind its schedule an answer may be and still be made up for: covers a sleep that ended late, and this
thread's waiting for a processor. On average the rate is then held on a busy machine too."""
LONGEST_S = 1e8
"""Between two answers at most, three years: Python waits for no time beyond some hundred, and a guest whose writers
nobody answers stands still even when it is released."""
_MESSAGE = struct.Struct("=B7xQQ8x")
_PAGEFAULT = 0x12
_MANY_RUNS = 2000
"""Runs from which protecting all memory by one call is quicker than protecting each."""


class StunDuringPageSend(Tracker):
    """Finds what every first write tells it, and holds the guest's dirty rate by telling it late."""

    name = "sdps"
    works = "synchronous write-protection, answered late"

    def __init__(self, ports: GuestPorts) -> None:
        """The guest has to run, since it is asked for a userfaultfd. Raises ``PrerequisiteMissing``."""
        self._base, self._size, self.pages_fd = ports.ram_address, ports.ram_bytes, ports.ram_fd
        self._dirty = np.zeros(ports.ram_bytes // PAGE_SIZE, np.bool_)
        self._lock = threading.Lock()
        self._interval_s, self._due = 0.0, 0.0
        self.delayed_s = 0.0
        with contextlib.ExitStack() as opened:
            self._fd = ports.new_userfaultfd()
            opened.callback(os.close, self._fd)
            try:
                userfaultfd.enable(self._fd, FEATURES)
            except OSError as fault:
                raise PrerequisiteMissing(
                    f"sdps: writes cannot be stunned here ({fault})", "choose a policy with another throttle"
                ) from fault
            self._end = os.eventfd(0, os.EFD_CLOEXEC)
            opened.callback(os.close, self._end)
            self._hurry = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            opened.callback(os.close, self._hurry)
            self._opened = opened.pop_all()
        self._answering = threading.Thread(target=self._answer, daemon=True, name="sdps")

    @staticmethod
    def lacks() -> str | None:
        """Whether this kernel stuns writers of shared memory at all: asked on memory of this process."""
        try:
            fd = userfaultfd.open_userfaultfd()
        except OSError as fault:
            return f"kernel gives no userfaultfd ({fault.strerror})"
        try:
            userfaultfd.enable(fd, FEATURES)
        except OSError as fault:
            return f"kernel has no synchronous write-protection of shared memory ({fault.strerror})"
        finally:
            os.close(fd)
        return None

    def start(self) -> None:
        """Protects all memory. The guest has to stand still: what it writes before this returns is not seen; and no
        other tracker may hold its memory any more.
        """
        try:
            userfaultfd.register_write_protect(self._fd, self._base, self._size)
            userfaultfd.write_protect(self._fd, self._base, self._size)
        except OSError as fault:
            raise TestbedError(f"sdps: the guest's memory cannot be protected: {in_words(fault)}") from fault
        self._answering.start()

    def delay(self, dirty_rate: float | None) -> bool:
        """See ``Tracker``."""
        with self._lock:
            if not self._interval_s:
                self._due = time.monotonic()  # no credit for the time before
            self._interval_s = min(PAGE_SIZE / dirty_rate, LONGEST_S) if dirty_rate else 0.0
        if dirty_rate is None:
            os.eventfd_write(self._hurry, 1)
        else:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._hurry)
        return True

    def collect(self) -> Extents:
        """See ``Tracker``. Writers wait meanwhile, so nothing falls between noting a page and protecting it again."""
        with self._lock:
            found = Extents.of_bitmap(self._dirty)
            self._dirty[:] = False
            try:
                self._protect(found)
            except OSError as fault:
                raise TestbedError(f"sdps: the guest's pages cannot be protected again: {in_words(fault)}") from fault
        return found

    def close(self) -> None:
        """Ends all waiting at once, and lets the memory go: the guest runs on unhindered."""
        os.eventfd_write(self._end, 1)
        if self._answering.ident is not None:
            self._answering.join()
        self._opened.close()

    def _protect(self, found: Extents) -> None:
        if len(found) > _MANY_RUNS:
            userfaultfd.write_protect(self._fd, self._base, self._size)
            return
        for offset, length in found:
            userfaultfd.write_protect(self._fd, self._base + offset, length)

    def _answer(self) -> None:
        set_timer_slack(1e-6)
        while True:
            readable, _, _ = select.select([self._fd, self._end], [], [])
            if self._end in readable:
                return
            with contextlib.suppress(BlockingIOError):  # the writer was killed or stunned meanwhile
                for kind, _flags, address in _MESSAGE.iter_unpack(os.read(self._fd, 64 * _MESSAGE.size)):
                    if kind == _PAGEFAULT:
                        self._let_go(address)

    def _let_go(self, address: int) -> None:
        """One writer: wait for its turn, note the page, lift its protection (which wakes it)."""
        asked = time.monotonic()
        turn = max(self._due, asked - CREDIT_S) + self._interval_s
        if self._interval_s and turn > asked:
            select.select([self._end, self._hurry], [], [], turn - asked)
        page = (address - self._base) // PAGE_SIZE
        with self._lock:
            self._dirty[page] = True
            with contextlib.suppress(OSError):  # the guest has died
                userfaultfd.write_protect(self._fd, self._base + page * PAGE_SIZE, PAGE_SIZE, protect=False)
        self._due = turn
        self.delayed_s += time.monotonic() - asked


@register("sdps")
class Sdps(HeldRate):
    """Holds the guest's dirty rate at the preferred one."""

    rank = 1
    tracker = StunDuringPageSend

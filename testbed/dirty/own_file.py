"""A tracker out of a file that the user wrote (``migration.tracker: ./mine.py``); ``interleavings`` drives the same.

    class Mine: __init__(pages), start(), collect(), close()          the first: GuestPages (guest_pages)

What it does wrong is told as its own, with file and line; a page that it misses is found when memories are compared.
"""

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from testbed.core.errors import MigrationAborted, Overdue, TestbedError
from testbed.core.extents import Extents
from testbed.core.own.file import OwnFile, digests_of
from testbed.core.own.words import defined_at, raised_at, told
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker
from testbed.dirty.guest_pages import from_to, numbers
from testbed.dirty.uffd_wp import ProtectedMemory, UffdWp
from testbed.linux.processes.time_limit import time_limit

OWN_TRACKER = OwnFile("dirty tracker", ("start", "collect"), parameters=False)
"""What a file has to define."""
COLLECT_S = 30.0
"""Seconds that it may take for one of its methods: nothing is sent meanwhile."""

T = TypeVar("T")


class KernelPages:
    """``GuestPages`` of a real guest."""

    def __init__(self, ports: GuestPorts, tracker: str) -> None:
        """Raises ``PrerequisiteMissing`` when this guest's memory cannot be write-protected."""
        self._count, self._fd = ports.ram_bytes // PAGE_SIZE, ports.ram_fd
        self._memory = ProtectedMemory(ports, tracker)

    @property
    def count(self) -> int:
        """See ``GuestPages``: what ``collect`` answers is held against it, so it is nobody's to change."""
        return self._count

    def protect(self, first: int = 0, count: int | None = None) -> None:
        """See ``GuestPages``: one call of the kernel."""
        self._memory.protect(self._run(first, count))

    def written(self, first: int = 0, count: int | None = None) -> list[int]:
        """See ``GuestPages``: a walk over their page tables."""
        found = self._memory.written(self._run(first, count), protect=False)
        return [page for at, size in found for page in range(at // PAGE_SIZE, (at + size) // PAGE_SIZE)]

    def read(self, page: int) -> bytes:
        """See ``GuestPages``."""
        first, _ = from_to(page, 1, self.count)
        return os.pread(self._fd, PAGE_SIZE, first * PAGE_SIZE)

    def close(self) -> None:
        """Lifts the protection of all pages."""
        self._memory.close()

    def _run(self, first: int, count: int | None) -> Extents:
        first, last = from_to(first, count, self.count)
        run = Extents.whole((last - first) * PAGE_SIZE)
        run.table[:, 0] += np.uint64(first * PAGE_SIZE)
        return run


class OwnTracker(Tracker):
    """The user's class as a ``Tracker``."""

    def __init__(self, ports: GuestPorts, made: type, name: str) -> None:
        self._pages, self._type = KernelPages(ports, name), made
        self.name, self.pages_fd = name, ports.ram_fd  # each file is another tracker
        try:
            self._own: Any = self._asked("__init__", lambda: made(self._pages))
        except TestbedError:
            self._pages.close()
            raise

    @staticmethod
    def lacks() -> str | None:
        """Needs what ``uffd-wp`` does."""
        return UffdWp.lacks()

    def start(self) -> None:
        """See ``Tracker``; raises ``MigrationAborted`` with file and line."""
        self._asked("start", self._start)

    def collect(self) -> Extents:
        """See ``Tracker``; raises ``MigrationAborted`` with file and line, also for what are no numbers of pages."""
        found = self._asked("collect", lambda: numbers(self._own.collect(), self._pages.count))
        if isinstance(found, str):
            raise MigrationAborted(f"{defined_at(self._type, 'collect')}: the tracker's 'collect' {found}")
        dirty = np.zeros(self._pages.count, np.bool_)
        dirty[found] = True
        return Extents.of_bitmap(dirty)

    def close(self) -> None:
        """See ``Tracker``. What the user's code does wrong now is written into the log, and hinders nothing."""
        try:
            if callable(close := getattr(self._own, "close", None)):
                self._asked("close", close)
        except TestbedError as fault:
            sys.stderr.write(f"{fault}\n")
        finally:
            self._pages.close()

    def _start(self) -> None:
        self._own.start()

    def _asked(self, method: str, do: Callable[[], T]) -> T:
        try:
            with time_limit(COLLECT_S):
                return do()
        except TestbedError:
            raise
        except Overdue as fault:
            late = f"the tracker took more than {fault.limit_s:g} s for '{method}'"
            raise MigrationAborted(f"{raised_at(self._type, method, fault)}: {late}") from None
        except (Exception, SystemExit) as fault:
            place = raised_at(self._type, method, fault)
            raise MigrationAborted(f"{place}: the tracker failed in '{method}': {told(fault)}") from fault


def load(name: str) -> Callable[[GuestPorts], Tracker]:
    """Runs the file; what it gives makes the tracker for a guest. Raises ``ScenarioError`` with file and line."""
    made = OWN_TRACKER.load(name)
    return lambda ports: OwnTracker(ports, made, name)


def works(name: str) -> str:
    """Why a run is tracked so, for the record."""
    return f"code of one's own, SHA-256 {digests_of(name).get(name, 'unknown')}"

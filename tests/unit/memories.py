"""Memory that plays a guest's RAM: this process's own, or another's, for trackers that stop who writes it."""

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

import numpy as np
import numpy.typing as npt

from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts
from testbed.linux.memory import memfd, userfaultfd

PAGES = 512
Bytes = npt.NDArray[np.uint8]


class Memory(Protocol):
    """What a test does with it."""

    ports: GuestPorts

    def write(self, page: int) -> None:
        """Changes one byte."""

    def fill(self, pages: range, value: int) -> None:
        """Sets all bytes of these."""


class OwnMemory:
    """A memfd of this process."""

    def __init__(self, pages: int = PAGES, populate: bool = True) -> None:
        size = pages * PAGE_SIZE
        self.fd = memfd.create("own", size)
        self.mapping: mmap.mmap = memfd.map_shared(self.fd, size, populate=populate)
        self.bytes: Bytes = np.frombuffer(self.mapping, np.uint8).reshape(pages, PAGE_SIZE)
        self.ports = GuestPorts(
            pid=os.getpid(),
            ram_address=int(self.bytes.ctypes.data),
            ram_bytes=size,
            ram_fd=self.fd,
            new_userfaultfd=userfaultfd.open_userfaultfd,
        )

    def write(self, page: int) -> None:
        """Changes one byte."""
        self.bytes[page, page % PAGE_SIZE] += 1

    def fill(self, pages: range, value: int) -> None:
        """Sets all bytes of these."""
        self.bytes[pages.start : pages.stop] = value


WRITER = """
import ctypes, mmap, sys
fd, size, populate = map(int, sys.argv[1:])
memory = mmap.mmap(fd, size, flags=mmap.MAP_SHARED | (mmap.MAP_POPULATE if populate else 0))
print(ctypes.addressof(ctypes.c_char.from_buffer(memory)), flush=True)
for line in sys.stdin:
    at, length, value = map(int, line.split())
    memory[at : at + length] = bytes([value]) * length
    print(flush=True)
"""


class OthersMemory:
    """The same of a process that does as it is told and then waits, so that it may be stopped meanwhile."""

    def __init__(self, writer: "subprocess.Popen[str]", fd: int) -> None:
        self._writer, self._count = writer, 0
        self.ports = GuestPorts(
            pid=writer.pid,
            ram_address=int(self._answer()),
            ram_bytes=os.fstat(fd).st_size,
            ram_fd=fd,
            new_userfaultfd=userfaultfd.open_userfaultfd,
        )

    def write(self, page: int) -> None:
        """Changes one byte."""
        self._count = self._count % 255 + 1
        self._store(page * PAGE_SIZE + page % PAGE_SIZE, 1, self._count)

    def fill(self, pages: range, value: int) -> None:
        """Sets all bytes of these."""
        self._store(pages.start * PAGE_SIZE, len(pages) * PAGE_SIZE, value)

    def _store(self, *numbers: int) -> None:
        assert self._writer.stdin is not None
        self._writer.stdin.write(" ".join(map(str, numbers)) + "\n")
        self._writer.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._writer.stdout is not None
        line = self._writer.stdout.readline()
        assert line, "the process that writes has ended"
        return line


@contextmanager
def memory_for(tracker: str, *, populate: bool = True) -> Iterator[Memory]:
    """For a tracker of that name."""
    with ExitStack() as stack:
        if tracker != "soft-dirty":
            own = OwnMemory(populate=populate)
            stack.callback(os.close, own.fd)
            yield own
            return
        size, pipe = PAGES * PAGE_SIZE, subprocess.PIPE
        fd = memfd.create("others", size)
        stack.callback(os.close, fd)
        argv = [sys.executable, "-I", "-c", WRITER, str(fd), str(size), str(int(populate))]
        writer = stack.enter_context(subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, pass_fds=[fd]))
        stack.callback(writer.kill)
        yield OthersMemory(writer, fd)

"""The guest's memory: a memfd, mapped and backed before the guest starts, and the execution state in its page 0.

    page 0            the state: layout below, all that the program needs to go on
    pages 1...        the areas of services, then the working set, then memory that is never written

The state is in RAM and nowhere else: whoever has the memory has the guest.
"""

import mmap
import os
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from guest_agent.config import GuestConfig
from guest_agent.memory.program import Memory
from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.units import PAGE_SIZE, in_bytes
from testbed.linux.memory import memfd
from testbed.linux.memory.room import available_bytes

Buffer: TypeAlias = bytes | bytearray | memoryview | mmap.mmap

RAM_NAME = "guest-ram"
"""Of the memfd, as /proc shows it in the mappings of whoever maps a guest's RAM."""
MAGIC, VERSION = int.from_bytes(b"FM-GUEST", "little"), 1
_TEXT_AT = 512
LAYOUT = np.dtype(
    {
        "names": ["magic", "version", "text_bytes", "ram_bytes", "seed", "operations", "pending"],
        "formats": ["<u8", "<u4", "<u4", "<u8", "<u8", "<u8", "<u8"],
        "offsets": [0, 8, 12, 16, 24, 64, 72],
        "itemsize": _TEXT_AT,
    }
)
"""``operations``: completed. ``pending``: where the batch ends that is being written; equal to it between batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionState:
    """The execution state. Operations from ``operations`` to ``pending`` may have been carried out in part."""

    operations: int
    pending: int
    config: GuestConfig


class OperationCounters(NamedTuple):
    """``operations`` and ``pending`` of the state."""

    operations: int
    pending: int


class Ram:
    """RAM of one guest, with all its pages and page tables there."""

    def __init__(self, config: GuestConfig) -> None:
        """Raises ``PrerequisiteMissing`` when the machine has not that much memory."""
        self.size = config.ram_bytes
        if self.size > available_bytes():
            raise PrerequisiteMissing(
                f"a guest of {in_bytes(self.size)} does not fit: {in_bytes(available_bytes())} are free",
                "make vm.ram smaller, or scale it down further",
            )
        try:
            self.fd = memfd.create(RAM_NAME, self.size)
            memfd.preallocate(self.fd, self.size)
            self._map = memfd.map_shared(self.fd, self.size, populate=True)
        except OSError as error:
            raise PrerequisiteMissing(f"no memory for a guest of {in_bytes(self.size)}: {error}", "free it") from error
        self.memory: Memory = np.frombuffer(self._map, np.uint64).reshape(-1, PAGE_SIZE // 8)
        self.address = int(self.memory.ctypes.data)
        self._counters = counters(self.memory)

    @property
    def page0(self) -> bytes:
        """A copy of the state page."""
        return self._map[:PAGE_SIZE]

    def begin(self, config: GuestConfig) -> None:
        """Writes the state of a guest that has done nothing yet."""
        write_state(self._map, config)

    def pend(self, until: int) -> None:
        """Operations up to ``until`` are about to be written."""
        self._counters[1] = until

    def complete(self, operations: int) -> None:
        """So many operations are done."""
        self._counters[0] = operations


def counters(memory: Memory) -> Memory:
    """A view of (operations, pending) in RAM's first pages, shape (2,) of u64."""
    return memory[0, 8:10]


def write_state(buffer: Buffer, config: GuestConfig, operations: int = 0) -> None:
    """Writes page 0. Raises ``ScenarioError`` when the configuration does not fit in it."""
    text = config.to_json().encode()
    if len(text) > PAGE_SIZE - _TEXT_AT:
        raise ScenarioError(f"the workload's description is longer than {PAGE_SIZE - _TEXT_AT} bytes; shorten it")
    page = np.frombuffer(buffer, np.uint8, PAGE_SIZE)
    page[_TEXT_AT : _TEXT_AT + len(text)] = np.frombuffer(text, np.uint8)
    header = page[:_TEXT_AT].view(LAYOUT)
    header[0] = (MAGIC, VERSION, len(text), config.ram_bytes, config.seed, operations, operations)


def read_state(buffer: Buffer) -> ExecutionState:
    """The state in a RAM's first page (a mapping of it, or a copy). Raises ``TestbedError`` when there is none.

    It is copied first: what is raised holds no view of a mapping, which could then not be closed.
    """
    page = np.frombuffer(bytes(buffer[:PAGE_SIZE]), np.uint8)
    header = page[:_TEXT_AT].view(LAYOUT)[0]
    if not _holds_guest(page):
        found = f"magic {int(header['magic']):#x}, layout {int(header['version'])}"
        raise TestbedError(f"page 0 holds no guest ({found}); was the memory received?")
    length = int(header["text_bytes"])
    if length > PAGE_SIZE - _TEXT_AT:
        raise TestbedError(f"page 0 is damaged: a description of {length} bytes does not fit in it")
    config = GuestConfig.parse(page[_TEXT_AT : _TEXT_AT + length].tobytes().decode(errors="replace"))
    return ExecutionState(operations=int(header["operations"]), pending=int(header["pending"]), config=config)


def read_counters_of(ram_fd: int) -> OperationCounters | None:
    """How far the guest is whose RAM this descriptor is; None when it holds none."""
    page = np.frombuffer(os.pread(ram_fd, PAGE_SIZE, 0), np.uint8)
    return OperationCounters(*counters(page.view(np.uint64)[None]).tolist()) if _holds_guest(page) else None


def _holds_guest(page: npt.NDArray[np.uint8]) -> bool:
    header = page[:_TEXT_AT].view(LAYOUT)[0]
    return (int(header["magic"]), int(header["version"])) == (MAGIC, VERSION)

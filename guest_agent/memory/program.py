"""What the guest does: operation n stores some bytes in some page, both a pure function of (seed, n).

    hash(seed, n) ──┬── upper 32 bits ──> workload ──> page of the working set
                    ├── low bits ───────> slot: which ``change_bytes`` of the page
                    └── all of it, xor a constant for each word ──> the bytes stored

An operation only stores, it never reads what it changes. So a batch that was interrupted anywhere can be carried out
again from its beginning, and a replay of operations 0..n gives the memory byte for byte.
"""

import numpy as np
import numpy.typing as npt

from guest_agent.config import GuestConfig
from guest_agent.memory.hashing import Numbers, mix, mix_one
from guest_agent.workloads import pace, size_in_pages
from testbed.core.units import PAGE_SIZE

Memory = npt.NDArray[np.uint64]
Slots = npt.NDArray[np.void]

_WORD = 8
_AHEAD = 1024


class Program:
    """All operations of one guest. Immutable; the same for the guest, its successor and the verifier."""

    def __init__(self, config: GuestConfig) -> None:
        """Raises ``ScenarioError`` when the configuration cannot be."""
        self._workload = config.check()
        self._size = size_in_pages(self._workload, config.pages - config.reserved_pages)
        self._reserved = np.uint64(config.reserved_pages)
        self._pages_of_ram = config.pages
        self._start = mix_one(config.seed)
        words = config.change_bytes // _WORD
        self._slot_type = np.dtype((np.void, config.change_bytes))
        self.slots_of_page = PAGE_SIZE // config.change_bytes
        self.is_idle = self._workload.write_rate == 0
        """No operation writes a page."""
        self._pattern = mix(np.arange(words, dtype=np.uint64), self._start ^ words)

    @property
    def unwritten(self) -> range:
        """Pages that neither an operation nor a service ever writes: they hold what they were filled with."""
        return range(int(self._reserved) + (0 if self.is_idle else self._size), self._pages_of_ram)

    def pace(self, operation: int) -> tuple[float, int | None]:
        """Operations per second from this operation on, and the operation at which that changes (None: never)."""
        return pace(self._workload, operation)

    def pages(self, operations: Numbers) -> Numbers:
        """The page of RAM that each operation writes; 0 for one that writes none but the state."""
        return self._pages(operations, mix(operations, self._start))

    def slots(self, memory: Memory) -> Slots:
        """Memory (whole pages of u64) as the units in which operations write."""
        return memory.reshape(-1).view(self._slot_type)

    def places(self, operations: Numbers) -> Numbers:
        """The slot of RAM that each operation writes; one in page 0 stands for none."""
        random = mix(operations, self._start)
        return self._places(random, self._pages(operations, random))

    def content(self, operations: Numbers) -> Slots:
        """What each operation writes to its slot."""
        return self._content(mix(operations, self._start))

    def work_out(self, operations: Numbers) -> tuple[Numbers, Slots]:
        """``places`` and ``content`` together."""
        random = mix(operations, self._start)
        return self._places(random, self._pages(operations, random)), self._content(random)

    def _pages(self, operations: Numbers, random: Numbers) -> Numbers:
        pages: Numbers = self._workload.pages(operations, random, self._size) + self._reserved
        if self._reserved > 1:
            pages[pages < self._reserved] = 0  # NOWHERE, the highest number; with one page reserved it becomes 0 alone
        return pages

    def _places(self, random: Numbers, pages: Numbers) -> Numbers:
        return pages * np.uint64(self.slots_of_page) + (random & np.uint64(self.slots_of_page - 1))

    def _content(self, random: Numbers) -> Slots:
        return (random[:, None] ^ self._pattern).view(self._slot_type).reshape(-1)


class Ahead:
    """Carries operations out on one RAM, having worked out where and what many at a time.

    A batch of one millisecond is a handful of operations, and working one out costs as much as a thousand: so the next
    1,024 are worked out together, and a batch only stores. Nothing is remembered that (seed, n) would not give again.
    """

    def __init__(self, program: Program, memory: Memory) -> None:
        self._program, self._slots = program, program.slots(memory)
        self._numbers = np.arange(_AHEAD, dtype=np.uint64)
        self._first = self._until = 0

    def run(self, first: int, count: int) -> None:
        """Operations ``first``... in order. At the same speed also where they do not follow on the last ones."""
        if self._program.is_idle:
            return
        until = first + count
        while first < until:
            if not self._first <= first < self._until:
                self.prepare(first)
            stop = min(until, self._until)
            self._store(first - self._first, stop - self._first)
            first = stop

    def prepare(self, first: int) -> None:
        """Works out the operations from ``first`` on."""
        places, self._content = self._program.work_out(self._numbers + np.uint64(first))
        self._places = places.view(np.int64)
        self._in_ram = self._places >= self._program.slots_of_page
        self._all_in_ram = bool(self._in_ram.all())
        self._first, self._until = first, first + _AHEAD

    def _store(self, start: int, stop: int) -> None:
        places, content = self._places[start:stop], self._content[start:stop]
        if not self._all_in_ram:
            here = self._in_ram[start:stop]
            places, content = places[here], content[here]
        self._slots[places] = content

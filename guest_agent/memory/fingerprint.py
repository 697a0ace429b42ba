"""A digest that tells whose memory it is, and that (seed, operations) alone give again.

    RAM   state │ services' areas │ working set                 │ never written
                                    slots of the last 1,024       64 pages, chosen by the seed
                                    operations, each as the
                                    last of them left it

What an operation stores is a hash of the seed and its number, so the slots that were written last are another seed's
under no workload, in no order of pages: those of ``sequential`` too, whose pages do not depend on the seed. To take
the last operations and not a choice of pages costs the same after an hour as after a second: nothing older has to be
replayed. Services write to areas of their own, which are left out. Where operations write nothing (``idle``, an idle
phase) what memory was filled with tells.
"""

import hashlib
import os
from dataclasses import dataclass, replace

import numpy as np

from guest_agent.config import GuestConfig
from guest_agent.memory.fill import fill
from guest_agent.memory.hashing import Numbers, below, mix, mix_one
from guest_agent.memory.program import Memory, Program, Slots
from guest_agent.memory.ram import read_counters_of
from testbed.core.units import PAGE_SIZE

LAST = 1024
"""Operations whose slots are looked at. No batch is larger, so one that was cut off is among them."""
_ENOUGH = 256
"""Slots; of a guest that has just idled the operations before that are looked at, too."""
_FURTHEST = 1 << 18
"""Four minutes of a guest that idles."""
_CHOSEN = 64
_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """``digest`` (hexadecimal) of a memory in which so many operations were done."""

    operations: int
    digest: str


def expected(config: GuestConfig, operations: int) -> Fingerprint:
    """What it must be after so many operations. Raises ``ScenarioError`` when the configuration cannot be."""
    looked = _Looked(Program(config), config, operations)
    chosen = np.zeros((len(looked.pages), PAGE_SIZE // 8), np.uint64)
    alone = replace(config, services=[])  # they have no part in these pages, and to ask them for each takes time
    for row, page in zip(chosen, looked.pages.tolist(), strict=True):
        fill(row[None], alone, page)
    return _digest(operations, looked.content, chosen)


def furthest(config: GuestConfig) -> int:
    """How many operations may be looked at for it."""
    return 2 * _FURTHEST if config.workload.get("name") == "phases" else LAST


def found(ram_fd: int, config: GuestConfig) -> Fingerprint | None:
    """What it is in the RAM that this descriptor is, whose guest stands still. A batch that was cut off is carried out
    in what is read, not in RAM. None where no guest is there, or its counters cannot be.
    """
    counters = read_counters_of(ram_fd)
    if counters is None or not 0 <= counters.pending - counters.operations <= LAST:
        return None
    looked = _Looked(Program(config), config, counters.pending)
    return _digest(counters.pending, looked.read(ram_fd, counters.operations), looked.read_pages(ram_fd))


class _Looked:
    """``places``: slots of RAM, rising, and the ``content`` that the ``last`` operation on each left; ``pages``: those
    never written that are looked at, rising.
    """

    def __init__(self, program: Program, config: GuestConfig, operations: int) -> None:
        self.places, self.last = _written(program, operations)
        self.content = program.content(self.last)
        self._slot = config.change_bytes
        there, keys = program.unwritten, mix(np.arange(_CHOSEN, dtype=np.uint64), mix_one(config.seed, 3))
        self.pages = np.unique(below(keys, len(there)) + np.uint64(there.start)) if there else np.empty(0, np.uint64)

    def read(self, ram_fd: int, done: int) -> Slots:
        """The slots as they are; those whose last operation is not ``done`` as it would leave them."""
        data = b"".join(os.pread(ram_fd, self._slot, place * self._slot) for place in self.places.tolist())
        slots = np.frombuffer(data, self.content.dtype)
        return np.where(self.last < np.uint64(done), slots, self.content)

    def read_pages(self, ram_fd: int) -> Memory:
        """The pages as they are."""
        data = b"".join(os.pread(ram_fd, PAGE_SIZE, page * PAGE_SIZE) for page in self.pages.tolist())
        return np.frombuffer(data, np.uint64).reshape(-1, PAGE_SIZE // 8)


def _written(program: Program, operations: int) -> tuple[Numbers, Numbers]:
    """The slots that the last operations wrote, rising, and the last operation on each."""
    back = LAST
    while True:
        numbers = np.arange(max(0, operations - back), operations, dtype=np.uint64)
        places = program.places(numbers)
        here = places >= program.slots_of_page
        if here.sum() >= min(_ENOUGH, len(numbers)) or back >= min(_FURTHEST, operations) or program.is_idle:
            break
        back *= 2
    places, numbers = places[here][::-1], numbers[here][::-1]
    distinct, newest = np.unique(places, return_index=True)
    return distinct, numbers[newest]


def _digest(operations: int, slots: Slots, pages: Memory) -> Fingerprint:
    digest = hashlib.blake2b(digest_size=_BYTES)
    digest.update(np.ascontiguousarray(slots).tobytes())
    digest.update(np.ascontiguousarray(pages).tobytes())
    return Fingerprint(operations=operations, digest=digest.hexdigest())

"""Replay and proof: what a migrated guest's memory must be after n operations, and whether it is.

                 operations:   0 ───────────── n_source ───────── n_destination ── pending
    frozen source's RAM        ███████████████ (copy, in chunks)
      + replay of what the destination did since      ░░░░░░░░░░░░
    = the destination's RAM, byte for byte

Pages that the destination has not written since are thus compared as they are; written ones against their replay.
A batch that was interrupted (from the counter to ``pending``) may be there in part; it is carried out once more on
copies of both before they are compared. Both guests stand still meanwhile. Memory used is bounded, whatever the RAM.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from guest_agent.config import STATE_PAGES, GuestConfig
from guest_agent.machine import areas_of
from guest_agent.memory.hashing import Numbers
from guest_agent.memory.program import Memory, Program, Slots
from guest_agent.memory.ram import OperationCounters, counters, read_counters_of
from guest_agent.services import Area
from testbed.core.errors import TestbedError
from testbed.core.units import PAGE_SIZE

Writers: TypeAlias = npt.NDArray[np.uint32]
"""Shape (pages, slots of a page)."""

_WORDS = PAGE_SIZE // 8
_CHUNK = 256
"""Pages compared at a time: 1 MiB of each side."""
_TABLE = 8 << 20
"""Slots whose last writer is known at a time: 32 MiB."""
_WINDOW = 1 << 16
"""Operations replayed at a time."""
_MOST = 2**32 - 1
"""Operations that can be told apart in the table."""
_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``match`` says it all. ``mismatches``: the numbers of the first ten pages that differ, of ``pages_mismatched``.
    ``pages_excluded``: of the areas of services that went on there, which prove themselves otherwise (services/).
    """

    match: bool
    pages_compared: int
    pages_excluded: int = 0
    pages_replayed: int
    pages_mismatched: int = 0
    mismatches: tuple[int, ...] = ()


def prove(source_fd: int, destination_fd: int, config: GuestConfig, worked: Sequence[bool] | None = None) -> Proof:
    """Holds the destination's RAM against the frozen source's, both given by their memfd. ``worked``: which of the
    services did anything at the destination (None: all may have); the areas of the others must not differ.

    A destination that holds no guest, or whose counters cannot be, does not match: page 0 is among the mismatches.
    Raises ``TestbedError`` when the source holds none, or a RAM is not of this size.
    """
    return _Proving(source_fd, destination_fd, config, worked).proof()


def areas(ram_fd: int, config: GuestConfig) -> list[Area]:
    """Copies of the services' areas in the RAM that this descriptor is, in order."""
    memory = np.empty((config.reserved_pages, _WORDS), np.uint64)
    for first in range(0, len(memory), _CHUNK):
        _read(ram_fd, memory[first : first + _CHUNK], first)
    return areas_of(config, memory)


class _Proving:
    def __init__(self, source_fd: int, destination_fd: int, config: GuestConfig, worked: Sequence[bool] | None) -> None:
        self._fds, self._pages, self._program = (source_fd, destination_fd), config.pages, Program(config)
        self._changed = _changed_pages(config, worked)
        source, found = read_counters_of(source_fd), read_counters_of(destination_fd)
        if source is None:
            raise TestbedError("the source's RAM holds no guest that could be compared with")
        # A destination that cannot be so far has done nothing; then its page 0 will be found to differ.
        nothing = OperationCounters(source.operations, source.operations)
        self._state = found if found and _plausible(source, found) else nothing
        self._first = np.uint64(source.operations)
        self._chunks = np.empty((2, _CHUNK, _WORDS), np.uint64)
        self._unsure = np.arange(self._state.operations, self._state.pending, dtype=np.uint64)
        self._unsure_places = self._program.places(self._unsure)

    def proof(self) -> Proof:
        """Region by region, as many pages at a time as the table of last writers covers."""
        replayed, wrong, excluded = 0, list[int](), 0
        for first, writers in self._parts():
            written = np.asarray(writers.any(axis=1))
            written[self._unsure_here(first, len(writers)) // self._program.slots_of_page] = True
            written[:1] |= first == 0  # the state
            replayed += int(written.sum())
            differing = [first + page for page in self._differing(first, writers)]
            wrong += [page for page in differing if page not in self._changed]
            excluded += sum(page in self._changed for page in differing)
        return Proof(
            match=not wrong,
            pages_compared=self._pages - replayed - excluded,
            pages_excluded=excluded,
            pages_replayed=replayed,
            pages_mismatched=len(wrong),
            mismatches=tuple(wrong[:_NAMED]),
        )

    def _parts(self) -> Iterator[tuple[int, Writers]]:
        """RAM in chunks: the first page of each, and the last writers of its slots."""
        step = max(_CHUNK, _TABLE // self._program.slots_of_page)
        for region in range(0, self._pages, step):
            writers = self._last_writers(region, min(step, self._pages - region))
            for first in range(0, len(writers), _CHUNK):
                yield region + first, writers[first : first + _CHUNK]

    def _last_writers(self, first_page: int, pages: int) -> Writers:
        """For each slot of a region: the last of the destination's operations that wrote it, from 1; 0 for none."""
        per_page = self._program.slots_of_page
        table = np.zeros(pages * per_page, np.uint32)
        low, high = np.uint64(max(first_page, 1) * per_page), np.uint64((first_page + pages) * per_page)
        for window in _windows(int(self._first), self._state.operations):
            places = self._program.places(window)
            here = (places >= low) & (places < high)
            table[places[here] - np.uint64(first_page * per_page)] = window[here] - self._first + np.uint64(1)
        return table.reshape(pages, per_page)

    def _differing(self, first_page: int, writers: Writers) -> list[int]:
        """The pages of one chunk, counted from its first, that are not what they must be."""
        expected, found = self._chunks[:, : len(writers)]
        for fd, chunk in zip(self._fds, (expected, found), strict=True):
            _read(fd, chunk, first_page)
        if first_page == 0:
            counters(expected)[:] = self._state
        last = writers.reshape(-1)
        written = np.flatnonzero(last)
        self._program.slots(expected)[written] = self._content(last[written])
        self._redo_unsure(first_page, (expected, found))
        if np.array_equal(expected, found):
            return []
        return [int(page) for page in np.flatnonzero((expected != found).any(axis=1))]

    def _content(self, last: npt.NDArray[np.uint32]) -> Slots:
        return self._program.content(last.astype(np.uint64) + self._first - np.uint64(1))

    def _redo_unsure(self, first_page: int, chunks: tuple[Memory, Memory]) -> None:
        """The interrupted batch, on both: where it was carried out already that changes nothing."""
        here = self._unsure_is_here(first_page, len(chunks[0]))
        if here.any():
            places, content = self._unsure_here(first_page, len(chunks[0])), self._program.content(self._unsure[here])
            for chunk in chunks:
                self._program.slots(chunk)[places] = content

    def _unsure_here(self, first_page: int, pages: int) -> npt.NDArray[np.int64]:
        """The slots of a chunk, counted from its first, that the interrupted batch writes."""
        here = self._unsure_places[self._unsure_is_here(first_page, pages)]
        return (here - np.uint64(first_page * self._program.slots_of_page)).astype(np.int64)

    def _unsure_is_here(self, first_page: int, pages: int) -> npt.NDArray[np.bool_]:
        page = self._unsure_places // np.uint64(self._program.slots_of_page)
        here: npt.NDArray[np.bool_] = (page >= max(first_page, 1)) & (page < first_page + pages)
        return here


def _changed_pages(config: GuestConfig, worked: Sequence[bool] | None) -> frozenset[int]:
    """Of the areas of those services that did something."""
    services, first, found = config.built_services(), STATE_PAGES, set[int]()
    for service, did in zip(services, [True] * len(services) if worked is None else worked, strict=True):
        found.update(range(first, first + service.area_pages) if did else ())
        first += service.area_pages
    return frozenset(found)


def _plausible(source: OperationCounters, destination: OperationCounters) -> bool:
    """The destination may be where it says it is, having begun where the source stopped."""
    since, batch = destination.operations - source.operations, destination.pending - destination.operations
    return 0 <= since < _MOST and 0 <= batch <= _WINDOW


def _read(fd: int, chunk: Memory, first_page: int) -> None:
    if os.preadv(fd, [chunk.data.cast("B")], first_page * PAGE_SIZE) != chunk.nbytes:
        raise TestbedError("a RAM is smaller than the guest's configuration says")


def _windows(first: int, until: int) -> Iterator[Numbers]:
    for start in range(first, until, _WINDOW):
        yield np.arange(start, min(start + _WINDOW, until), dtype=np.uint64)

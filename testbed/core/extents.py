"""Runs of memory: (offset, length) in bytes, the form in which dirty pages are found, sent and received."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from testbed.core.units import PAGE_SIZE

Table = npt.NDArray[np.uint64]
Bitmap = npt.NDArray[np.bool_]

MOST_CELLS = 1024
"""Cells that memory is counted in: as many as can be told apart in a picture."""


def cell_pages(pages: int) -> int:
    """Pages of a cell, of a memory of so many pages."""
    return max(1, -(-pages // MOST_CELLS))


@dataclass(frozen=True, slots=True, eq=False)
class Extents:
    """Disjoint runs in rising order. ``table`` has shape (n, 2), uint64: offset and length in bytes."""

    table: Table

    @classmethod
    def none(cls) -> "Extents":
        """No memory at all."""
        return cls(np.empty((0, 2), np.uint64))

    @classmethod
    def whole(cls, size: int) -> "Extents":
        """All of a memory of ``size`` bytes."""
        return cls(np.array([[0, size]], np.uint64)) if size else cls.none()

    @classmethod
    def of_bitmap(cls, dirty: Bitmap) -> "Extents":
        """The runs of ``True`` in a bitmap of one entry a page."""
        edges = np.flatnonzero(np.diff(np.concatenate(([False], dirty, [False])).astype(np.int8)))
        starts, ends = edges[0::2], edges[1::2]
        return cls(np.stack((starts, ends - starts), axis=1).astype(np.uint64) * np.uint64(PAGE_SIZE))

    @property
    def size(self) -> int:
        """Bytes of all runs together."""
        return int(self.table[:, 1].sum())

    @property
    def pages(self) -> int:
        """Pages of all runs together."""
        return self.size // PAGE_SIZE

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return map(tuple, self.table.tolist())

    def bitmap(self, pages: int) -> Bitmap:
        """One entry a page, ``True`` where a run covers it."""
        marks = np.zeros(pages + 1, np.int32)
        first = (self.table[:, 0] // np.uint64(PAGE_SIZE)).astype(np.int64)
        last = first + (self.table[:, 1] // np.uint64(PAGE_SIZE)).astype(np.int64)
        np.add.at(marks, first, 1)
        np.add.at(marks, last, -1)
        return np.cumsum(marks[:-1]) > 0

    def counts(self, pages: int, cell_pages: int) -> list[int]:
        """How many pages of each cell of ``cell_pages`` pages it covers, of a memory of ``pages`` pages."""
        cells = -(-pages // cell_pages)
        padded = np.zeros(cells * cell_pages, np.bool_)
        padded[:pages] = self.bitmap(pages)
        return [int(count) for count in padded.reshape(cells, cell_pages).sum(axis=1)]

    def union(self, other: "Extents") -> "Extents":
        """Both together. The cost is that of the runs, not of the memory: it is part of every downtime."""
        if not len(self) or not len(other):
            return self if len(self) else other
        table = np.concatenate((self.table, other.table))
        table = table[np.argsort(table[:, 0], kind="stable")]
        starts, ends = table[:, 0], np.maximum.accumulate(table[:, 0] + table[:, 1])
        first = np.flatnonzero(np.concatenate(([True], starts[1:] > ends[:-1])))
        last = np.concatenate((first[1:] - 1, [len(table) - 1]))
        return Extents(np.stack((starts[first], ends[last] - starts[first]), axis=1))

    def without(self, other: "Extents") -> "Extents":
        """What of it the other has not."""
        if not len(self) or not len(other):
            return self
        pages = int(max(self.table[-1].sum(), other.table[-1].sum())) // PAGE_SIZE
        return Extents.of_bitmap(self.bitmap(pages) & ~other.bitmap(pages))

    def cut(self, size: int) -> tuple["Extents", "Extents"]:
        """The first ``size`` bytes, and the rest."""
        ends = np.cumsum(self.table[:, 1].astype(np.int64))
        at = int(np.searchsorted(ends, size, side="left"))
        if size <= 0 or at >= len(self):
            return (Extents.none(), self) if size <= 0 else (self, Extents.none())
        offset, length = map(int, self.table[at])
        inside = size - int(ends[at]) + length
        head, tail = self.table[: at + 1].copy(), self.table[at:].copy()
        head[-1, 1], tail[0] = inside, (offset + inside, length - inside)
        return Extents(head), Extents(tail[tail[:, 1] > 0])

    def cut_at(self, address: int) -> tuple["Extents", "Extents"]:
        """What lies before an address, and the rest."""
        starts, lengths = self.table.astype(np.int64).T
        return self.cut(int(np.clip(address - starts, 0, lengths).sum()))

    def batches(self, max_bytes: int, max_extents: int) -> Iterator["Extents"]:
        """This memory in order, in parts of at most ``max_bytes`` (whole pages) and ``max_extents`` runs each."""
        cut = self._cut(max_bytes)
        ends = np.cumsum(cut[:, 1].astype(np.int64))
        start = before = 0
        while start < len(cut):
            # As int64 like the sums: another type would make numpy convert all of them for each batch.
            stop = int(np.searchsorted(ends, np.int64(before + max_bytes), side="right"))
            stop = min(stop, start + max_extents)
            yield Extents(cut[start:stop])
            start, before = stop, int(ends[stop - 1])

    def _cut(self, longest: int) -> Table:
        """The table with every run longer than ``longest`` cut into pieces."""
        offsets, lengths = self.table.astype(np.int64).T
        if not len(self) or int(lengths.max()) <= longest:
            return self.table
        pieces = -(-lengths // longest)
        first = np.repeat(np.cumsum(pieces) - pieces, pieces)  # of each piece: the first piece of its run
        done = (np.arange(len(first)) - first) * longest
        left = np.repeat(lengths, pieces) - done
        return np.stack((np.repeat(offsets, pieces) + done, np.minimum(longest, left)), axis=1).astype(np.uint64)

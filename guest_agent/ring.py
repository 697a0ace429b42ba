"""A ring of rows in a memfd: one process writes, others read along, and nobody waits for anybody.

    row 0: rows ever written, ... │ rows 1..: the rows, oldest overwritten

The row is written before the count, so what the count covers is whole; a reader that is slower than a whole ring sees
from the count how much it lost, and never mistakes a half-overwritten row.
"""

import numpy as np
import numpy.typing as npt

from testbed.linux.memory import memfd

Rows = npt.NDArray[np.uint64]

CAPACITY = 1 << 20
_MARGIN = 16
"""Rows nearest to being overwritten that a reader does not trust."""
COLUMNS = 4
START, END, NUMBER, DETAIL = range(COLUMNS)
"""Of the logs of services and clients; the first two in ns of CLOCK_MONOTONIC."""


def size(columns: int = COLUMNS, capacity: int = CAPACITY) -> int:
    """Bytes of such a ring. Memory is only taken for rows that were written."""
    return 8 * columns * (capacity + 1)


class RingWriter:
    """The end that writes: makes the memfd, or goes on in one that it was given."""

    def __init__(self, columns: int = COLUMNS, capacity: int = CAPACITY, fd: int | None = None) -> None:
        self.fd = memfd.create("log", size(columns, capacity)) if fd is None else fd
        self._capacity = capacity
        self._words: Rows = np.frombuffer(memfd.map_shared(self.fd, size(columns, capacity)), np.uint64)
        self._words = self._words.reshape(-1, columns)
        self._count = int(self._words[0, 0])

    def append(self, *row: int) -> None:
        """One row: as many numbers as there are columns, 0 to 2**64 - 1."""
        self._words[1 + self._count % self._capacity] = row
        self._count += 1
        self._words[0, 0] = self._count


class RingReader:
    """The other end, in any process that has the descriptor. Also a ring whose writer has ended."""

    def __init__(self, fd: int, columns: int = COLUMNS, capacity: int = CAPACITY) -> None:
        """Maps it; the descriptor may be closed afterwards."""
        mapped = memfd.map_shared(fd, size(columns, capacity), writable=False)
        self._words: Rows = np.frombuffer(mapped, np.uint64).reshape(-1, columns)
        self._capacity = capacity
        self._read = 0
        self.lost = 0

    def read(self) -> Rows:
        """The rows since the last call, shape (n, columns). ``lost`` counts what was overwritten before it was read."""
        count = int(self._words[0, 0])
        if count == self._read:
            return self._words[:0]
        first = max(self._read, count - self._capacity + _MARGIN)
        begin, end = first % self._capacity, (count - 1) % self._capacity + 1
        if begin < end:
            rows = self._words[1 + begin : 1 + end].copy()
        else:
            rows = np.concatenate([self._words[1 + begin :], self._words[1 : 1 + end]])
        overwritten = max(0, int(self._words[0, 0]) - self._capacity + _MARGIN - first) if len(rows) else 0
        overwritten = min(overwritten, len(rows))
        self.lost += first - self._read + overwritten
        self._read = count
        return rows[overwritten:]

"""The logs of services and clients, followed while they are written: samples on the way, all of the rows at the end."""

import numpy as np

from guest_agent.ring import COLUMNS, RingReader, Rows
from testbed.metrics.source import Row

NS = 1e9


class LogFollower:
    """One ring. A ``Source`` of the sampler: rows ``service`` or ``client``; what was read is kept.

    ``sample`` is called by one thread, ``rows`` after that thread has ended.
    """

    def __init__(self, fd: int, kind: str, **labels: str) -> None:
        self._reader, self._kind, self._labels = RingReader(fd), kind, labels
        self._parts: list[Rows] = []
        self._count = 0

    @property
    def lost(self) -> int:
        """Rows that were overwritten before they were read."""
        return self._reader.lost

    def sample(self) -> list[Row]:
        """Operations so far and the worst latency since the last sample, if any was completed."""
        new = self._reader.read()
        if not len(new):
            return []
        self._parts.append(new)
        self._count += len(new)
        worst = max(0, int((new[:, 1] - new[:, 0]).view(np.int64).max())) / NS  # a clock may have been set back
        return [{"kind": self._kind, **self._labels, "operations": self._count, "latency_s": worst}]

    def close(self) -> None:
        """Nothing is held but memory, and that is the evidence."""

    def rows(self) -> Rows:
        """All rows, shape (n, 4)."""
        self.sample()
        return np.concatenate(self._parts) if self._parts else np.empty((0, COLUMNS), np.uint64)

"""The logs of services and clients, followed while they are written: samples on the way, all of the rows at the end."""

import numpy as np

from guest_agent.ring import COLUMNS, RingReader, Rows
from testbed.metrics.source import Row

NS = 1e9
CLIENT = "client"


class LogFollower:
    """One ring. A ``Source`` of the sampler: rows ``service`` or ``client``; what was read is kept.

    ``sample`` is called by one thread, ``rows`` after that thread has ended.
    """

    def __init__(self, fd: int, kind: str, **labels: str) -> None:
        self._reader, self._kind, self._labels = RingReader(fd), kind, labels
        self._parts: list[Rows] = []
        self.count = 0
        """Operations so far."""
        self._worst_s: float | None = None

    @property
    def name(self) -> str:
        """The service's; empty for the probe's."""
        return self._labels.get("name", "")

    @property
    def is_client(self) -> bool:
        """Whether it is a client's, not the guest's own."""
        return self._labels.get("host") == CLIENT

    def take_worst_s(self) -> float | None:
        """The worst latency since this was asked last; None if nothing was completed."""
        worst, self._worst_s = self._worst_s, None
        return worst

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
        self.count += len(new)
        worst = max(0, int((new[:, 1] - new[:, 0]).view(np.int64).max())) / NS  # a clock may have been set back
        self._worst_s = max(worst, self._worst_s or 0.0)
        return [{"kind": self._kind, **self._labels, "operations": self.count, "latency_s": worst}]

    def close(self) -> None:
        """Nothing is held but memory, and that is the evidence."""

    def rows(self) -> Rows:
        """All rows, shape (n, 4)."""
        self.sample()
        return np.concatenate(self._parts) if self._parts else np.empty((0, COLUMNS), np.uint64)

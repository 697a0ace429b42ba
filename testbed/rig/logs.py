"""The logs of guests, services and clients, followed while they are written: samples on the way, all at the end."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from guest_agent.ring import COLUMNS, RingReader, Rows
from testbed.findings.guest_log import Counts, Times
from testbed.metrics.source import Row

NS = 1e9
CLIENT = "client"
"""The host of the guest's clients."""


class LogFollower:
    """One ring. A ``Source`` of the sampler: rows ``service`` or ``client``; what was read is kept.

    ``sample`` is called by one thread, ``rows`` after that thread has ended.
    """

    def __init__(self, fd: int, kind: str, **labels: str) -> None:
        self._reader, self._kind, self._labels = RingReader(fd), kind, labels
        self._parts: list[Rows] = []
        self.count = 0
        """Operations so far."""
        self._silence_s: float | None = None
        self._last = 0

    @property
    def name(self) -> str:
        """The service's; empty for the probe's."""
        return self._labels.get("name", "")

    @property
    def is_client(self) -> bool:
        """Whether it is a client's, not the guest's own."""
        return self._labels.get("host") == CLIENT

    def take_silence_s(self) -> float | None:
        """The longest time between two completions that ended since this was asked last; None if none did."""
        longest, self._silence_s = self._silence_s, None
        return longest

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
        self._listen(new[:, 1])
        return [{"kind": self._kind, **self._labels, "operations": self.count, "latency_s": worst}]

    def _listen(self, ends: npt.NDArray[np.uint64]) -> None:
        """How long nothing had ended before each of these."""
        at = np.sort(ends.astype(np.int64))
        longest = int(np.diff(at, prepend=self._last or at[0]).max()) / NS
        self._last, self._silence_s = int(at[-1]), max(longest, self._silence_s or 0.0)

    def close(self) -> None:
        """Nothing is held but memory, and that is the evidence."""

    def rows(self) -> Rows:
        """All rows, shape (n, 4)."""
        self.sample()
        return np.concatenate(self._parts) if self._parts else np.empty((0, COLUMNS), np.uint64)


class JournalFollower:
    """A guest's own log, taken in while it is written: its ring has room for minutes, and a migration may take longer.

    ``read`` gives what is new. A ``Source`` without rows; ``sample`` is called by one thread, ``entries`` after that
    thread has ended.
    """

    def __init__(self, read: Callable[[], tuple[Times, Counts]]) -> None:
        self._read, self._parts = read, list[tuple[Times, Counts]]()

    def sample(self) -> list[Row]:
        """No rows: how far the guest is has rows of its own."""
        if len((new := self._read())[0]):
            self._parts.append(new)
        return []

    def close(self) -> None:
        """Nothing is held but memory, and that is the evidence."""

    def entries(self) -> list[tuple[Times, Counts]]:
        """All of it, in parts."""
        self.sample()
        return self._parts

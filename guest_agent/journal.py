"""The guest's own log of when its operations were completed: a ring in a memfd, apart from RAM, read from outside.

    row 0: records ever written, stolen_ns │ rows 1..: (t_ns, operations), (t_ns, operations), ...  oldest overwritten

One record a batch. The record is written before the counter, so what the counter covers is whole; a reader that is
slower than a whole ring sees from the counter how much it lost, and never mistakes a half-overwritten record.
"""

import numpy as np
import numpy.typing as npt

from testbed.linux import memfd

Records = npt.NDArray[np.uint64]

CAPACITY = 1 << 18
"""Records: 4 MiB; four minutes at one record a millisecond."""
_BYTES = 16 * (CAPACITY + 1)
_MARGIN = 16
"""Records nearest to being overwritten that a reader does not trust."""


class JournalWriter:
    """The guest's end."""

    def __init__(self) -> None:
        self.fd = memfd.create("guest-journal", _BYTES)
        self._words: Records = np.frombuffer(memfd.map_shared(self.fd, _BYTES), np.uint64).reshape(-1, 2)
        self._count = 0

    @property
    def stolen_s(self) -> float:
        """How long this guest was stopped from outside so far, by the word of whoever did it (``StealClock``)."""
        return int(self._words[0, 1]) / 1e9

    def record(self, t_ns: int, operations: int) -> None:
        """At ``t_ns`` of CLOCK_MONOTONIC, ``operations`` were completed."""
        self._words[1 + self._count % CAPACITY] = (t_ns, operations)
        self._count += 1
        self._words[0, 0] = self._count


class StealClock:
    """Tells a guest how long it stood still, as a hypervisor's steal time does: work that was due in that time is not
    made up for. Held by whoever stops and resumes it.
    """

    def __init__(self, fd: int) -> None:
        """Maps the journal; the descriptor may be closed afterwards."""
        self._words: Records = np.frombuffer(memfd.map_shared(fd, _BYTES), np.uint64).reshape(-1, 2)

    def add(self, seconds: float) -> None:
        """It stood still so much longer. To be said before it is resumed."""
        self._words[0, 1] += np.uint64(round(seconds * 1e9))


class JournalReader:
    """The other end, in any process that has the descriptor. Also a guest's journal after its end."""

    def __init__(self, fd: int) -> None:
        """Maps the journal; the descriptor may be closed afterwards."""
        self._words: Records = np.frombuffer(memfd.map_shared(fd, _BYTES, writable=False), np.uint64).reshape(-1, 2)
        self._read = 0
        self.lost = 0

    def read(self) -> Records:
        """The records since the last call, shape (n, 2): ns, operations. ``lost`` counts what was overwritten."""
        count = int(self._words[0, 0])
        first = max(self._read, count - CAPACITY + _MARGIN)
        records = self._words[1 + np.arange(first, count) % CAPACITY]
        overwritten = max(0, int(self._words[0, 0]) - CAPACITY + _MARGIN - first) if len(records) else 0
        overwritten = min(overwritten, len(records))
        self.lost += first - self._read + overwritten
        self._read = count
        return records[overwritten:]

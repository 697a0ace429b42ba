"""The guest's own log of when its operations were completed, and the words that its host shares with it: a memfd.

    row 0: records ever written, stolen_ns, hold, busy │ rows 1..: (t_ns, operations), ...  oldest overwritten

One record a batch, in a ring (ring.py); the words beside its count are the steal clock's and the gate's (gate.py).
"""

from typing import TypeAlias

import numpy as np

from guest_agent.ring import RingReader, RingWriter, Rows, size
from testbed.linux.memory import memfd

Records: TypeAlias = Rows

CAPACITY = 1 << 18
"""Records: four minutes at one record a millisecond, and it is read four times a second."""
COLUMNS = 4
"""t_ns, operations; two more, since a row of the ring holds the words that are shared."""
STOLEN, HOLD, BUSY = 1, 2, 3
"""Where in row 0 each word is."""


def words(fd: int) -> Rows:
    """The shared words of a journal, shape (4,) of u64, writable; the descriptor may be closed afterwards."""
    mapped = memfd.map_shared(fd, size(COLUMNS, CAPACITY))
    return np.frombuffer(mapped, np.uint64, COLUMNS)


class JournalWriter:
    """The guest's end of its journal. ``fd`` is the memfd, ``words`` are those that its host shares."""

    def __init__(self) -> None:
        self._ring = RingWriter(COLUMNS, CAPACITY)
        self.fd = self._ring.fd
        self.words = words(self.fd)

    @property
    def stolen_s(self) -> float:
        """How long this guest was stopped from outside so far, by the word of whoever did it (``StealClock``)."""
        return int(self.words[STOLEN]) / 1e9

    def record(self, t_ns: int, operations: int) -> None:
        """At ``t_ns`` of CLOCK_MONOTONIC, ``operations`` were completed."""
        self._ring.append(t_ns, operations, 0, 0)


class StealClock:
    """Tells a guest how long it stood still, as a hypervisor's steal time does: work that was due in that time is not
    made up for. Held by whoever stops and resumes it.
    """

    def __init__(self, fd: int) -> None:
        """Maps the journal; the descriptor may be closed afterwards."""
        self._words = words(fd)

    def add(self, seconds: float) -> None:
        """The guest stood still so many seconds longer. To be said before it is resumed."""
        self._words[STOLEN] += np.uint64(round(seconds * 1e9))


class JournalReader:
    """The other end, in any process that has the descriptor. Also a guest's journal after its end."""

    def __init__(self, fd: int) -> None:
        """Maps the journal; the descriptor may be closed afterwards."""
        self._ring = RingReader(fd, COLUMNS, CAPACITY)

    @property
    def lost(self) -> int:
        """Records that were overwritten before they were read."""
        return self._ring.lost

    def read(self) -> Records:
        """The records since the last call, shape (n, 2): ns, operations."""
        return self._ring.read()[:, :2]

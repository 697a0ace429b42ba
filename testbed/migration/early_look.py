"""A round that a policy may end early: its batches in order, until a look finds little enough left.

cursor ──▶ ... end of memory, beginning of memory ... ──▶ cursor      where the last round was left, a round begins
"""

from collections.abc import Callable, Iterator
from time import monotonic

from testbed.core.extents import Extents
from testbed.core.rounds import EarlyLook


class Pass:
    """One round over ``pending``, from the address ``cursor`` on and round to it. Afterwards ``sent`` and ``unsent``
    are its two parts, and ``cursor`` is where the next one begins: 0 when it was sent whole.
    """

    def __init__(self, pending: Extents, cursor: int) -> None:
        before, after = pending.cut_at(cursor) if cursor else (Extents.none(), pending)
        self._pending, self._order, self.size = pending, (after, before), pending.size
        self._taken = 0

    def batches(
        self, max_bytes: int, max_extents: int, look: EarlyLook | None, buffered: Callable[[], int]
    ) -> Iterator[Extents]:
        """For one thread at a time. ``buffered``: bytes handed to TCP that have not arrived yet."""
        began = monotonic()
        due = None if look is None else began + look.every
        for part in self._order:
            for batch in part.batches(max_bytes, max_extents):
                now = monotonic()
                if look and due and now >= due:
                    due = now + look.every
                    bandwidth = max(0, self._taken - buffered()) / (now - began)
                    if look.is_due(self.size - self._taken, bandwidth):
                        return
                self._taken += batch.size
                yield batch

    @property
    def sent(self) -> Extents:
        """What was given out."""
        return self._pending if self._taken == self.size else self._parts(0)

    @property
    def unsent(self) -> Extents:
        """What was not given out."""
        return Extents.none() if self._taken == self.size else self._parts(1)

    @property
    def cursor(self) -> int:
        """The address that was to be sent next."""
        rest = [] if self._taken == self.size else [parts[1] for parts in self._cut() if len(parts[1])]
        return int(rest[0].table[0, 0]) if rest else 0

    def _parts(self, which: int) -> Extents:
        first, second = self._cut()
        return first[which].union(second[which])

    def _cut(self) -> tuple[tuple[Extents, Extents], tuple[Extents, Extents]]:
        """Both legs of the way round, each as what was given out of it and what was not."""
        first, second = self._order
        return first.cut(self._taken), second.cut(self._taken - first.size)

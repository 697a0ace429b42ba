"""The gate between the guest's services and its stun: a callback, as an instruction, is not stopped in the middle.

    host     hold ─> SIGSTOP ─> busy? ─ no ─> stunned
                        ^         └ yes ─> SIGCONT, wait until it is not ─┐
                        └─────────────────────────────────────────────────┘
    guest    busy = 1 ─> hold? ─ no ─> the callback, whole ─> busy = 0
                           └ yes ─> busy = 0, and no callback begins

A hypervisor does the same: it waits for a vCPU to leave the instruction that it is in, and drains the disk operations
in flight, before it calls a guest stopped. The guest's writes to memory need none of this: a batch of them may be cut
off anywhere (guest.py); only that none begins while the guest drains.
"""

import numpy as np

from guest_agent.journal import BUSY, HOLD, words
from guest_agent.ring import Rows


class Gate:
    """The guest's side. Not for two threads."""

    def __init__(self, shared: Rows) -> None:
        """``shared``: the words of the guest's journal."""
        self._words = shared
        self._inside = 0

    @property
    def held(self) -> bool:
        """Nothing new may begin."""
        return bool(self._words[HOLD])

    def enter(self) -> bool:
        """Whether a callback may begin now; if so ``leave`` has to follow."""
        self._add(1)
        if self.held:
            self._add(-1)
            return False
        return True

    def leave(self) -> None:
        """The callback that ``enter`` let begin has ended."""
        self._add(-1)

    def begin(self) -> None:
        """Something is in flight from here on, or finishes what was: a disk operation, its completion."""
        self._add(1)

    def end(self) -> None:
        """What ``begin`` announced is over."""
        self._add(-1)

    def _add(self, count: int) -> None:
        self._inside += count
        self._words[BUSY] = np.uint64(self._inside)


class GateKeeper:
    """The host's side: whoever stuns the guest."""

    def __init__(self, fd: int) -> None:
        """Maps the guest's journal; the descriptor may be closed afterwards."""
        self._words = words(fd)

    def hold(self) -> None:
        """No callback begins from here on; one that has begun goes on to its end."""
        self._words[HOLD] = 1

    def release(self) -> None:
        """Callbacks may begin again from here on."""
        self._words[HOLD] = 0

    @property
    def busy(self) -> bool:
        """Within a callback, or with an operation in flight. Certain only while the guest is stopped."""
        return bool(self._words[BUSY])

"""What a process says on a pipe, line by line, and never waited for longer than asked: a stuck one says nothing."""

import math
import os
from typing import IO

from testbed.linux.processes.waiting import SLICE_S, Patience, readable

MOST_LINE = 16 << 20
"""Bytes: of who never ends a line, no more is kept."""


class Lines:
    """The only reader of ``pipe``. A line of more than ``most`` bytes comes in pieces."""

    def __init__(self, pipe: IO[bytes], most: int = MOST_LINE) -> None:
        self._fd, self._most = pipe.fileno(), most
        self._came, self._searched = bytearray(), 0

    def next(self, timeout_s: float = math.inf, *, whole: bool = False) -> bytes | None:
        """The next line with its end, what is left when the pipe has ended (at last nothing), None when nothing came
        for that time. ``whole``: None as well when the line had not come whole in it, of who may mean to say it for
        ever.
        """
        patience = Patience(timeout_s)
        while not (size := self._size()):
            if timeout_s < math.inf and not (self._within(patience) if whole else readable([self._fd], timeout_s)):
                return None
            more = os.read(self._fd, 1 << 16)
            if not more:
                size = len(self._came)
                break
            self._came += more
        line, self._searched = bytes(self._came[:size]), 0
        del self._came[:size]
        return line

    def _within(self, patience: Patience) -> bool:
        while not patience.over():
            if readable([self._fd], SLICE_S):
                return True
        return False

    def _size(self) -> int:
        """Bytes of the line that has come whole, its end among them; 0: none has."""
        size = self._came.find(b"\n", self._searched, self._most) + 1
        self._searched = len(self._came)
        return size or (self._most if len(self._came) >= self._most else 0)

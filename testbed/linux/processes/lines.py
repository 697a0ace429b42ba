"""What a process says on a pipe, line by line, and never waited for longer than asked: a stuck one says nothing."""

import math
import os
from typing import IO

from testbed.linux.processes.waiting import readable


class Lines:
    """The only reader of ``pipe``."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._fd, self._came = pipe.fileno(), b""

    def next(self, timeout_s: float = math.inf) -> bytes | None:
        """The next line with its end, what is left when the pipe has ended (at last nothing), None when nothing came
        for that time.
        """
        while b"\n" not in self._came:
            if timeout_s < math.inf and not readable([self._fd], timeout_s):
                return None
            more = os.read(self._fd, 1 << 16)
            if not more:
                rest, self._came = self._came, b""
                return rest
            self._came += more
        line, end, self._came = self._came.partition(b"\n")
        return line + end

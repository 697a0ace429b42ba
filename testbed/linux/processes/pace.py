"""How much of its processors this machine has for us now, and how fast they are: tried, for a fifth of a second.

Four threads, as many as a migration has processes that work, have the kernel fill a MiB again and again. What
they get done in so much time of their own says how fast a processor is; how much time of their own they get says what
other programs, a quota or a hypervisor leave.
"""

import os
import threading
import time
from dataclasses import dataclass

REFERENCE_S = 20e-6
"""Processor time of one such fill on the machine that needs were measured on."""
SECONDS = 0.2
THREADS = 4
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``had``: processors that we had at once, of ``allowed``; of more than four no more are tried. ``speed``: theirs,
    as a share of the speed that needs are told in.
    """

    allowed: int
    had: float
    speed: float

    @property
    def processors(self) -> float:
        """How many they are at the speed that needs are told in."""
        return self.had * self.speed


def pace(seconds: float = SECONDS) -> Pace:
    """What there is, tried for so long with all that can be had of four processors."""
    began, done = time.monotonic(), list[tuple[int, float]]()
    threads = [threading.Thread(target=_fill, args=(began + seconds, done)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = max(time.monotonic() - began, 1e-6)
    rounds, used_s = sum(each for each, _ in done), sum(each for _, each in done)
    allowed = len(os.sched_getaffinity(0))
    return Pace(
        allowed=allowed,
        had=min(float(allowed), used_s / took),
        speed=rounds * REFERENCE_S / used_s if used_s else 0.0,
    )


def _fill(until: float, done: list[tuple[int, float]]) -> None:
    """Fills made, and processor time that they took."""
    rounds, began, block = 0, time.thread_time(), bytearray(BLOCK)
    with open("/dev/zero", "rb", buffering=0) as zeros:
        while time.monotonic() < until:
            zeros.readinto(block)
            rounds += 1
    done.append((rounds, time.thread_time() - began))

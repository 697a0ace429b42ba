"""How much of its processors this machine has for us now, and how fast they are: tried, for a fifth of a second.

Four threads, as many as a migration has processes that work, take what is asked for as a run takes it: in bursts, and
asleep between them. What they do not get, others may have had, or nobody: a quota, a hypervisor. The kernel's count of
what processors did meanwhile tells which. What others have is shared with who needs it, and a run's processes, which
sleep more than they work, come first; what is held back nobody gets.

Work is a link's and a guest's in small: bytes through a socket, and lines that are interpreted. What it takes of
processor time says how fast a processor is now, with what others leave of its caches and its clock.
"""

import os
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from testbed.linux.control_groups import quota
from testbed.linux.processes.virtual import awake

REFERENCE_S = 52e-6
"""Processor time of one piece of work on the machine that needs were measured on."""
SECONDS = 0.2
THREADS = 4
BURST_S = 1e-3
"""Processor time that a thread takes at once."""
BLOCK, BLOCKS, LINES = 64 << 10, 4, 500
"""Of one piece of work: bytes at a time, how often, and lines interpreted."""
ENOUGH = 0.9
"""Share of what was asked for that counts as all of it: the last burst may not be over when time is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``had``: processors that we got when we ``asked`` for so many, of ``allowed``; ``others``: what others had of
    these meanwhile. ``quota``: how many our control groups let us have; None: all. ``speed``: a processor's, as a share
    of the speed that needs are told in.
    """

    allowed: int
    asked: float
    had: float
    speed: float
    others: float = 0.0
    quota: float | None = None

    @property
    def got(self) -> float:
        """How many processors we got, at the speed that needs are told in."""
        return self.had * self.speed

    @property
    def processors(self) -> float:
        """How many there are to be shared with others, at that speed."""
        there = min(self.had + self.others, self.allowed if self.quota is None else self.quota, self.allowed)
        return max(there, self.had) * self.speed

    @property
    def all_of_it(self) -> bool:
        """Whether we got what we asked for."""
        return self.had >= ENOUGH * self.asked

    @property
    def more(self) -> bool:
        """Whether there may be more than was asked for."""
        return self.all_of_it and self.asked < most(self.allowed)


def most(allowed: int) -> float:
    """As many processors as can be tried: of more than four no more are."""
    return float(min(allowed, THREADS))


def pace(asked: float, seconds: float = SECONDS) -> Pace:
    """What there is for who asks for so many processors, tried for so long."""
    processors = os.sched_getaffinity(0)
    asked = min(asked, most(len(processors)))
    worked_s = _worked_s(processors)
    began, done = time.monotonic(), list[tuple[int, float]]()
    period = BURST_S * THREADS / asked
    threads = [
        threading.Thread(target=_bursts, args=(began + period * each / THREADS, period, began + seconds, done))
        for each in range(THREADS)
    ]
    with awake():  # as in a run
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    took = max(time.monotonic() - began, seconds)
    pieces, used_s = sum(each for each, _ in done), sum(each for _, each in done)
    return Pace(
        allowed=len(processors),
        asked=asked,
        had=min(asked, used_s / took),
        speed=pieces * REFERENCE_S / used_s if used_s else 0.0,
        others=max(0.0, _worked_s(processors) - worked_s - used_s) / took,
        quota=quota(),
    )


def _worked_s(processors: set[int]) -> float:
    """Seconds that these have worked since the machine began, for whomever: user, nice, system, irq, softirq of
    /proc/stat. Not counted are idle, iowait, and steal, which a hypervisor holds back.
    """
    ticks = 0
    for line in Path("/proc/stat").read_text("ascii").splitlines():
        name, *counts = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in processors:
            ticks += sum(map(int, (*counts[0:3], *counts[5:7])))
    return ticks / os.sysconf("SC_CLK_TCK")


def _bursts(due: float, period: float, until: float, done: list[tuple[int, float]]) -> None:
    """Pieces of work that were done, and processor time that they took. A burst that comes late is not left out."""
    pieces, used = 0, 0.0
    with ExitStack() as stack:
        there, here = map(stack.enter_context, socket.socketpair())
        block = bytearray(BLOCK)
        while (now := time.monotonic()) < until:
            if due > now:
                time.sleep(min(due, until) - now)
                continue
            began = time.thread_time()
            while (took := time.thread_time() - began) < BURST_S:
                _work(there, here, block)
                pieces += 1
            used += took
            due += period
    done.append((pieces, used))


def _work(there: socket.socket, here: socket.socket, block: bytearray) -> int:
    for _ in range(BLOCKS):
        there.sendall(block)
        left = memoryview(block)
        while left:
            left = left[here.recv_into(left) :]
    lines = 0
    for each in range(LINES):
        lines += each & 7
    return lines

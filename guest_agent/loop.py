"""The guest's main wait: sockets, timers and ends of disk operations, between two batches of writes.

    always    control socket, parent, disk, probe        served whatever happens
    gated     sockets and timers of services             only while the gate lets them

Two epolls and one select(2) over them, for select waits by the microsecond, and epoll carries thousands of sockets.
"""

import heapq
import itertools
import select
from collections.abc import Callable

from guest_agent.gate import Gate

Call = Callable[[], None]
HELD_S = 0.0005
"""How often a held guest looks whether it is let go."""
_TURN = 16
"""Callbacks of sockets in one turn at most: a batch of writes, the probe and the host wait no longer than for these."""


class GuestLoop:
    """``now`` is the guest's own time, in which its timers run."""

    def __init__(self, gate: Gate, now: Callable[[], float]) -> None:
        self.gate, self.now = gate, now
        self._always, self._gated = select.epoll(), select.epoll()
        self._calls: dict[int, Call] = {}
        self._timers: list[tuple[float, int, Call]] = []
        self._order = itertools.count()

    def serve(self, fd: int, call: Call) -> None:
        """Call whenever ``fd`` can be read, held or not."""
        self._calls[fd] = call
        self._always.register(fd, select.EPOLLIN)

    def leave(self, fd: int) -> None:
        """Serves ``fd`` no longer; it must be one of ``serve``."""
        del self._calls[fd]
        self._always.unregister(fd)

    def watch(self, fd: int, call: Call) -> None:
        """Call whenever ``fd`` can be read (level-triggered), through the gate."""
        self._calls[fd] = call
        self._gated.register(fd, select.EPOLLIN)

    def unwatch(self, fd: int) -> None:
        """Watches ``fd`` no longer; harmless for one that is not watched."""
        if self._calls.pop(fd, None):
            self._gated.unregister(fd)

    def at(self, when: float, call: Call) -> None:
        """Call once, through the gate."""
        heapq.heappush(self._timers, (when, next(self._order), call))

    def turn(self, timeout: float | None) -> None:
        """Waits at most ``timeout`` seconds (None: until something happens), and serves what is ready."""
        held = self.gate.held
        ready, _, _ = select.select(
            [self._always] if held else [self._always, self._gated], [], [], self._wait(timeout, held)
        )
        if self._always in ready:
            for fd, _ in self._always.poll(0):
                if call := self._calls.get(fd):
                    call()
        if self._gated in ready:
            for fd, _ in self._gated.poll(0, _TURN):
                if (call := self._calls.get(fd)) and not self._through(call):
                    return
        self._run_timers()

    def _wait(self, timeout: float | None, held: bool) -> float | None:
        if held:
            return HELD_S if timeout is None else min(timeout, HELD_S)
        if self._timers:
            until = max(0.0, self._timers[0][0] - self.now())
            return until if timeout is None else min(timeout, until)
        return timeout

    def _run_timers(self) -> None:
        """Those that are due now; what they set for now is for the next turn."""
        now, due = self.now(), []
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers))
        for index, timer in enumerate(due):
            if not self._through(timer[2]):
                for each in due[index:]:
                    heapq.heappush(self._timers, each)
                return

    def _through(self, call: Call) -> bool:
        if not self.gate.enter():
            return False
        try:
            call()
        finally:
            self.gate.leave()
        return True

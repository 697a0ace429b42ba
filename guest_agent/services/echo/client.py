"""Hundreds of connections that check every byte which comes back: content is a function of connection and offset.

content(c, o) = table[(c * stride + o) mod 1,000,003]      prime, so that no loss of whole requests or pages, and no
                                                           repetition of any, leaves the bytes as they were
"""

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from guest_agent.client.common import ClientConfig, Loop, register
from guest_agent.client.conversation import ClientFinished
from guest_agent.client.line import Line
from guest_agent.memory.hashing import mix, mix_one
from guest_agent.memory.pacing import Pacer
from guest_agent.services.echo.service import Echo

_PERIOD = 1_000_003
_STRIDE = 7919
_AT_ONCE = 1 << 16
_TICK = 0.001


class Content:
    """The bytes of all connections."""

    def __init__(self, seed: int, most: int) -> None:
        """``most``: bytes that are asked for at once."""
        words = mix(np.arange(_PERIOD // 8 + 1, dtype=np.uint64), mix_one(seed))
        table = words.tobytes()[:_PERIOD]
        self._table = memoryview(table * (1 + -(-most // _PERIOD)))

    def of(self, connection: int, offset: int, length: int) -> memoryview:
        """``length`` bytes from ``offset`` on."""
        first = (connection * _STRIDE + offset) % _PERIOD
        return self._table[first : first + length]


@dataclass(slots=True, kw_only=True)
class EchoCounts:
    """Requests ``sent``, ``answered`` whole, and ``abandoned`` with a connection that broke; how often one was
    ``broken`` and bytes ``mismatched``.
    """

    sent: int = 0
    answered: int = 0
    abandoned: int = 0
    broken: int = 0
    mismatched: int = 0


@register("echo")
class Connections:
    """The ``Client``. Requests are handed round: one is due every ``interval`` / ``connections``."""

    def __init__(self, config: ClientConfig, loop: Loop) -> None:
        """Connecting begins with the loop. Raises ``ScenarioError`` for another service."""
        service, port = config.talks_to(Echo)
        self.service, self.log, self.counted, self.stopping = service, config.log(), EchoCounts(), False
        self.content = Content(config.seed, max(_AT_ONCE, service.window * service.size))
        self._loop, self._turn = loop, 0
        self._all = [_Connection(self, number, config.address, port, loop) for number in range(service.connections)]
        self._pacer: Pacer | None = None
        if service.interval:
            rate = service.connections / service.interval
            self._pacer = Pacer(lambda _: (rate, None), batch_s=_TICK)
            self._pacer.start(time.monotonic(), 0)
            loop.after(0.0, self._tick)

    @property
    def ready(self) -> bool:
        """Whether every connection is, or was, there."""
        return all(connection.line.is_open or connection.line.reconnects for connection in self._all)

    @property
    def idle(self) -> bool:
        """Whether every request is answered."""
        return not any(connection.waiting for connection in self._all)

    def stop(self) -> None:
        """Ask nothing new; answers are still awaited."""
        self.stopping = True

    def counts(self) -> ClientFinished:
        """What it says at its end."""
        counted = self.counted
        return ClientFinished(
            sent=counted.sent, answered=counted.answered, errors=counted.mismatched,
            broken=counted.broken, abandoned=counted.abandoned, mismatched=counted.mismatched,
            reconnects=sum(connection.line.reconnects for connection in self._all),
        )  # fmt: skip

    def _tick(self) -> None:
        if self.stopping or self._pacer is None:
            return
        for _ in range(self._pacer.due(time.monotonic(), self._turn)):
            self._all[self._turn % len(self._all)].ask()
            self._turn += 1
        self._loop.after(self._pacer.wait(time.monotonic(), self._turn), self._tick)


class _Connection:
    __slots__ = ("_answered", "_asked", "_number", "_of", "_requests", "_sent", "line", "waiting")

    def __init__(self, of: Connections, number: int, address: str, port: int, loop: Loop) -> None:
        self._of, self._number, self._requests = of, number, 0
        self._asked = self._sent = self._answered = 0
        self.waiting: deque[int] = deque()
        self.line = Line(loop, address, port, self)

    def ask(self) -> None:
        """One request more, if there is room in the window."""
        if len(self.waiting) >= self._of.service.window or not self.line.is_open:
            return
        self.waiting.append(time.monotonic_ns())
        self._of.counted.sent += 1
        self._asked += self._of.service.size
        self.writable()

    def opened(self) -> None:
        """A new stream, from offset 0."""
        self._asked = self._sent = self._answered = 0
        self._fill()

    def writable(self) -> None:
        """What was asked and not yet sent."""
        if self._sent < self._asked:
            self._sent += self.line.send(self._of.content.of(self._number, self._sent, self._asked - self._sent))

    def readable(self) -> None:
        """Holds what came against what was sent, and counts the requests that it completes."""
        came = self.line.receive(_AT_ONCE)
        if not came:
            return
        if (
            self._of.content.of(self._number, self._answered, len(came)) != came
            or self._answered + len(came) > self._sent
        ):
            self._of.counted.mismatched += 1
        self._answered += len(came)
        self._complete(time.monotonic_ns())
        self._fill()

    def broken(self) -> None:
        """What was unanswered stays so: bytes of a stream that has ended."""
        self._of.counted.broken += 1
        self._of.counted.abandoned += len(self.waiting)
        self.waiting.clear()

    def _complete(self, now: int) -> None:
        size, counted = self._of.service.size, self._of.counted
        while self.waiting and self._asked - (len(self.waiting) - 1) * size <= self._answered:
            self._of.log.append(self.waiting.popleft(), now, self._number << 32 | self._requests, size)
            self._requests += 1
            counted.answered += 1

    def _fill(self) -> None:
        """Without an interval the window is always full."""
        if not self._of.service.interval and not self._of.stopping:
            for _ in range(self._of.service.window - len(self.waiting)):
                self.ask()

"""OLTP's sessions: each asks, waits for the reply, thinks, asks again; after a broken connection, the same again."""

import time
from dataclasses import dataclass

from guest_agent.client.common import ClientConfig, Loop, register
from guest_agent.client.conversation import ClientFinished
from guest_agent.client.line import Line
from guest_agent.ring import RingWriter
from guest_agent.services.oltp.service import Oltp
from guest_agent.services.oltp.transactions import FULL, REPLY_BYTES, Request, make_request, read_reply

_LOW = 0xFFFFFFFF


@dataclass(slots=True, kw_only=True)
class OltpCounts:
    """``sent`` counts requests once, however often they were repeated; ``errors`` requests that were refused."""

    sent: int = 0
    answered: int = 0
    errors: int = 0
    mismatched: int = 0
    broken: int = 0


@register("oltp")
class Sessions:
    """All sessions with the bank: the ``Client`` of ``oltp``."""

    def __init__(self, config: ClientConfig, loop: Loop) -> None:
        """Connecting begins with the loop. Raises ``ScenarioError`` for another service."""
        service, port = config.talks_to(Oltp)
        self.service, self.loop, self.seed, self.log = service, loop, config.seed, config.log()
        self.counted, self.stopping = OltpCounts(), False
        self._sessions = [_Session(self, number, config.address, port) for number in range(service.sessions)]

    @property
    def ready(self) -> bool:
        """Whether every session is, or was, connected."""
        return all(session.line.is_open or session.line.reconnects for session in self._sessions)

    @property
    def idle(self) -> bool:
        """Nobody waits for a reply."""
        return all(session.request is None for session in self._sessions)

    def stop(self) -> None:
        """Ask nothing new; replies are still awaited."""
        self.stopping = True

    def counts(self) -> ClientFinished:
        """What it says at its end."""
        counted = self.counted
        return ClientFinished(
            sent=counted.sent, answered=counted.answered, errors=counted.errors,
            mismatched=counted.mismatched, broken=counted.broken,
            abandoned=sum(session.is_cut_off for session in self._sessions),
            reconnects=sum(session.line.reconnects for session in self._sessions),
        )  # fmt: skip


class _Session:
    __slots__ = ("_all", "_came", "_full", "_log", "_number", "_sent_ns", "_sequence", "_sizes", "line", "request")

    def __init__(self, sessions: Sessions, number: int, address: str, port: int) -> None:
        service = sessions.service
        self._all, self._number, self._sequence, self._sent_ns = sessions, number, 0, 0
        self._sizes = service.accounts, service.tellers, service.branches
        self._came, self._full = b"", False
        self._log: RingWriter = sessions.log
        self.request: Request | None = None
        self.line = Line(sessions.loop, address, port, self)

    @property
    def is_cut_off(self) -> bool:
        """It waits for a reply, and has no connection on which to ask again: whether it was done nobody knows."""
        return self.request is not None and not self.line.is_open

    def opened(self) -> None:
        """Begins, or asks again what was not answered."""
        if self.request is None:
            self._ask()
        else:
            self.line.send(self.request.pack())

    def readable(self) -> None:
        """One reply at a time: nothing else was asked."""
        self._came += self.line.receive(REPLY_BYTES)
        if len(self._came) < REPLY_BYTES:
            return
        now, counted = time.monotonic_ns(), self._all.counted
        reply, self._came = read_reply(self._came), b""
        if reply is None or self.request is None or reply[:2] != self.request[:2]:
            counted.mismatched += 1
            self.line.fail()
            return
        self.request = None
        if reply.transaction == FULL:
            counted.errors += 1
            self._full = True
            return
        counted.answered += 1
        self._log.append(self._sent_ns, now, self._number << 32 | self._sequence & _LOW, reply.transaction)
        self._think()

    def writable(self) -> None:
        """A request is far shorter than any queue: a connection that takes half of one is given up."""
        self.line.fail()

    def broken(self) -> None:
        """Half a reply is none: the whole comes again."""
        self._came = b""
        self._all.counted.broken += 1

    def _think(self) -> None:
        think_time = self._all.service.think_time
        if think_time:
            self._all.loop.after(think_time, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if self._all.stopping or self._full or self.request is not None or not self.line.is_open:
            return
        self._sequence += 1
        self.request = make_request(self._all.seed, self._number, self._sequence, self._sizes)
        self._all.counted.sent += 1
        self._sent_ns = time.monotonic_ns()
        self.line.send(self.request.pack())

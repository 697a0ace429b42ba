"""Who is let in at a port of the destination: whoever shows the migration's id first; all others are strangers.

    listener ─ accept ─▶ waiting, MOST at a time, each until its deadline ─ first message ─▶ let in
                              └── other address, nonsense, another id, silence ──▶ turned away

A stranger costs nobody anything: all that wait are heard side by side, none is waited for, and what a stranger says is
no fault of the migration. The id is random, 16 bytes, and known to this migration's agents alone.
"""

import hmac
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from selectors import EVENT_READ, DefaultSelector, SelectorKey
from time import monotonic
from typing import Generic, TypeVar

from testbed.core.agents.patience import CONNECT_TIMEOUT_S
from testbed.core.errors import MigrationAborted, RemoteProtocolError, in_words
from testbed.linux.processes.waiting import SLICE_S, Patience
from testbed.migration.streams.sockets import close_at_once, tune
from testbed.wire.messages import HEADER, Hello, StreamHello, decode, header

First = TypeVar("First", bound=Hello | StreamHello)

MOST = 256
"""Connections that wait for their first message at a time; more wait in the kernel's queue."""
LEAST_S = 0.25
"""How long one has at least to say it, when others wait for its place."""
BACKLOG = 1024
"""Connections in the kernel's queue: in a flood of strangers the source's must not be refused."""
NAMED = 10
"""Strangers of whom the log tells each; of all others it tells the number."""


@dataclass(slots=True, kw_only=True)
class _Visitor:
    """A connection that has not said its first message whole. ``came`` by the admission's own time."""

    sock: socket.socket
    address: str
    came: float
    said: bytearray = field(default_factory=bytearray)


class Admission(Generic[First]):
    """One listener. ``first``: the message that has to come first on it; ``peer``: the only address to come from (None:
    any); ``log`` takes lines for people. A context manager, which closes the listener too. Not for two threads.
    """

    def __init__(
        self,
        listener: socket.socket,
        first: type[First],
        migration_id: bytes,
        *,
        peer: str | None = None,
        log: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._listener, self._id, self._peer, self._log = listener, migration_id, peer, log
        self._first: type[First] = first
        self._port = listener.getsockname()[1]
        self._waiting: dict[int, _Visitor] = {}
        self._ready = DefaultSelector()
        self._waited = Patience(float("inf"), monotonic)
        listener.setblocking(False)
        self._ready.register(listener, EVENT_READ)
        self.strangers = 0
        """Turned away so far."""

    def __enter__(self) -> "Admission[First]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def admit(self, timeout_s: float) -> tuple[socket.socket, bytes, First]:
        """The next that is no stranger: its connection (blocking, ``sockets.tune``), and its first message, as it came
        and read. Raises ``MigrationAborted`` when none came in time.
        """
        deadline = self._now() + timeout_s
        while (now := self._now()) < deadline:
            oldest = self._make_room(now)
            for key, _ in self._looked(max(0.0, min(deadline, oldest, now + SLICE_S) - now)):
                visitor = self._accept() if key.fileobj is self._listener else self._waiting.get(key.fd)
                if visitor is not None and (said := self._hear(visitor)) is not None:
                    tune(visitor.sock)
                    return visitor.sock, bytes(visitor.said), said
        raise MigrationAborted(f"no source came within {timeout_s:g} s{self._beside()}")

    def close(self) -> None:
        """Nobody comes any more. Harmless when done already."""
        for visitor in self._waiting.values():
            close_at_once(visitor.sock)
        self._waiting.clear()
        if self.strangers > NAMED:
            self._log(f"{self.strangers} strangers in all were turned away from port {self._port}")
        self._ready.close()
        self._listener.close()

    def _looked(self, seconds: float) -> list[tuple[SelectorKey, int]]:
        """Who came or said something within that time; twice, since a wait that a stop has ended says nothing of it."""
        return self._ready.select(seconds) or self._ready.select(0)

    def _now(self) -> float:
        """Seconds that were waited here: who was stopped meanwhile finds nobody late, and reads what came."""
        self._waited.over()
        return self._waited.waited_s

    def _make_room(self, now: float) -> float:
        """Turns away who was silent for too long, and the oldest one of all while there is no place: until when
        nobody else is.
        """
        for visitor in list(self._waiting.values()):
            if now - visitor.came < CONNECT_TIMEOUT_S:
                break
            self._turn_away(visitor, f"silent for {CONNECT_TIMEOUT_S:g} s")
        oldest = next(iter(self._waiting.values()), None)
        full = oldest is not None and len(self._waiting) >= MOST
        if full and oldest is not None and now - oldest.came >= LEAST_S:
            self._turn_away(oldest, "silent while others waited")
            full = False
        self._hear_new(not full)
        return oldest.came + (LEAST_S if full else CONNECT_TIMEOUT_S) if oldest else float("inf")

    def _hear_new(self, wanted: bool) -> None:
        registered = self._listener in self._ready.get_map()
        if wanted and not registered:
            self._ready.register(self._listener, EVENT_READ)
        if registered and not wanted:
            self._ready.unregister(self._listener)

    def _accept(self) -> _Visitor | None:
        try:
            sock, (address, _) = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # gone before it was accepted
            return None
        except OSError as fault:
            raise MigrationAborted(f"no source came: {in_words(fault)}") from fault
        sock.setblocking(False)
        visitor = self._waiting[sock.fileno()] = _Visitor(sock=sock, address=address, came=self._now())
        self._ready.register(sock, EVENT_READ)
        if self._peer is not None and address != self._peer:
            self._turn_away(visitor, f"it is not {self._peer}")
            return None
        return visitor

    def _hear(self, visitor: _Visitor) -> First | None:
        """What it said, once that is whole and right: it waits no longer then."""
        whole = HEADER.size + self._first.layout.size
        try:
            data = visitor.sock.recv(whole - len(visitor.said))
            visitor.said += data
            said = self._read(bytes(visitor.said), whole, ended=not data)
        except BlockingIOError:
            return None
        except (OSError, RemoteProtocolError) as fault:
            self._turn_away(visitor, str(fault))
            return None
        if said is not None:
            self._leave(visitor)
        return said

    def _read(self, said: bytes, whole: int, *, ended: bool) -> First | None:
        """Raises ``RemoteProtocolError`` as soon as it cannot be right any more."""
        if ended:
            raise RemoteProtocolError("it closed the connection")
        if len(said) < HEADER.size:
            return None
        kind, _ = header(said[: HEADER.size])
        if kind is not self._first.type:
            raise RemoteProtocolError(f"it said {kind.name} first")
        if len(said) < whole:
            return None
        message = decode(kind, said[HEADER.size :])
        if not isinstance(message, self._first) or not hmac.compare_digest(message.migration_id, self._id):
            raise RemoteProtocolError("it speaks of another migration")
        return message

    def _leave(self, visitor: _Visitor) -> None:
        self._ready.unregister(visitor.sock)
        del self._waiting[visitor.sock.fileno()]

    def _turn_away(self, visitor: _Visitor, why: str) -> None:
        self._leave(visitor)
        close_at_once(visitor.sock)
        self.strangers += 1
        if self.strangers <= NAMED:
            self._log(f"a stranger from {visitor.address} was turned away from port {self._port}: {why}")

    def _beside(self) -> str:
        return f"; turned away as strangers: {self.strangers}" if self.strangers else ""

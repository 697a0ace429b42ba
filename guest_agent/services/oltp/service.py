"""Transactions as in TPC-B over TCP: in RAM, behind a write-ahead log that is durable before anybody is told.

    requests ready together ──> one group: log written, O_DSYNC ──> tables ──> replies
    requests meanwhile      ──> stay in the kernel's queues until the group is done

So between two callbacks with nothing in flight on the disk, no request is half done: it is in a queue of the kernel's
or in the log, the tables and the session's last reply.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from guest_agent.listening import Listener, is_established
from guest_agent.services import MOST_CONNECTIONS, Machine, ServiceEvidence, check_counts, register
from guest_agent.services.oltp.evidence import check
from guest_agent.services.oltp.ledger import SEQUENCE, SESSION, Ledger, Sizes
from guest_agent.services.oltp.transactions import FULL, REQUEST_BYTES, Reply, Request, read_request
from testbed.core.records.verdict import Verdict
from testbed.core.units import PAGE_SIZE, Interval

_LOW = 0xFFFFFFFF


@register("oltp")
@dataclass(frozen=True, slots=True, kw_only=True)
class Oltp:
    """Rows of its tables, and ``sessions`` that each wait ``think_time`` between a reply and the next request. It does
    ``history`` transactions and refuses more.
    """

    port: ClassVar[int | None] = 5432
    accounts: int = 100_000
    tellers: int = 100
    branches: int = 10
    sessions: int = 8
    think_time: Interval = 0.0
    history: int = 200_000

    def __post_init__(self) -> None:
        rows = dict.fromkeys(("accounts", "tellers", "branches", "history"), 1 << 30)
        check_counts(self, {**rows, "sessions": MOST_CONNECTIONS})

    @property
    def sizes(self) -> Sizes:
        """Rows of each of its tables."""
        return Sizes(
            accounts=self.accounts, tellers=self.tellers, branches=self.branches,
            sessions=self.sessions, history=self.history,
        )  # fmt: skip

    @property
    def area_pages(self) -> int:
        """All tables, the history and a buffer."""
        return sum(self.sizes.tables)

    @property
    def disk_bytes(self) -> int:
        """Bytes of the write-ahead log."""
        return self.sizes.log_bytes

    @property
    def operation_bytes(self) -> int | None:
        """Says nothing about a transaction."""
        return None

    @property
    def clients(self) -> bool:
        """True: its sessions are on the client host."""
        return True

    def start(self, machine: Machine, seed: int, sockets: Sequence[socket.socket]) -> None:
        """Raises ``TestbedError`` where it cannot listen."""
        assert self.port is not None  # noqa: S101 - it is a constant
        Bank(self, machine, self.port, sockets)

    def verify(self, evidence: ServiceEvidence) -> Verdict:
        """Balances add up, the log replayed gives the tables, and what was acknowledged was done, once."""
        return check(Ledger(evidence.area[: self.area_pages * PAGE_SIZE], self.sizes), evidence)


class Bank:
    """The service at work."""

    def __init__(self, spec: Oltp, machine: Machine, port: int, moved: Sequence[socket.socket]) -> None:
        self._machine, self._ledger = machine, Ledger(machine.area[: spec.area_pages * PAGE_SIZE], spec.sizes)
        self._ready: dict[socket.socket, None] = {}
        self._held: list[socket.socket] = []
        self._called = self._committing = False
        self._listener = Listener(machine, port, self._readable, moved, REQUEST_BYTES)

    def _readable(self, connection: socket.socket) -> None:
        """Looks at nothing yet: what else is ready now belongs to the same group."""
        if self._committing:
            self._machine.unwatch(connection)
            self._held.append(connection)
            return
        self._ready[connection] = None
        self._call()

    def _call(self) -> None:
        if not self._called:
            self._called = True
            self._machine.at(self._machine.now(), self._commit)

    def _commit(self) -> None:
        """Begins a group with every request that is there; a session takes part once, or it would be done twice."""
        self._called, ready = False, list(self._ready)
        self._ready.clear()
        group: dict[int, tuple[socket.socket, Request]] = {}
        room = self._ledger.sizes.history - self._ledger.count
        for connection in ready:
            request = self._peek(connection)
            if request and request.session not in group and self._is_new(connection, request, room - len(group)):
                group[request.session] = connection, request
        if group:
            self._write(list(group.values()))

    def _peek(self, connection: socket.socket) -> Request | None:
        """The request that is there whole. Consumes nothing; closes what cannot be or has ended."""
        try:
            data = connection.recv(REQUEST_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if data and len(data) < REQUEST_BYTES and is_established(connection):  # the kernel was short of memory
            self._listener.pause(connection)
            return None
        request = read_request(data) if len(data) == REQUEST_BYTES else None
        if request is None or not self._ledger.can_be(request):
            self._listener.close(connection, reset=bool(data))
            return None
        return request

    def _is_new(self, connection: socket.socket, request: Request, room: int) -> bool:
        """Consumes it, and answers at once what was done before, or cannot be done for want of room."""
        connection.recv(REQUEST_BYTES)
        reply = self._ledger.answered(request)
        if reply is None and room < 1:
            self._ledger.refuse()
            reply = Reply(request.session, request.sequence, FULL, 0)
        if reply:
            self._tell(connection, reply)
        return reply is None

    def _write(self, group: list[tuple[socket.socket, Request]]) -> None:
        began, self._committing = time.monotonic_ns(), True
        records, offset, length = self._ledger.stage([request for _, request in group])
        connections = [connection for connection, _ in group]
        done = partial(self._durable, connections, records, began, length)
        self._machine.disk.write(offset, self._ledger.buffer_offset, length, done, sync=True)

    def _durable(
        self, connections: list[socket.socket], records: list[list[int]], began: int, length: int, result: int
    ) -> None:
        self._committing = False
        if result == length:
            for connection, reply in zip(connections, self._ledger.apply(records), strict=True):
                self._tell(connection, reply)
            ended = time.monotonic_ns()
            for record in records:
                self._machine.log.append(began, ended, record[0] - 1, record[SESSION] << 32 | record[SEQUENCE] & _LOW)
        else:  # who asked is told nothing, connects again and repeats it
            self._ledger.failed()
            for connection in connections:
                self._forget(connection)
        self._go_on()

    def _go_on(self) -> None:
        """What waited is ready now. Only a callback of its own may begin the next group: a stun may lie between."""
        for connection in self._held:
            if connection.fileno() >= 0:
                self._listener.watch(connection)
                self._ready[connection] = None
        self._held.clear()
        if self._ready:
            self._call()

    def _tell(self, connection: socket.socket, reply: Reply) -> None:
        """Replies are short and one at a time: a connection that does not take a whole one is of no use."""
        try:
            whole = connection.send(reply.pack()) == len(reply.pack())
        except OSError:
            whole = False
        if not whole:
            self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        if connection in self._held:
            self._held.remove(connection)
            connection.close()
        else:
            self._listener.close(connection, reset=True)

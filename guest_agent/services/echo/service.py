"""TCP echo (RFC 862): bytes in, the same bytes out. As simple as a service can be, and the example to copy.

    peek what came ──> send what the kernel takes ──> consume exactly that

So every byte is in one of the kernel's two queues between two callbacks, and a connection can move at any time.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from guest_agent.listening import Listener
from guest_agent.services import MOST_CONNECTIONS, Machine, ServiceEvidence, broken_findings, check_counts, register
from testbed.core.records.verdict import Verdict
from testbed.core.units import Interval

_METHOD = "every byte that came back was held against what was sent, by connection and offset"
_AT_ONCE = 1 << 16


@register("echo")
@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """``connections`` each ask for ``size`` bytes every ``interval``, as long as under ``window`` requests are
    unanswered; interval 0: as soon as one is answered.
    """

    port: ClassVar[int | None] = 7
    connections: int = 100
    size: int = 512
    window: int = 4
    interval: Interval = 0.1

    def __post_init__(self) -> None:
        check_counts(self, {"connections": MOST_CONNECTIONS, "size": 1 << 20, "window": 1024})

    @property
    def area_pages(self) -> int:
        """One, for its count."""
        return 1

    @property
    def disk_bytes(self) -> int:
        """No bytes: it has no part of the datastore."""
        return 0

    @property
    def operation_bytes(self) -> int | None:
        """The bytes of one request."""
        return self.size

    @property
    def clients(self) -> bool:
        """True: its connections come from the client host."""
        return True

    def start(self, machine: Machine, seed: int, sockets: Sequence[socket.socket]) -> None:
        """Raises ``TestbedError`` where it cannot listen."""
        assert self.port is not None  # noqa: S101 - it is a constant
        Echoing(machine, self.port, sockets)

    def verify(self, evidence: ServiceEvidence) -> Verdict:
        """By what the clients saw: every byte of every connection once, in order, as long as the connection lasted."""
        said = evidence.said
        if said is None:
            return Verdict(ok=False, method=_METHOD, operations=0, findings=("its clients said nothing at their end",))
        lost, operations = max(0, said.sent - said.answered - said.abandoned), said.answered
        findings = broken_findings(evidence)
        if said.mismatched:
            findings.append(f"{said.mismatched} times bytes came back other than sent")
        if lost:
            findings.append(f"{lost} requests were never answered")
        if not operations:
            findings.append("no request was answered at all")
        return Verdict(ok=not findings, method=_METHOD, operations=operations, lost=lost, findings=tuple(findings))


class Echoing:
    """The service at work. Its area holds the number of times that it echoed."""

    def __init__(self, machine: Machine, port: int, moved: Sequence[socket.socket]) -> None:
        self._log, self._scrap = machine.log, bytearray(_AT_ONCE)
        self._count = machine.area[:8].view(np.uint64)
        self._listener = Listener(machine, port, self._echo, moved)

    def _echo(self, connection: socket.socket) -> None:
        began = time.monotonic_ns()
        try:
            came, sent = self._pass_on(connection)
        except BlockingIOError:
            return
        except OSError:
            came = sent = 0
        if not came:
            self._listener.close(connection)
            return
        if sent < came:  # the other end does not read: its bytes can wait in the kernel's queue
            self._listener.pause(connection)
        number = int(self._count[0])
        self._count[0] = number + 1
        self._log.append(began, time.monotonic_ns(), number, sent)

    def _pass_on(self, connection: socket.socket) -> tuple[int, int]:
        """Bytes that were there, and bytes sent back and consumed."""
        came = connection.recv(_AT_ONCE, socket.MSG_PEEK)
        try:
            sent = connection.send(came) if came else 0
        except BlockingIOError:
            return len(came), 0
        if sent:
            connection.recv_into(self._scrap, sent, socket.MSG_TRUNC)  # consumes without copying (tcp(7))
        return len(came), sent

"""The other end of a guest's control socket, for whoever runs it: typed verbs, one reply each.

with GuestClient.connect(path) as guest:
    guest.run()
    print(guest.status().operations)
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import TracebackType

from guest_agent.messages import (
    MAX_FDS,
    MAX_LINE,
    Acknowledged,
    ControlRequest,
    FirstStep,
    Logs,
    Ports,
    R,
    Refused,
    Status,
    read_reply,
    request_line,
)
from testbed.core.errors import TestbedError
from testbed.core.text.printable import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMemory(Ports):
    """Where the guest's memory is. The descriptors belong to whoever asked."""

    ram_fd: int
    journal_fd: int


class GuestClient:
    """One connection to one guest. Every verb raises ``TestbedError``: refused, not answered in time, or gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._buffer = connection, b""

    @classmethod
    def connect(cls, path: str, timeout: float = 10.0) -> "GuestClient":
        """Connects; ``timeout`` seconds hold for every reply."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(path)
        except OSError as error:
            connection.close()
            raise TestbedError(f"no guest answers at {path}: {error}") from error
        return cls(connection)

    def ports(self) -> GuestMemory:
        """Who it is and where its RAM is."""
        ports, (ram_fd, journal_fd) = self._ask(ControlRequest(do="ports"), Ports, 2)
        return GuestMemory(**asdict(ports), ram_fd=ram_fd, journal_fd=journal_fd)

    def userfaultfd(self) -> int:
        """A new userfaultfd of the guest's address space, on which nothing was done yet."""
        return self._ask(ControlRequest(do="userfaultfd"), Acknowledged, 1)[1][0]

    def logs(self) -> dict[str, int]:
        """The descriptors of its services' logs by name (ring.py); they belong to whoever asked."""
        logs, fds = self._ask(ControlRequest(do="logs"), Logs, None)
        if len(logs.services) != len(fds):
            _close(fds)
            raise TestbedError(f"the guest gave {len(fds)} logs of {len(logs.services)} services")
        return dict(zip(logs.services, fds, strict=True))

    def adopt(self, ports: Sequence[int], fds: Sequence[int]) -> None:
        """Gives it sockets that moved here, any number, for its services once it runs; ``ports``: the guest's own port
        of each. They stay the caller's too.
        """
        for first in range(0, len(fds), MAX_FDS):
            part = slice(first, first + MAX_FDS)
            self._ask(ControlRequest(do="adopt", local_ports=tuple(ports[part])), Acknowledged, 0, fds[part])

    def run(self) -> FirstStep:
        """Sets it going: a source's guest from the beginning, a destination's from the state its RAM holds now."""
        return self._ask(ControlRequest(do="run"), FirstStep, 0)[0]

    def status(self) -> Status:
        """How far it is. Answered between two batches."""
        return self._ask(ControlRequest(do="status"), Status, 0)[0]

    def stop(self) -> None:
        """Asks the guest to end by itself. Raises ``TestbedError``, as every question does."""
        self._ask(ControlRequest(do="stop"), Acknowledged, 0)

    def close(self) -> None:
        """Ends the connection; the guest goes on."""
        self._connection.close()

    def __enter__(self) -> "GuestClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(
        self, request: ControlRequest, kind: type[R], fds: int | None, give: Sequence[int] = ()
    ) -> tuple[R, list[int]]:
        """``fds``: how many descriptors the reply brings; None: any number."""
        received: list[int] = []
        try:
            self._send(request_line(request), give)
            reply = read_reply(kind, self._line(received))
        except TimeoutError as error:
            self.close()  # a late reply must not be taken for the next one
            _close(received)
            raise TestbedError(f"the guest did not answer '{request.do}' in time; is it stopped?") from error
        except (OSError, ValueError) as error:
            _close(received)
            raise TestbedError(f"the guest ended before it answered '{request.do}': {error}") from error
        if not isinstance(reply, Refused) and (fds is None or len(received) == fds):
            return reply, received
        _close(received)
        why = printable(reply.error) if isinstance(reply, Refused) else "descriptors are missing"
        raise TestbedError(f"the guest refused '{request.do}': {why}")

    def _send(self, line: bytes, fds: Sequence[int]) -> None:
        sent = socket.send_fds(self._connection, [line], list(fds)) if fds else 0
        self._connection.sendall(line[sent:])

    def _line(self, received: list[int]) -> bytes:
        """One line; the descriptors that came with it go into ``received``. One request is open at a time, so no line
        follows.
        """
        while b"\n" not in self._buffer:
            data, fds, _, _ = socket.recv_fds(self._connection, MAX_LINE, MAX_FDS)
            received += fds
            if not data or len(self._buffer) > MAX_LINE:
                raise ConnectionError("connection closed")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)

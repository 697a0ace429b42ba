"""The other end of a guest's control socket, for whoever runs it: typed verbs, one reply each.

with GuestClient.connect(path) as guest:
    guest.run()
    print(guest.status().operations)
"""

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from testbed.core.errors import TestbedError
from testbed.core.text.printable import printable_texts

_MAX_LINE = 64 * 1024
_MAX_FDS = 250
"""Descriptors of one message: the kernel's limit is 253 (SCM_MAX_FD)."""
Moved = tuple[str, int, int]
"""A connection that moved: remote ip, remote port, local port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the guest's memory is. The descriptors belong to whoever asked. ``ram_address`` is in the guest."""

    pid: int
    ram_address: int
    ram_bytes: int
    ram_fd: int
    journal_fd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """The first operation after ``run``: when it was completed (CLOCK_MONOTONIC), and how many are done by then."""

    at: float
    operation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """``operations`` completed ever; ``shortfall`` operations that were due and never made up; ``busy_s`` CPU seconds
    in batches; ``at`` when this was said (CLOCK_MONOTONIC); ``first_step`` as in ``FirstStep``, 0 before it.
    """

    operations: int
    running: bool
    errors: int
    shortfall: float
    busy_s: float
    first_step: float
    at: float


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

    def ports(self) -> Ports:
        """Who it is and where its RAM is."""
        reply, (ram_fd, journal_fd) = self._ask("ports", 2)
        numbers = {key: int(reply[key]) for key in ("pid", "ram_address", "ram_bytes")}
        return Ports(**numbers, ram_fd=ram_fd, journal_fd=journal_fd)

    def userfaultfd(self) -> int:
        """A new userfaultfd of the guest's address space, on which nothing was done yet."""
        return self._ask("userfaultfd", 1)[1][0]

    def logs(self) -> dict[str, int]:
        """The descriptors of its services' logs by name (ring.py); they belong to whoever asked."""
        reply, fds = self._ask("logs", None)
        return dict(zip(reply["services"], fds, strict=True))

    def adopt(self, connections: Sequence[Moved], fds: Sequence[int]) -> None:
        """Gives it sockets that moved here, for its services once it runs; any number. They stay the caller's too."""
        for first in range(0, len(fds), _MAX_FDS):
            part = slice(first, first + _MAX_FDS)
            self._ask("adopt", 0, {"connections": [list(each) for each in connections[part]]}, fds[part])

    def run(self) -> FirstStep:
        """Sets it going: a source's guest from the beginning, a destination's from the state its RAM holds now."""
        reply, _ = self._ask("run", 0)
        return FirstStep(at=float(reply["first_step"]), operation=int(reply["operation"]))

    def status(self) -> Status:
        """How far it is. Answered between two batches."""
        reply, _ = self._ask("status", 0)
        return Status(**{key: reply[key] for key in Status.__dataclass_fields__})

    def stop(self) -> None:
        """Its orderly end."""
        self._ask("stop", 0)

    def close(self) -> None:
        """Ends the connection; the guest goes on."""
        self._connection.close()

    def __enter__(self) -> "GuestClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(
        self, verb: str, fds: int | None, more: dict[str, Any] | None = None, give: Sequence[int] = ()
    ) -> tuple[dict[str, Any], list[int]]:
        """``fds``: how many descriptors the reply brings; None: as many as it says."""
        try:
            self._send(json.dumps({"do": verb, **(more or {})}).encode() + b"\n", give)
            line, received = self._line()
            reply = json.loads(line, object_hook=printable_texts)
            if not isinstance(reply, dict):
                raise ValueError("its answer is no object")
        except TimeoutError as error:
            self.close()  # a late reply must not be taken for the next one
            raise TestbedError(f"the guest did not answer '{verb}' in time; is it stopped?") from error
        except (OSError, ValueError) as error:
            raise TestbedError(f"the guest ended before it answered '{verb}': {error}") from error
        if reply.get("ok") is True and (fds is None or len(received) == fds):
            return reply, received
        for fd in received:
            os.close(fd)
        raise TestbedError(f"the guest refused '{verb}': {reply.get('error', 'descriptors are missing')}")

    def _send(self, line: bytes, fds: Sequence[int]) -> None:
        sent = socket.send_fds(self._connection, [line], list(fds)) if fds else 0
        self._connection.sendall(line[sent:])

    def _line(self) -> tuple[bytes, list[int]]:
        """One line, and the descriptors that came with it. One request is open at a time, so no line follows."""
        received: list[int] = []
        while b"\n" not in self._buffer:
            data, fds, _, _ = socket.recv_fds(self._connection, _MAX_LINE, _MAX_FDS)
            received += fds
            if not data or len(self._buffer) > _MAX_LINE:
                raise ConnectionError("connection closed")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line, received

"""The guest's control socket, its own end: JSON lines, answered between batches by the guest's only thread.

request   {"do": "status"}\\n                one object a line, at most 64 KiB
reply     {"ok": true, ...}\\n  or  {"ok": false, "error": "..."}\\n      descriptors ride on the reply (SCM_RIGHTS)
"""

import json
import os
import select
import socket
import sys
from collections.abc import Callable
from typing import Any

from testbed.core.errors import ScenarioError, TestbedError

MAX_LINE = 64 * 1024

Reply = tuple[dict[str, Any], list[int]]
Answer = Callable[[str], Reply]


class ControlServer:
    """Serves any number of connections. ``answer(verb)`` gives the reply and descriptors to give away."""

    def __init__(self, path: str, answer: Answer) -> None:
        """Binds ``path``, mode 0600. Raises ``ScenarioError`` when it cannot be bound."""
        self._answer, self._path = answer, path
        self._clients: dict[int, tuple[socket.socket, bytearray]] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            self._listener.bind(path)
        except OSError as error:
            raise ScenarioError(f"the guest's socket cannot be made: {error}; choose another path", path) from error
        finally:
            os.umask(mask)
        self._listener.listen()
        self.parent_is_alive = True

    def serve(self, timeout: float | None) -> None:
        """Answers what comes within ``timeout`` seconds (None: until something comes); notices the parent's end."""
        waiting = [self._listener.fileno(), sys.stdin.fileno(), *self._clients]
        for fd in select.select(waiting, [], [], timeout)[0]:
            if fd == self._listener.fileno():
                self._accept()
            elif fd in self._clients:
                self._receive(fd)
            else:
                self.parent_is_alive = bool(os.read(fd, 4096))

    def close(self) -> None:
        """Closes all connections and removes the socket's file."""
        for client, _ in self._clients.values():
            client.close()
        self._listener.close()
        os.unlink(self._path)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setblocking(False)
        self._clients[client.fileno()] = client, bytearray()

    def _receive(self, fd: int) -> None:
        client, buffer = self._clients[fd]
        try:
            received = client.recv(MAX_LINE)
            buffer += received
            while b"\n" in buffer:
                line, _, rest = bytes(buffer).partition(b"\n")
                buffer[:] = rest
                self._reply(client, line)
        except OSError:
            received = b""  # it went away, or does not read its replies: its connection ends, the guest goes on
        if not received or len(buffer) > MAX_LINE:
            client.close()
            del self._clients[fd]

    def _reply(self, client: socket.socket, line: bytes) -> None:
        fds: list[int] = []
        try:
            body, fds = self._answer(_verb(line))
            reply = {"ok": True, **body}
        except (TestbedError, OSError) as error:
            reply = {"ok": False, "error": str(error)}
        try:
            socket.send_fds(client, [json.dumps(reply).encode() + b"\n"], fds)
        finally:
            for fd in fds:
                os.close(fd)  # they are the receiver's now


def _verb(line: bytes) -> str:
    try:
        request = json.loads(line)
    except ValueError:
        request = None
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        raise TestbedError('a request is one line such as {"do": "status"}')
    return str(request["do"])

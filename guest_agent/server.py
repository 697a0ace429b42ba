"""The guest's own end of its control socket: requests (messages.py), answered between batches by its only thread."""

import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from guest_agent.loop import GuestLoop
from guest_agent.messages import MAX_FDS, MAX_LINE, ControlRequest, Refused, Reply, read_request, reply_line
from testbed.core.errors import ScenarioError, TestbedError

Answer: TypeAlias = Callable[[ControlRequest, list[int]], tuple[Reply, list[int]]]
"""Of a request, and the descriptors that came with it; those that it leaves in the list are closed afterwards. Gives
the reply and descriptors to give away.
"""


class ControlServer:
    """Serves any number of connections. What a request is answered with, ``answer`` says."""

    def __init__(self, path: str, loop: GuestLoop, answer: Answer) -> None:
        """Binds ``path``, mode 0600. Raises ``ScenarioError`` when it cannot be bound."""
        self._answer, self._path, self._loop = answer, path, loop
        self._clients: dict[int, tuple[socket.socket, bytearray, list[int]]] = {}
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
        loop.serve(self._listener.fileno(), self._accept)
        self._follow_parent()

    def serve(self, timeout: float | None) -> None:
        """One turn of the loop: what comes within ``timeout`` seconds (None: until something comes)."""
        self._loop.turn(timeout)

    def close(self) -> None:
        """Closes all connections and removes the socket's file."""
        for client, _, fds in self._clients.values():
            client.close()
            _close(fds)
        self._listener.close()
        os.unlink(self._path)

    def _follow_parent(self) -> None:
        """Its end is the end of standard input. What is no pipe or socket says nothing of a parent."""
        with suppress(PermissionError):  # epoll has none of files and /dev/null: they can always be read
            self._loop.serve(sys.stdin.fileno(), self._read_parent)
            return
        self.parent_is_alive = bool(os.read(sys.stdin.fileno(), 4096))

    def _read_parent(self) -> None:
        self.parent_is_alive = bool(os.read(sys.stdin.fileno(), 4096))

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setblocking(False)
        self._clients[client.fileno()] = client, bytearray(), []
        self._loop.serve(client.fileno(), partial(self._receive, client.fileno()))

    def _receive(self, fd: int) -> None:
        client, buffer, fds = self._clients[fd]
        try:
            received, came, _, _ = socket.recv_fds(client, MAX_LINE, MAX_FDS)
            buffer += received
            fds += came
            while b"\n" in buffer:
                line, _, rest = bytes(buffer).partition(b"\n")
                buffer[:] = rest
                self._reply(client, line, fds)
        except OSError:
            received = b""  # it went away, or does not read its replies: its connection ends, the guest goes on
        if not received or len(buffer) > MAX_LINE:
            self._loop.leave(fd)
            client.close()
            _close(fds)
            del self._clients[fd]

    def _reply(self, client: socket.socket, line: bytes, came: list[int]) -> None:
        fds: list[int] = []
        reply: Reply | Refused
        try:
            reply, fds = self._answer(read_request(line), came)
        except (TestbedError, OSError) as error:
            reply = Refused(error=str(error))
        finally:
            _close(came)
        try:
            socket.send_fds(client, [reply_line(reply)], fds)
        finally:
            _close(fds)  # they are the receiver's now


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
    fds.clear()

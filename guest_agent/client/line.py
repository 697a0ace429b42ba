"""One TCP connection of a client, made again when it breaks."""

import errno
import select
import socket
from typing import Protocol

from guest_agent.client.common import Loop

_AGAIN_S = 0.02
"""Between a connection that broke, or could not be made, and the next attempt."""

OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
)
"""Keep-alives after a second: a request that a guest has received, and whose connection did not come along with it, is
never answered; the kernel at the destination says so to whoever asks.
"""


class Talker(Protocol):
    """Who has the line."""

    def opened(self) -> None:
        """A new connection is there."""
        ...

    def readable(self) -> None:
        """Something came, or the connection ended: ``Line.receive``."""
        ...

    def writable(self) -> None:
        """There is room again, after a ``Line.send`` that did not take all."""
        ...

    def broken(self) -> None:
        """The connection is lost, and another will be made."""
        ...


class Line:
    """``reconnects`` counts the connections made after the first one."""

    def __init__(self, loop: Loop, address: str, port: int, talker: Talker) -> None:
        self._loop, self._target, self._talker = loop, (address, port), talker
        self._socket: socket.socket | None = None
        self._made, self._opening = 0, False
        loop.after(0.0, self._open)

    @property
    def is_open(self) -> bool:
        """Connected, as far as is known."""
        return self._socket is not None and not self._opening

    @property
    def reconnects(self) -> int:
        """Connections after the first one."""
        return max(0, self._made - 1)

    def send(self, data: bytes | memoryview) -> int:
        """Bytes that were taken; if that is not all, ``writable`` is called when there is room."""
        if self._socket is None or self._opening:
            return 0
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.fail()
            return 0
        if sent < len(data):
            self._loop.change(self._socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
        return sent

    def receive(self, most: int) -> bytes:
        """What came; empty where nothing did or the connection broke (then ``broken`` was called)."""
        if self._socket is None:
            return b""
        try:
            data = self._socket.recv(most)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.fail()
        return data

    def fail(self) -> None:
        """Gives this connection up, and makes another."""
        was_open = self.is_open
        self._close()
        self._loop.after(_AGAIN_S, self._open)
        if was_open:
            self._talker.broken()

    def _open(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        for level, name, value in OPTIONS:
            self._socket.setsockopt(level, name, value)
        self._opening = True
        if self._socket.connect_ex(self._target) not in (0, errno.EINPROGRESS):
            self.fail()
            return
        self._loop.watch(self._socket.fileno(), self._happened, select.EPOLLOUT)

    def _happened(self, events: int) -> None:
        if self._opening:
            self._opened()
            return
        if events & select.EPOLLOUT and self._socket:
            self._loop.change(self._socket.fileno(), select.EPOLLIN)
            self._talker.writable()
        if events & ~select.EPOLLOUT:
            self._talker.readable()

    def _opened(self) -> None:
        assert self._socket is not None  # noqa: S101 - it is watched
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.fail()
            return
        self._opening = False
        self._made += 1
        self._loop.change(self._socket.fileno(), select.EPOLLIN)
        self._talker.opened()

    def _close(self) -> None:
        if self._socket is not None:
            self._loop.unwatch(self._socket.fileno())
            self._socket.close()
        self._socket, self._opening = None, False

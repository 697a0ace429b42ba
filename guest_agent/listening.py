"""A service's end of its TCP connections: accepts new ones, takes in those that moved, closes those that ended.

What a connection was told by ``setsockopt`` does not move with it, so a connection that moved is prepared as a new one.
"""

import socket
import struct
from collections.abc import Callable, Sequence
from functools import partial

from guest_agent.services import Machine
from testbed.core.errors import TestbedError

_BACKLOG = 1024
_ESTABLISHED = 1
"""First byte of ``struct tcp_info`` (linux/tcp.h): the state."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Listener:
    """Calls ``readable(connection)`` whenever at least ``low_water`` bytes can be read, or the connection has ended."""

    def __init__(
        self, machine: Machine, port: int, readable: Callable[[socket.socket], None],
        moved: Sequence[socket.socket] = (), low_water: int = 1,
    ) -> None:  # fmt: skip
        """Raises ``TestbedError`` where the address cannot be listened on."""
        self._machine, self._readable, self._low_water = machine, readable, low_water
        for connection in moved:  # before the listener: without their SO_REUSEADDR it could not have the port
            self._take(connection)
        self.socket = _listen(machine.address, port)
        machine.watch(self.socket, self._accept)

    def watch(self, connection: socket.socket) -> None:
        """Looks at a connection again, after ``machine.unwatch``."""
        self._machine.watch(connection, partial(self._readable, connection))

    def pause(self, connection: socket.socket, seconds: float = 0.001) -> None:
        """Looks at it again after that time: what can be read is of no use yet."""
        self._machine.unwatch(connection)
        self._machine.at(self._machine.now() + seconds, partial(self.watch, connection))

    def close(self, connection: socket.socket, *, reset: bool = False) -> None:
        """A watched one. ``reset``: its other end is to know at once that something went wrong."""
        self._machine.unwatch(connection)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except BlockingIOError:
                return
            except ConnectionError:  # gone before it was accepted
                continue
            self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, self._low_water)
        self.watch(connection)


def is_established(connection: socket.socket) -> bool:
    """Neither end has closed it."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED


def _listen(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise TestbedError(f"the guest cannot listen on {address or 'any address'} port {port}: {error}") from error
    return listening

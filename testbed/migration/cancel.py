"""A user's cancel, as something that one can both ask and wait for."""

import os
import socket
from collections.abc import Callable

from testbed.core.errors import MigrationAborted, RemoteProtocolError
from testbed.linux.processes.waiting import readable, writable


class MigrationCancelled(MigrationAborted):
    """The user said cancel before commit."""


class Cancel:
    """Set once, from any thread. ``seal`` makes it too late: after commit nothing can be cancelled."""

    def __init__(self) -> None:
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._asked = False
        self._sealed = False

    def ask(self) -> None:
        """The user said cancel."""
        self._asked = True
        os.eventfd_write(self._event, 1)

    def seal(self) -> None:
        """From here on cancel is heard no more. Raises ``MigrationCancelled`` if it was asked before."""
        self.check()
        self._sealed = True

    def check(self) -> None:
        """Raises ``MigrationCancelled`` if it was asked in time."""
        if self._asked and not self._sealed:
            raise MigrationCancelled("cancelled by the user")

    def wait_readable(
        self, sock: socket.socket, timeout_s: float, progress: Callable[[], object] | None = None
    ) -> None:
        """Returns when the socket has something. Raises ``MigrationCancelled``, or ``RemoteProtocolError`` when nothing
        came for that time; which begins anew as long as ``progress``, whatever it is, changes.
        """
        ready = readable([sock, *self._watched], timeout_s, progress)
        self.check()
        if not ready:
            raise RemoteProtocolError(f"the peer did not answer within {timeout_s:g} s")

    def wait_connected(self, sock: socket.socket, timeout_s: float) -> None:
        """Returns when a connection that was begun is made. Raises ``MigrationCancelled``, ``OSError``, and
        ``TimeoutError`` after that time.
        """
        ready, _ = writable([sock], self._watched, timeout_s)
        self.check()
        if not ready:
            raise TimeoutError("timed out")
        if fault := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(fault, os.strerror(fault))

    @property
    def _watched(self) -> list[int]:
        return [] if self._sealed else [self._event]

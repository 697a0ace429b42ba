"""A user's cancel, as something that one can both ask and wait for."""

import os
import select
import socket

from testbed.core.errors import MigrationAborted, RemoteProtocolError


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

    def wait_readable(self, sock: socket.socket, timeout_s: float) -> None:
        """Returns when the socket has something. Raises ``MigrationCancelled``, or ``RemoteProtocolError`` at the end
        of the time.
        """
        watched: list[socket.socket | int] = [sock] if self._sealed else [sock, self._event]
        readable, _, _ = select.select(watched, [], [], timeout_s)
        self.check()
        if not readable:
            raise RemoteProtocolError(f"the peer did not answer within {timeout_s:g} s")

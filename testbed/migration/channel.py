"""The control channel: a socket around the pure ``Connection``."""

import socket
from collections.abc import Callable, Sequence
from typing import TypeVar

from testbed.core.agents.patience import ANSWER_TIMEOUT_S
from testbed.core.errors import RemoteProtocolError, in_words
from testbed.migration.cancel import Cancel
from testbed.migration.holding import Holding
from testbed.wire.connection import Connection
from testbed.wire.messages import Failed, Message
from testbed.wire.states import Role

M = TypeVar("M")


class PeerFailed(RemoteProtocolError):
    """The destination said Failed: it did not run the guest, and never will."""


class Channel:
    """Sends and receives whole messages in the protocol's order. One thread at a time. ``received``: what was read from
    the socket before; ``holding``: where it waits before or after it sends.
    """

    def __init__(
        self,
        sock: socket.socket,
        role: Role,
        cancel: Cancel | None = None,
        *,
        received: bytes = b"",
        holding: Holding | None = None,
    ) -> None:
        self.sock = sock
        self.connection = Connection(role)
        self.connection.receive(received)
        self.sent_bytes = 0
        self._cancel, self._holding = cancel or Cancel(), holding or Holding()

    def send(self, message: Message) -> None:
        """Raises ``LocalProtocolError`` out of turn, ``RemoteProtocolError`` when the peer has gone."""
        self.send_all([message])

    def send_all(self, messages: Sequence[Message]) -> None:
        """Several in one go; as ``send``."""
        for message in messages:
            self._holding.before(message)
        data = b"".join(self.connection.send(message) for message in messages)
        try:
            self.sock.sendall(data)
        except OSError as fault:
            raise RemoteProtocolError(f"the peer has gone: {in_words(fault)}") from fault
        self.sent_bytes += len(data)
        for message in messages:
            self._holding.after(message)

    def receive(
        self, expected: type[M], timeout_s: float = ANSWER_TIMEOUT_S, progress: Callable[[], object] | None = None
    ) -> M:
        """The next message, which has to be of that type. Raises ``PeerFailed``, ``MigrationCancelled``, and
        ``RemoteProtocolError``, also when nothing came for that time and ``progress`` did not change in it.
        """
        message = self.next_message(timeout_s, progress)
        if isinstance(message, Failed):
            raise PeerFailed(message.reason)
        if not isinstance(message, expected):
            raise RemoteProtocolError(f"expected {expected.__name__}, the peer said {type(message).__name__}")
        return message

    def next_message(
        self, timeout_s: float = ANSWER_TIMEOUT_S, progress: Callable[[], object] | None = None
    ) -> Message:
        """Any next message that the protocol allows now."""
        while (message := self.connection.next_message()) is None:
            self._cancel.wait_readable(self.sock, timeout_s, progress)
            try:
                data = self.sock.recv(65536)
            except OSError as fault:
                raise RemoteProtocolError(f"the peer has gone: {in_words(fault)}") from fault
            if not data:
                raise RemoteProtocolError("the peer closed the connection")
            self.connection.receive(data)
        return message

"""One end of the channel without its socket: messages in, bytes out; bytes in, messages out; rules kept."""

from testbed.core.errors import LocalProtocolError, RemoteProtocolError
from testbed.wire.limits import Budget
from testbed.wire.messages import HEADER, Message, decode, encode, header
from testbed.wire.states import Role, State, after


class Connection:
    """Follows both ends' states. After an error it is of no further use."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.peer = Role.DESTINATION if role is Role.SOURCE else Role.SOURCE
        self.state = State.NEW
        self._said, self._heard = Budget(), Budget()
        self._buffer = bytearray()

    def send(self, message: Message) -> bytes:
        """The bytes to send. Raises ``LocalProtocolError`` when it may not be said now, or that was too much."""
        self.state = after(self.state, self.role, message.type, LocalProtocolError)
        data = encode(message)
        self._said.take(message.type, len(data) - HEADER.size, LocalProtocolError)
        return data

    def receive(self, data: bytes) -> None:
        """Takes in what came from the peer, in whatever pieces."""
        self._buffer += data

    def next_message(self) -> Message | None:
        """The next whole message, or None: more bytes are needed. Raises ``RemoteProtocolError``."""
        if len(self._buffer) < HEADER.size:
            return None
        kind, length = header(bytes(self._buffer[: HEADER.size]))
        following = after(self.state, self.peer, kind, RemoteProtocolError)
        if len(self._buffer) < HEADER.size + length:
            return None
        body = bytes(self._buffer[HEADER.size : HEADER.size + length])
        self._heard.take(kind, length, RemoteProtocolError)
        message = decode(kind, body)
        del self._buffer[: HEADER.size + length]
        self.state = following
        return message

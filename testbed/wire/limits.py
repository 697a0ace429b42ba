"""What one migration may say in all, beside what one message may: a peer cannot fill this host's memory bit by bit.

Rounds come one at a time and hold no more than the memory (``migration.streams.receiving``); pages go straight to where
they belong; all other messages are used up as they come. Connections alone are kept, until the guest takes them.
"""

from collections.abc import Iterator, Sequence

from testbed.core.connection import TcpConnection
from testbed.core.errors import ProtocolError
from testbed.wire.messages import HEADER, Type
from testbed.wire.tcp import FIXED_BYTES

MAX_CONNECTIONS = 65_535
"""Of one guest: more ports than that one client has not."""
MAX_CONNECTIONS_BYTES = 256 << 20
"""Of all their messages: 5,000 connections with 50 kB in their queues, or 64 that are filled to the brim."""


class Budget:
    """What is left of the limits, at one end of the channel."""

    def __init__(self) -> None:
        self._connections, self._bytes = MAX_CONNECTIONS, MAX_CONNECTIONS_BYTES

    def take(self, kind: Type, length: int, error: type[ProtocolError]) -> None:
        """A message with a body of that length is said. Raises ``error`` when that is too much."""
        if kind is Type.CONNECTION:
            self._connections -= 1
            self._bytes -= HEADER.size + length
        if self._connections < 0:
            raise error(f"more than {MAX_CONNECTIONS} connections are too many for one migration")
        if self._bytes < 0:
            raise error(f"connections of more than {MAX_CONNECTIONS_BYTES} bytes are too much for one migration")


def fitting(connections: Sequence[TcpConnection]) -> Iterator[TcpConnection]:
    """Those that may all be said in one migration, in order; one that is too large leaves room for those after it."""
    count, room = MAX_CONNECTIONS, MAX_CONNECTIONS_BYTES
    for each in connections:
        size = HEADER.size + FIXED_BYTES + len(each.received) + len(each.unacknowledged)
        if count and size <= room:
            count, room = count - 1, room - size
            yield each

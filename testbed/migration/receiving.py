"""The destination's streams: bytes go from sockets straight to where they belong in memory."""

import socket
import threading
from contextlib import suppress

from testbed.core.errors import RemoteProtocolError
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.linux.tcp_info import tcp_info
from testbed.linux.waiting import SLICE_S, Patience
from testbed.wire.messages import HEADER, Message, Pages, Type, decode, header
from testbed.wire.pages import check_pages

SOCKET_BUFFER = 1 << 20


class RoundCounter:
    """How many page bytes of each round have arrived, over all streams. ``fault``: why no more will, once it is so."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._arrived: dict[int, int] = {}
        self._streams: list[socket.socket] = []
        self.fault: str | None = None

    def add(self, round_index: int, size: int) -> None:
        """So many more are in memory."""
        with self._condition:
            self._arrived[round_index] = self._arrived.get(round_index, 0) + size
            self._condition.notify_all()

    def fail(self, reason: str) -> None:
        """A stream broke: nobody need wait any longer."""
        with self._condition:
            self.fault = self.fault or reason
            self._condition.notify_all()

    def watch(self, stream: socket.socket) -> None:
        """One more stream: as long as bytes come on any of them, a round is slow and not broken."""
        self._streams.append(stream)

    def wait(self, round_index: int, size: int, timeout_s: float) -> None:
        """Returns once the round is whole. Raises ``RemoteProtocolError`` if a stream broke, nothing came for that
        time, or more came than told.
        """
        patience = Patience(timeout_s)
        with self._condition:
            seen = self._bytes()
            while not (self.fault or self._arrived.get(round_index, 0) >= size or patience.over()):
                if self._condition.wait(SLICE_S) or self._bytes() != seen:
                    seen = self._bytes()
                    patience.anew()
            if self.fault:
                raise RemoteProtocolError(self.fault)
            if self._arrived.get(round_index, 0) != size:
                raise RemoteProtocolError(
                    f"round {round_index} has {self._arrived.get(round_index, 0)} bytes instead of {size}"
                )

    def _bytes(self) -> int:
        """What has come on all streams, of batches that are not whole too; of one that is closed nothing."""
        total = 0
        for stream in self._streams:
            with suppress(OSError):
                total += tcp_info(stream).bytes_received
        return total


class ReceiveStream(threading.Thread):
    """One stream's reader: a table, then its pages, until the peer ends."""

    def __init__(self, sock: socket.socket, memory: memoryview, counter: RoundCounter) -> None:
        super().__init__(daemon=True, name="stream")
        self._sock, self._memory, self._counter = sock, memory, counter
        counter.watch(sock)

    def run(self) -> None:
        """Reads until the end; any fault is told to whoever waits for a round."""
        try:
            with self._sock:
                self._read_all()
            self._counter.fail("a stream was closed")
        except (OSError, RemoteProtocolError) as fault:
            self._counter.fail(f"a stream broke: {fault}")

    def _read_all(self) -> None:
        while (pages := self._next_table()) is not None:
            check_pages(pages, len(self._memory), PAGE_SIZE)
            self._fill(pages.extents)
            self._counter.add(pages.round, pages.extents.size)

    def _next_table(self) -> Pages | None:
        message = read_message(self._sock)
        if message is not None and not isinstance(message, Pages):
            raise RemoteProtocolError(f"a stream carries Pages, not {type(message).__name__}")
        return message

    def _fill(self, extents: Extents) -> None:
        buffers = [self._memory[offset : offset + length] for offset, length in extents]
        missing = extents.size
        while missing:
            received = self._sock.recvmsg_into(buffers, 0, socket.MSG_WAITALL)[0]
            if not received:
                raise RemoteProtocolError("it was closed within a batch")
            missing -= received
            while received and received >= len(buffers[0]):
                received -= len(buffers.pop(0))
            if received:
                buffers[0] = buffers[0][received:]


def read_message(sock: socket.socket) -> Message | None:
    """One message of a stream; None at its orderly end. Raises ``RemoteProtocolError``."""
    head = read_exactly(sock, HEADER.size)
    if not head:
        return None
    kind, length = header(head)
    if kind not in (Type.PAGES, Type.STREAM_HELLO):
        raise RemoteProtocolError(f"{kind.name} does not belong on a stream")
    body = read_exactly(sock, length)
    if len(body) != length:
        raise RemoteProtocolError("it was closed within a message")
    return decode(kind, body)


def read_exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes; none at an orderly end. Raises ``RemoteProtocolError`` when it ends in between."""
    data = sock.recv(size, socket.MSG_WAITALL)
    while data and len(data) < size:
        more = sock.recv(size - len(data), socket.MSG_WAITALL)
        if not more:
            raise RemoteProtocolError("it was closed within a message")
        data += more
    return data

"""The destination's streams: bytes go from sockets straight to where they belong in memory."""

import socket
import threading
from contextlib import suppress

from testbed.core.errors import RemoteProtocolError, in_words
from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE
from testbed.linux.net.tcp_info import tcp_info
from testbed.linux.processes.waiting import SLICE_S, Patience
from testbed.migration.memory_views import drop, release
from testbed.migration.streams.sockets import cut
from testbed.wire.messages import HEADER, Message, Pages, Type, decode, header
from testbed.wire.pages import check_pages

_NONE = -1
"""No round is due any more."""


class RoundCounter:
    """How many page bytes of the round have arrived, over all streams. ``fault``: why no more will, once it is so.

    Rounds are numbered from 1, one at a time, and none brings more than ``most`` bytes: a source cannot make it grow.
    """

    def __init__(self, most: int) -> None:
        self._condition = threading.Condition()
        self._most, self._round = most, 1
        self._coming = self._arrived = 0
        self._streams: list[socket.socket] = []
        self.fault: str | None = None

    def begin(self, round_index: int, size: int) -> None:
        """So many of that round are about to be written to memory. Raises ``RemoteProtocolError`` if that is not its
        time: the guest may run in that memory by then.
        """
        with self._condition:
            if round_index != self._round:
                raise RemoteProtocolError(f"pages of round {round_index} came, {self._now()}")
            if self._coming + size > self._most:
                raise RemoteProtocolError(f"round {round_index} brings more than the {self._most} bytes of the memory")
            self._coming += size

    def add(self, size: int) -> None:
        """So many of what ``begin`` was told are in memory."""
        with self._condition:
            self._arrived += size
            self._condition.notify_all()

    def fail(self, reason: str) -> None:
        """A stream broke: nobody need wait any longer."""
        with self._condition:
            self.fault = self.fault or reason
            self._condition.notify_all()

    def watch(self, stream: socket.socket) -> None:
        """One more stream: as long as bytes come on any of them, a round is slow and not broken."""
        self._streams.append(stream)

    def came(self) -> int:
        """Bytes on all streams, of batches that are not whole too; of one that is closed none."""
        total = 0
        for stream in self._streams:
            with suppress(OSError):
                total += tcp_info(stream).bytes_received
        return total

    def wait(self, round_index: int, size: int, timeout_s: float) -> None:
        """Returns once the round is whole: the next may come. Raises ``RemoteProtocolError`` if a stream broke, nothing
        came for that time, or more came than told.
        """
        with self._condition:
            if round_index != self._round:
                raise RemoteProtocolError(f"round {round_index} was ended, {self._now()}")
            self._await(size, timeout_s)
            if self.fault:
                raise RemoteProtocolError(self.fault)
            if self._arrived != size or self._coming != size:
                raise RemoteProtocolError(f"round {round_index} has {self._arrived} bytes instead of {size}")
            self._round += 1
            self._coming = self._arrived = 0

    def seal(self) -> None:
        """No page is written from here on. Raises ``RemoteProtocolError`` if any is on its way to memory."""
        with self._condition:
            if self._coming:
                raise RemoteProtocolError(f"pages of round {self._round} are still on their way")
            self._round = _NONE

    def _now(self) -> str:
        return f"the one that is due is {self._round}" if self._round != _NONE else "though the last one is over"

    def _await(self, size: int, timeout_s: float) -> None:
        """Until so many are there, a stream broke, or nothing came for that time."""
        patience, seen = Patience(timeout_s), self.came()
        while not (self.fault or self._arrived >= size or patience.over()):
            if self._condition.wait(SLICE_S) or self.came() != seen:
                seen = self.came()
                patience.anew()


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
            self._counter.fail(f"a stream broke: {in_words(fault)}")

    def end(self) -> None:
        """Cuts the connection, and returns when nothing of it touches the memory any more."""
        cut(self._sock)
        self.join()

    def _read_all(self) -> None:
        while (pages := self._next_table()) is not None:
            check_pages(pages, len(self._memory), PAGE_SIZE)
            self._counter.begin(pages.round, pages.extents.size)
            self._fill(pages.extents)
            self._counter.add(pages.extents.size)

    def _next_table(self) -> Pages | None:
        message = read_message(self._sock)
        if message is not None and not isinstance(message, Pages):
            raise RemoteProtocolError(f"a stream carries Pages, not {type(message).__name__}")
        return message

    def _fill(self, extents: Extents) -> None:
        buffers = [self._memory[offset : offset + length] for offset, length in extents]
        try:
            while buffers:
                received = self._sock.recvmsg_into(buffers, 0, socket.MSG_WAITALL)[0]
                if not received:
                    raise RemoteProtocolError("it was closed within a batch")
                drop(buffers, received)
        finally:
            release(buffers)


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

"""The source's streams: extents go from memory to sockets, and never through Python.

Long runs go by sendfile (the kernel hands pages of the memfd to TCP without a copy), scattered pages by one gathering
sendmsg for hundreds of them. A page that the guest rewrites while TCP still holds it may arrive new or torn; that is
harmless, since it was protected before and so is sent again.
"""

import mmap
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from testbed.core.agents.told import StreamFacts
from testbed.core.errors import RemoteProtocolError, in_words
from testbed.core.extents import Extents
from testbed.core.rounds import EarlyLook
from testbed.core.units import PAGE_SIZE
from testbed.linux.net.tcp_info import tcp_info
from testbed.migration.cancel import Cancel
from testbed.migration.early_look import Pass
from testbed.migration.memory_views import drop, release
from testbed.migration.streams.sockets import close_at_once, cut, unacknowledged
from testbed.wire.messages import MAX_EXTENTS, MAX_PAGES_BYTES, Pages, StreamHello, encode

LONG_RUN = 64 * 1024
"""Bytes from which one sendfile is cheaper than its share of a gathering send."""
BATCH_S = 0.004
"""Seconds that a batch takes on a capped stream."""
LOOKED_AT_BYTES = 256 * 1024
"""Bytes of a batch in a round that may end early: it ends between two of them, on slow links too."""
PIECE = 1 << 20
"""Bytes of one sendfile, or gathered by one send, and less than a run more: between two of them progress is told and a
cancel is heard, on slow links too."""
LAST_WORDS_S = 0.2
"""How long the other streams may go on when one has broken, or a cancel was heard, before their connections are cut."""


@dataclass(slots=True)
class SentBytes:
    """What one stream carried."""

    pages: int = 0
    framing: int = 0


class SendStreams:
    """1 to 16 TCP connections that share each round's batches: whoever is free takes the next.

    ``cap``: bytes per second that each may carry at most. A batch is then only some milliseconds' worth: what the last
    one still has to send at the end of a round, the others cannot help with.
    """

    def __init__(
        self, sockets: list[socket.socket], migration_id: bytes, cancel: Cancel, cap: float | None = None
    ) -> None:
        self._batch_bytes = MAX_PAGES_BYTES if cap is None else batch_bytes(cap)
        self.sockets = sockets
        self.sent = [SentBytes() for _ in sockets]
        self._cancel = cancel
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(len(sockets), thread_name_prefix="stream")
        for index, sock in enumerate(sockets):
            hello = encode(StreamHello(migration_id, index))
            try:
                sock.sendall(hello)
            except OSError as fault:
                raise RemoteProtocolError(f"stream {index} broke at its start: {in_words(fault)}") from fault
            self.sent[index].framing += len(hello)

    @property
    def page_bytes(self) -> int:
        """Page bytes handed to TCP so far, over all streams."""
        return sum(sent.pages for sent in self.sent)

    def send(
        self,
        round_index: int,
        todo: Pass,
        memory: "Memory",
        progress: Callable[[], None],
        look: EarlyLook | None = None,
    ) -> None:
        """All of it, or until a look ends it. Raises ``RemoteProtocolError`` when the peer has gone,
        ``MigrationCancelled``; by then no stream reads ``memory`` any more.
        """
        most = self._batch_bytes if look is None else min(self._batch_bytes, LOOKED_AT_BYTES)
        batches = todo.batches(most, MAX_EXTENTS, look, self.unacknowledged)
        if len(self.sockets) == 1:
            return self._send_from(0, batches, round_index, memory, progress)
        work = [
            self._workers.submit(self._send_from, index, batches, round_index, memory, progress)
            for index in range(len(self.sockets))
        ]
        self._end_together(work)
        for part in work:
            part.result()
        return None

    def _end_together(self, work: list[Future[None]]) -> None:
        """A stream that broke ends the others, one that waits for its peer too: it would hold the memory's mapping."""
        left = wait(work, return_when=FIRST_EXCEPTION).not_done
        if left and wait(left, LAST_WORDS_S).not_done:
            for sock in self.sockets:
                cut(sock)
            wait(left)

    def _send_from(
        self, index: int, batches: Iterator[Extents], round_index: int, memory: "Memory", progress: Callable[[], None]
    ) -> None:
        sock, sent = self.sockets[index], self.sent[index]

        def told(size: int) -> None:
            sent.pages += size
            progress()
            self._cancel.check()

        while True:
            with self._lock:
                batch = next(batches, None)
            if batch is None:
                return
            head = encode(Pages(round_index, batch))
            try:
                memory.send(sock, head, batch, told)
            except OSError as fault:
                self._cancel.check()  # asked for while TCP waited for a peer that had gone
                raise RemoteProtocolError(f"stream {index} broke: {in_words(fault)}") from fault
            sent.framing += len(head)

    def unacknowledged(self) -> int:
        """Bytes that TCP holds for all streams until the destination has acknowledged them."""
        return sum(unacknowledged(sock) for sock in self.sockets)

    def facts(self) -> tuple[StreamFacts, ...]:
        """Per stream: what it carried, and how its TCP fared."""
        return tuple(map(_facts, self.sockets, self.sent))

    def close(self) -> None:
        """Ends all connections; what the peer has not taken yet is thrown away."""
        for sock in self.sockets:
            close_at_once(sock)
        self._workers.shutdown(wait=False, cancel_futures=True)


def _facts(sock: socket.socket, sent: SentBytes) -> StreamFacts:
    info = tcp_info(sock)
    return StreamFacts(
        page_bytes=sent.pages,
        framing_bytes=sent.framing,
        retransmits=info.retransmits,
        mss=info.mss,
        congestion=info.congestion,
    )


def batch_bytes(cap: float) -> int:
    """Bytes of a batch on streams that are capped: whole pages, not too few to be worth a message."""
    return min(MAX_PAGES_BYTES, max(LONG_RUN, round(cap * BATCH_S) // PAGE_SIZE * PAGE_SIZE))


class Memory:
    """A memfd of ``size`` bytes as something to send from."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd = fd
        self._map = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ)
        self.view = memoryview(self._map)

    def send(self, sock: socket.socket, head: bytes, batch: Extents, told: Callable[[int], None]) -> None:
        """The head, then the extents' bytes. ``told`` is called with each number of page bytes that has gone. What it
        raises holds no view of this memory.
        """
        gathered = [memoryview(head)]
        heads, waiting = len(head), 0
        try:
            for offset, length in batch:
                if length < LONG_RUN:
                    gathered.append(self.view[offset : offset + length])
                    waiting += length
                    if waiting >= PIECE:
                        told(send_gathered(sock, gathered, 0) - heads)
                        heads = waiting = 0
                    continue
                told(send_gathered(sock, gathered, socket.MSG_MORE) - heads)
                heads = waiting = 0
                for start in range(offset, offset + length, PIECE):
                    told(send_file(sock, self.fd, start, min(PIECE, offset + length - start)))
            told(send_gathered(sock, gathered, 0) - heads)
        finally:
            release(gathered)

    def close(self) -> None:
        """Lets go of the mapping, not of the descriptor. Nobody may be sending from it."""
        self.view.release()
        self._map.close()


def send_file(sock: socket.socket, fd: int, offset: int, length: int) -> int:
    """``length`` bytes of the file from ``offset``, without a copy; returns ``length``."""
    end = offset + length
    while offset < end:
        sent = os.sendfile(sock.fileno(), fd, offset, end - offset)
        if sent == 0:
            raise OSError("the memory ended early")
        offset += sent
    return length


def send_gathered(sock: socket.socket, parts: list[memoryview], flags: int) -> int:
    """All parts in order, and how many bytes that was. Takes them out of ``parts`` and releases them as they have gone;
    a blocking socket may still take fewer than it was given.
    """
    total = left = sum(map(len, parts))
    while left:
        sent = sock.sendmsg(parts, (), flags)
        left -= sent
        drop(parts, sent)
    return total

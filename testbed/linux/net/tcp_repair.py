"""A live TCP connection read out of one socket and put into another, neither end noticing: TCP_REPAIR.

    dump                                              restore, in another namespace
    ────                                              ─────────────────────────────
    repair on: the socket neither sends nor ends      repair on: connect and close say nothing to anybody
    sequence number and bytes of both queues          sequence numbers *before* the queued bytes, bind, connect
    MSS, scales, SACK, timestamp, window              options, timestamp; the bytes; the window

What was **sent** and not acknowledged is put back as sent: the remote end may have it, and may acknowledge it any time.
A restored socket is ESTABLISHED; its ends, and what was **never sent**, are the business of ``tcp_ends``.

Numbers: include/uapi/linux/{tcp,sockios}.h; the order is that of libsoccr (CRIU). Needs CAP_NET_ADMIN. Functions raise
``OSError`` as the kernel says it.
"""

import errno
import fcntl
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from testbed.core.connection import TcpConnection

REPAIR, REPAIR_QUEUE, QUEUE_SEQ, REPAIR_OPTIONS, TIMESTAMP, REPAIR_WINDOW = 19, 20, 21, 22, 24, 29
ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING = 1, 4, 5, 7, 8, 9, 10, 11
ENDED = (CLOSE_WAIT, LAST_ACK, CLOSING, CLOSE)
"""States in which the remote end has said its last."""
FINISHED = (FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK, CLOSE)
"""States in which this end has."""

_TCP, _SOCKET = socket.IPPROTO_TCP, socket.SOL_SOCKET
_ON, _OFF, _OFF_QUIETLY = 1, 0, -1
_RECEIVE, _SEND = 1, 2
_MSS, _SCALE, _SACK, _STAMPS = 2, 3, 4, 8
_INFO_STAMPS, _INFO_SACK, _INFO_SCALE = 1, 2, 4
_SIOCINQ, _SIOCOUTQ, _SIOCOUTQNSD = 0x541B, 0x5411, 0x894B
_PEERNAME, _SNDBUFFORCE, _RCVBUFFORCE, _BUF_LOCK = 28, 32, 33, 72
_SETTINGS = {
    _SNDBUFFORCE: Path("/proc/sys/net/ipv4/tcp_wmem"),
    _RCVBUFFORCE: Path("/proc/sys/net/ipv4/tcp_rmem"),
}
"""Of a network namespace: the least, the first and the largest size."""
_WINDOW = struct.Struct("=5I")
_MASK = 0xFFFFFFFF
_SLACK = 64 * 1024
"""Bytes beyond SIOCOUTQ that a peek may return: a segment that is acknowledged in part is kept whole."""
_PIECE = 32 * 1024
"""Bytes put into the receive queue at a time: each piece is one allocation in the kernel."""
_SMALL = 64 * 1024
"""Up to so many bytes a new socket's receive buffer takes (tcp_rmem); for more it is made larger."""
_LITTLE = 8 * 1024
"""The same of its send buffer (tcp_wmem)."""


def supported() -> str | None:
    """Why connections cannot be moved by this process on this kernel; None when they can. Finds out by trying."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            sock.setsockopt(_TCP, REPAIR, _ON)
            sock.getsockopt(_TCP, TIMESTAMP)
        except PermissionError:
            return "TCP_REPAIR needs CAP_NET_ADMIN"
        except OSError as error:
            return f"kernel has no TCP_REPAIR ({error.strerror})"
    return None


def state(sock: socket.socket) -> int:
    """As the kernel numbers them (include/net/tcp_states.h)."""
    return sock.getsockopt(_TCP, socket.TCP_INFO, 1)[0]


def dump(sock: socket.socket, *, unaccepted: bool = False) -> TcpConnection:
    """All of it. Repair is on afterwards: the socket is mute, and closing it tells nobody.

    Whoever calls this has seen to it that nothing arrives any more, or that it is not acknowledged.
    """
    sock.setsockopt(_TCP, REPAIR, _ON)
    receive_end, received = _receive_queue(sock)
    info = sock.getsockopt(_TCP, socket.TCP_INFO, 8)
    ended, finished, options, scales = info[0] in ENDED, info[0] in FINISHED, info[5], info[6]
    queue = _send_queue(sock, finished=finished)
    (local_ip, local_port), (remote_ip, remote_port) = sock.getsockname(), _peer(sock)
    return TcpConnection(
        local_ip=local_ip,
        local_port=local_port,
        remote_ip=remote_ip,
        remote_port=remote_port,
        send_sequence=queue.end - len(queue.data) & _MASK,
        receive_sequence=receive_end - len(received) - ended & _MASK,  # its FIN took a number too
        mss=sock.getsockopt(_TCP, socket.TCP_MAXSEG),
        send_scale=scales & 15 if options & _INFO_SCALE else None,
        receive_scale=scales >> 4 if options & _INFO_SCALE else None,
        selective=bool(options & _INFO_SACK),
        timestamp=sock.getsockopt(_TCP, TIMESTAMP) & _MASK if options & _INFO_STAMPS else None,
        window=sock.getsockopt(_TCP, REPAIR_WINDOW, _WINDOW.size),
        unaccepted=unaccepted,
        received=received,
        unacknowledged=queue.data,
        unsent=queue.unsent,
        ended=ended,
        finished=finished,
        heard=finished and not queue.outstanding,
    )


def restore(connection: TcpConnection) -> socket.socket:
    """A socket in this thread's network namespace that is the connection, in repair and non-blocking.

    The local address has to be there, and a route to the remote one: any, over ``lo`` too; the interface may be down.
    """
    sock = _roomy(connection)
    try:
        sock.setsockopt(_TCP, REPAIR, _ON)
        _set_sequence(sock, _SEND, connection.send_sequence)
        _set_sequence(sock, _RECEIVE, connection.receive_sequence)
        sock.bind((connection.local_ip, connection.local_port))
        sock.connect((connection.remote_ip, connection.remote_port))
        sock.setsockopt(_TCP, REPAIR_OPTIONS, _options(connection))
        if connection.timestamp is not None:  # two later: the kernel rounds it down, and time must not go back
            sock.setsockopt(_TCP, TIMESTAMP, struct.pack("=I", connection.timestamp + 2 & _MASK))
        _fill(sock, _RECEIVE, connection.received)
        _fill(sock, _SEND, connection.unacknowledged[: len(connection.unacknowledged) - connection.unsent])
        sock.setsockopt(_TCP, REPAIR_WINDOW, _window(connection))
    except BaseException:
        sock.close()  # in repair: nobody is told
        raise
    return sock


def release(sock: socket.socket, *, window_probe: bool = True) -> None:
    """Repair off: from here on it is a connection like any other. ``window_probe``: ask the remote end for its window,
    which also tells it that somebody is there.
    """
    sock.setsockopt(_TCP, REPAIR, _OFF if window_probe else _OFF_QUIETLY)
    sock.setsockopt(_SOCKET, socket.SO_REUSEADDR, 1)  # repair took it away, and no listener could share the port


def mute(sock: socket.socket) -> None:
    """Repair on: it sends nothing more, and closing it tells nobody."""
    sock.setsockopt(_TCP, REPAIR, _ON)


def unread(sock: socket.socket) -> int:
    """Bytes that it has received and that nobody has read."""
    return _count(sock, _SIOCINQ)


def in_repair(sock: socket.socket) -> bool:
    """Whether repair is on."""
    return sock.getsockopt(_TCP, REPAIR) == _ON


def _receive_queue(sock: socket.socket) -> tuple[int, bytes]:
    """The next sequence number and the unread bytes before it; read again should a last segment come in between."""
    while True:
        end = _sequence(sock, _RECEIVE)
        waiting = _count(sock, _SIOCINQ)
        data = _peek(sock, waiting) if waiting else b""
        if _sequence(sock, _RECEIVE) == end and len(data) == waiting:
            return end, data


@dataclass(frozen=True, slots=True, kw_only=True)
class _SendQueue:
    """``end``: the number after the last byte written; ``outstanding``: what was not acknowledged, a FIN is one."""

    end: int
    data: bytes
    unsent: int
    outstanding: int


def _send_queue(sock: socket.socket, *, finished: bool) -> _SendQueue:
    """Of what has ended with a FIN, the FIN is the last of what was written, and no byte."""
    written = _sequence(sock, _SEND)
    outstanding = _count(sock, _SIOCOUTQ)
    data = _peek(sock, outstanding + _SLACK) if outstanding else b""
    if len(data) < outstanding - finished:
        raise OSError(errno.EIO, f"{len(data)} bytes of a send queue of {outstanding} could be read")
    never_sent = _count(sock, _SIOCOUTQNSD) if outstanding else 0
    unsent = max(0, never_sent - finished)
    return _SendQueue(end=written - finished, data=data, unsent=unsent, outstanding=outstanding)


def _peer(sock: socket.socket) -> tuple[str, int]:
    """Also of one in CLOSE, where getpeername has no answer."""
    port, address = struct.unpack_from("!H4s", sock.getsockopt(_SOCKET, _PEERNAME, 16), 2)
    return socket.inet_ntoa(address), port


def _count(sock: socket.socket, request: int) -> int:
    return int(struct.unpack("=i", fcntl.ioctl(sock.fileno(), request, bytes(4)))[0])


def _sequence(sock: socket.socket, queue: int) -> int:
    sock.setsockopt(_TCP, REPAIR_QUEUE, queue)
    return sock.getsockopt(_TCP, QUEUE_SEQ) & _MASK


def _set_sequence(sock: socket.socket, queue: int, sequence: int) -> None:
    sock.setsockopt(_TCP, REPAIR_QUEUE, queue)
    sock.setsockopt(_TCP, QUEUE_SEQ, struct.pack("=I", sequence))


def _peek(sock: socket.socket, size: int) -> bytes:
    try:
        return sock.recv(size, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


def _roomy(connection: TcpConnection) -> socket.socket:
    """Buffers as large as what they have to hold, and as the window that was promised; they go on growing as ever."""
    promised = _WINDOW.unpack(connection.window)[3]
    needs = (
        (_RCVBUFFORCE, max(promised, len(connection.received)), _SMALL),
        (_SNDBUFFORCE, len(connection.unacknowledged), _LITTLE),
    )
    large = {option: min(4 * size, 1 << 29) for option, size, enough in needs if size > enough}
    sock = _new()
    try:
        for option, size in large.items():
            sock.setsockopt(_SOCKET, option, size)
        if large:
            sock.setsockopt(_SOCKET, _BUF_LOCK, 0)
    except PermissionError:  # to force it is for the machine's root; what a socket begins with, for that of its network
        sock.close()
        with ExitStack() as changed:
            for option, size in large.items():
                changed.enter_context(_beginning_with(_SETTINGS[option], 2 * size))
            return _new()
    except BaseException:
        sock.close()
        raise
    return sock


def _new() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, _TCP)


@contextmanager
def _beginning_with(setting: Path, size: int) -> Iterator[None]:
    """While this lasts, a new socket's buffer in this thread's network namespace is of that size."""
    before = setting.read_text(encoding="ascii")
    least, _, most = map(int, before.split())
    setting.write_text(f"{least} {size} {max(size, most)}", encoding="ascii")
    try:
        yield
    finally:
        setting.write_text(before, encoding="ascii")


def _fill(sock: socket.socket, queue: int, data: bytes) -> None:
    if not data:
        return
    sock.setsockopt(_TCP, REPAIR_QUEUE, queue)
    view = memoryview(data)
    while view:
        view = view[sock.send(view[:_PIECE]) :]


def _options(connection: TcpConnection) -> bytes:
    """What was agreed upon when the connection was made: pairs of code and value."""
    pairs = [(_MSS, connection.mss)]
    if connection.send_scale is not None and connection.receive_scale is not None:
        pairs.append((_SCALE, connection.send_scale | connection.receive_scale << 16))
    if connection.selective:
        pairs.append((_SACK, 0))
    if connection.timestamp is not None:
        pairs.append((_STAMPS, 0))
    return b"".join(struct.pack("=II", *pair) for pair in pairs)


def send_window(connection: TcpConnection) -> int:
    """Bytes that the remote end takes, as it said last."""
    return int(_WINDOW.unpack(connection.window)[1])


def is_waiting(connection: TcpConnection) -> bool:
    """Whether it has something to say that was, or may have been, never said: bytes, or that these were the last."""
    return connection.unsent > 0 or (connection.finished and not connection.heard)


def _window(connection: TcpConnection) -> bytes:
    """As it was. A FIN that has not been put back yet is taken off what was received; where something waits to be sent
    the remote end's window is shut until somebody can hear it.
    """
    send_first, send, most, receive, receive_first = _WINDOW.unpack(connection.window)
    back = int(connection.ended)
    send = 0 if is_waiting(connection) else send
    return _WINDOW.pack(send_first - back & _MASK, send, most, receive + back, receive_first - back & _MASK)

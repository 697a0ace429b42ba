"""A restored connection's ends, and what it had never sent: said again while nobody hears it, before its guest runs.

    restored, window shut ─ remote end's FIN ─ repair off ─ unsent bytes ─ own FIN          link up ─ window opened
    (tcp_repair)            (tcp_segment)                   all of them                               (tcp_segment)

All that can fail is done while the link is down. Unsent bytes go into the send queue behind a window that is shut, so
that the kernel keeps them as what they are; opening the window sends them at once. Were they sent into a link that is
down, a second would pass before they are sent again. An own FIN that was acknowledged is put back as sent, and the
acknowledgement after it; one that was not is sent (again): the remote end takes both.

    CLOSE_WAIT      remote FIN                FIN_WAIT_2      own FIN as sent, acknowledged
    FIN_WAIT_1      own FIN                   CLOSE           remote FIN; own FIN as sent, acknowledged
    LAST_ACK        remote FIN, own FIN       CLOSING         as LAST_ACK: who was first is forgotten

The order is that of libsoccr (CRIU). Functions raise ``OSError``.
"""

import errno
import os
import socket
from time import monotonic

from testbed.core.connection import TcpConnection
from testbed.linux.net import tcp_repair, tcp_segment

_SEND = 2
_PIECE = 256 * 1024
"""Bytes written at a time."""
_TAKES_S = 1.0
"""A segment to the own address is taken at once, or, on a busy machine, by a thread of the kernel soon."""


def complete(sock: socket.socket, connection: TcpConnection, raw: socket.socket | None) -> None:
    """From ``tcp_repair.restore`` to all that the connection was, and repair off. The link is down, but the address and
    a route over ``lo`` are there. ``raw`` (``tcp_segment.open_raw``) is needed for what has ended or is ``heard``.
    """
    window = 0 if tcp_repair.is_waiting(connection) else tcp_repair.send_window(connection)
    if connection.ended and raw:
        tcp_segment.say_end(raw, connection, window)
        _await(sock, tcp_repair.CLOSE_WAIT)
    if connection.heard and raw:
        sock.setsockopt(socket.IPPROTO_TCP, tcp_repair.REPAIR_QUEUE, _SEND)  # so it counts as sent
        sock.shutdown(socket.SHUT_WR)
        tcp_segment.say_heard(raw, connection, window)
        _await(sock, tcp_repair.CLOSE if connection.ended else tcp_repair.FIN_WAIT_2)
    tcp_repair.release(sock, window_probe=False)
    _write(sock, connection)
    if connection.finished and not connection.heard:
        sock.shutdown(socket.SHUT_WR)


def needs_raw(connection: TcpConnection) -> bool:
    """Whether its remote end has to be spoken for."""
    return connection.ended or connection.heard or tcp_repair.is_waiting(connection)


def speak(sock: socket.socket, connection: TcpConnection, raw: socket.socket) -> None:
    """Sends what waits in a completed connection, now that the link is up. Where the remote end took nothing the last
    time it spoke it is asked, as far as the kernel asks at once (ESTABLISHED), or in a second.
    """
    window = tcp_repair.send_window(connection)
    if window >> (connection.send_scale or 0):
        tcp_segment.say_window(raw, connection, window)
    elif tcp_repair.state(sock) == tcp_repair.ESTABLISHED:
        tcp_repair.mute(sock)
        tcp_repair.release(sock)


def _write(sock: socket.socket, connection: TcpConnection) -> None:
    """What was never sent, into a send queue that was made large enough for it."""
    rest = memoryview(connection.unacknowledged)[len(connection.unacknowledged) - connection.unsent :]
    while rest:
        rest = rest[sock.send(rest[:_PIECE]) :]


def _await(sock: socket.socket, state: int) -> None:
    deadline = monotonic() + _TAKES_S
    while (found := tcp_repair.state(sock)) != state:
        if monotonic() > deadline:
            raise OSError(errno.ETIMEDOUT, f"a restored connection stays in state {found}, not {state}")
        os.sched_yield()

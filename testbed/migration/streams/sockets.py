"""TCP as the agents want it: who listens where, which congestion control, and when a silent peer is a dead one."""

import errno
import fcntl
import os
import socket
import struct
import termios
from contextlib import suppress

from testbed.core.agents.patience import CONNECT_TIMEOUT_S, DEAD_PEER_S
from testbed.core.errors import MigrationAborted, PrerequisiteMissing, in_words
from testbed.migration.cancel import Cancel

SO_MAX_PACING_RATE = 47
"""include/uapi/asm-generic/socket.h; bytes per second, an unsigned long."""
NOTSENT_S, NOTSENT_MIN = 0.002, 64 * 1024
"""How much may wait in a paced stream's buffer: seconds of its cap, and at least so many bytes."""


def listen(address: str, port: int, device: str, backlog: int) -> socket.socket:
    """A socket that listens on that address, and hears what comes in by that network interface alone: the kernel would
    else take what is for the address from any (host of weak ends, RFC 1122). Raises ``MigrationAborted``.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        only(listener, device)
        listener.bind((address, port))
        listener.listen(backlog)
    except OSError as fault:
        listener.close()
        raise MigrationAborted(
            f"port {port} of {address} ({device}) cannot be listened on: {in_words(fault)}"
        ) from fault
    return listener


def only(sock: socket.socket, device: str) -> None:
    """Nothing goes in or out of it but by that network interface. Raises ``OSError``."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())


def connect(
    address: str, port: int, device: str, congestion: str, cancel: Cancel, cap: float | None = None
) -> socket.socket:
    """A connection to the destination by that network interface; ``cap``: the most that it may carry, payload in bytes
    per second.

    Raises ``MigrationAborted`` when nobody answers, ``MigrationCancelled`` at once when that is asked for.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        only(sock, device)
        choose_congestion(sock, congestion)
        pace(sock, cap)
        sock.setblocking(False)
        fault = sock.connect_ex((address, port))
        if fault not in (0, errno.EINPROGRESS):
            raise OSError(fault, os.strerror(fault))
        cancel.wait_connected(sock, CONNECT_TIMEOUT_S)
    except MigrationAborted:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise MigrationAborted(f"the destination at {address}:{port} cannot be reached: {in_words(error)}") from error
    tune(sock)
    return sock


def unacknowledged(sock: socket.socket) -> int:
    """Bytes that TCP holds for it until the peer has acknowledged them (SIOCOUTQ of tcp(7)); 0 when it is closed."""
    try:
        (waiting,) = struct.unpack("@i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))
    except (OSError, ValueError):
        return 0
    return int(waiting)


def pace(sock: socket.socket, cap: float | None) -> None:
    """TCP sends no faster than that. Without the qdisc fq, TCP times each segment by itself, and counts payload.

    And its buffer takes little more than is under way: megabytes that wait there could go by no other stream.
    """
    if cap is not None:
        sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, struct.pack("@L", max(1, round(cap))))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, max(NOTSENT_MIN, round(cap * NOTSENT_S)))


def choose_congestion(sock: socket.socket, congestion: str) -> None:
    """Sets the congestion control. Raises ``PrerequisiteMissing`` for one this kernel has not."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, congestion.encode())
    except OSError as fault:
        raise PrerequisiteMissing(
            f"kernel has no congestion control '{congestion}'",
            "choose one of /proc/sys/net/ipv4/tcp_available_congestion_control",
        ) from fault


def tune(sock: socket.socket) -> None:
    """Blocking, without Nagle's delay, and with an end to waiting for a peer that has gone."""
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_S * 1000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, DEAD_PEER_S)


def cut(sock: socket.socket) -> None:
    """Ends a connection for whoever waits in it, in another thread too; it is still to be closed."""
    with suppress(OSError):  # it has ended already
        sock.shutdown(socket.SHUT_RDWR)


def close_at_once(sock: socket.socket) -> None:
    """Ends a connection and throws away what the peer has not taken, so that nothing holds the namespace."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()

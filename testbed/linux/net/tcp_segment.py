"""Segments made by hand, as if a connection's remote end had said them, and a reset for one that is gone.

TCP_REPAIR cannot put a socket into any state but ESTABLISHED, nor can it say that a window has opened. What the remote
end had said to the socket that moved it will not repeat. So it is said again by hand, to the namespace's own address;
the kernel takes it for the remote end's. A remote end whose connection has no socket here any more hears it only so.

    IPv4 20 bytes (kernel: length, id, checksum) | TCP 20 bytes: flags, numbers, window; no options, which is allowed

Layouts: RFC 791, RFC 9293. Needs CAP_NET_RAW.
"""

import socket
import struct

from testbed.core.connection import TcpConnection

End = tuple[str, int]
"""Address and port."""
_IP = struct.Struct("!BBHHHBBH4s4s")
_TCP = struct.Struct("!HHIIBBHHH")
_RESET, _ACK, _FIN_ACK = 0x04, 0x10, 0x11
_MASK = 0xFFFFFFFF
_WIDEST = 0xFFFF


def open_raw() -> socket.socket:
    """What both send through, in this thread's network namespace. Raises ``OSError``."""
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def say_end(raw: socket.socket, connection: TcpConnection, window: int) -> None:
    """Says for the remote end that no more will come after what was received (FIN). ``window``: bytes that it takes.
    Raises ``OSError``.
    """
    _say(raw, connection, 0, connection.send_sequence, _FIN_ACK, window)


def say_heard(raw: socket.socket, connection: TcpConnection, window: int) -> None:
    """Says for the remote end that it heard the guest's own end. ``window``: bytes it takes. Raises ``OSError``."""
    _say(raw, connection, int(connection.ended), connection.send_sequence + 1, _ACK, window)


def say_window(raw: socket.socket, connection: TcpConnection, window: int) -> None:
    """How many bytes the remote end takes after those that it has acknowledged. Raises ``OSError``."""
    _say(raw, connection, int(connection.ended), connection.send_sequence, _ACK, window)


def reset(raw: socket.socket, local: End, remote: End, number: int) -> None:
    """Tells the remote end that there is no such connection. ``number``: of the byte it expects next; any other would
    be ignored (RFC 5961). Raises ``OSError``.
    """
    _send(raw, local, remote, (number, 0), _RESET, 0)


def _say(
    raw: socket.socket, connection: TcpConnection, beyond: int, acknowledged: int, flags: int, window: int
) -> None:
    """``beyond``: 1 when the remote end's own end was said before."""
    number = connection.receive_sequence + len(connection.received) + beyond & _MASK
    local, remote = (connection.local_ip, connection.local_port), (connection.remote_ip, connection.remote_port)
    field = min(window >> (connection.send_scale or 0), _WIDEST)
    _send(raw, remote, local, (number, acknowledged & _MASK), flags, field)


def acknowledge(
    raw: socket.socket, remote: End, local: End, numbers: tuple[int, int], window: int, options: bytes = b""
) -> None:
    """What ``remote`` says to ``local``: its own number, and that of the byte that it expects; ``window`` as it stands
    in the header. Raises ``OSError``.
    """
    _send(raw, remote, local, numbers, _ACK, window, options)


def _send(
    raw: socket.socket,
    source: End,
    target: End,
    numbers: tuple[int, int],
    flags: int,
    window: int,
    options: bytes = b"",
) -> None:
    """``options``: whole words of four bytes."""
    addresses = socket.inet_aton(source[0]), socket.inet_aton(target[0])
    ports, offset = (source[1], target[1]), 5 + len(options) // 4 << 4
    bare = _TCP.pack(*ports, *numbers, offset, flags, window, 0, 0) + options
    total = checksum(b"".join(addresses) + struct.pack("!HH", socket.IPPROTO_TCP, len(bare)) + bare)
    segment = _TCP.pack(*ports, *numbers, offset, flags, window, total, 0) + options
    head = _IP.pack(0x45, 0, _IP.size + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0, *addresses)
    raw.sendto(head + segment, (target[0], 0))


def checksum(data: bytes) -> int:
    """The Internet checksum of an even number of bytes (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

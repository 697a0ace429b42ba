"""Segments made by hand: the FIN of a remote end, said again to a socket that moved, and a reset for one that is gone.

The remote end has had its FIN acknowledged and will not repeat it, and TCP_REPAIR cannot put a socket into CLOSE_WAIT.
So one segment is made by hand and sent to the namespace's own address; the kernel takes it for the remote end's. And a
remote end whose connection has no socket here any more hears it only so.

    IPv4 20 bytes (kernel: length, id, checksum) | TCP 20 bytes: FIN ACK or RST, number after the last byte received

Layouts: RFC 791, RFC 9293. Needs CAP_NET_RAW.
"""

import socket
import struct

from testbed.core.connection import TcpConnection

End = tuple[str, int]
"""Address and port."""
_IP = struct.Struct("!BBHHHBBH4s4s")
_TCP = struct.Struct("!HHIIBBHHH")
_RESET, _FIN_ACK = 0x04, 0x11
_MASK = 0xFFFFFFFF


def open_raw() -> socket.socket:
    """What both send through, in this thread's network namespace. Raises ``OSError``."""
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def deliver(raw: socket.socket, connection: TcpConnection) -> None:
    """Ends what ``connection`` receives. Its socket is restored; it is in CLOSE_WAIT afterwards. Raises ``OSError``."""
    number = connection.receive_sequence + len(connection.received) & _MASK
    local, remote = (connection.local_ip, connection.local_port), (connection.remote_ip, connection.remote_port)
    _send(raw, remote, local, number, connection.send_sequence, _FIN_ACK)


def reset(raw: socket.socket, local: End, remote: End, number: int) -> None:
    """Tells the remote end that there is no such connection. ``number``: of the byte it expects next; any other would
    be ignored (RFC 5961). Raises ``OSError``.
    """
    _send(raw, local, remote, number, 0, _RESET)


def _send(raw: socket.socket, source: End, target: End, number: int, acknowledged: int, flags: int) -> None:
    addresses = socket.inet_aton(source[0]), socket.inet_aton(target[0])
    ports, offset = (source[1], target[1]), 5 << 4
    bare = _TCP.pack(*ports, number, acknowledged, offset, flags, 0xFFFF, 0, 0)
    total = checksum(b"".join(addresses) + struct.pack("!HH", socket.IPPROTO_TCP, len(bare)) + bare)
    segment = _TCP.pack(*ports, number, acknowledged, offset, flags, 0xFFFF, total, 0)
    head = _IP.pack(0x45, 0, _IP.size + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0, *addresses)
    raw.sendto(head + segment, (target[0], 0))


def checksum(data: bytes) -> int:
    """The Internet checksum of an even number of bytes (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

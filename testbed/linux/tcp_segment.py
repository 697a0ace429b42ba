"""The FIN of a remote end that closed before its connection moved: said again, to the new socket, from within.

The remote end has had its FIN acknowledged and will not repeat it, and TCP_REPAIR cannot put a socket into CLOSE_WAIT.
So one segment is made by hand and sent to the namespace's own address; the kernel takes it for the remote end's.

    IPv4 20 bytes (kernel: length, id, checksum) | TCP 20 bytes: FIN ACK, number after the last byte received

Layouts: RFC 791, RFC 9293. Needs CAP_NET_RAW.
"""

import socket
import struct

from testbed.core.connection import TcpConnection

_IP = struct.Struct("!BBHHHBBH4s4s")
_TCP = struct.Struct("!HHIIBBHHH")
_FIN_ACK = 0x11
_MASK = 0xFFFFFFFF


def open_raw() -> socket.socket:
    """What ``deliver`` sends through, in this thread's network namespace. Raises ``OSError``."""
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def deliver(raw: socket.socket, connection: TcpConnection) -> None:
    """Ends what ``connection`` receives. Its socket is restored; it is in CLOSE_WAIT afterwards. Raises ``OSError``."""
    remote, local = socket.inet_aton(connection.remote_ip), socket.inet_aton(connection.local_ip)
    number = connection.receive_sequence + len(connection.received) & _MASK
    ports = connection.remote_port, connection.local_port
    acknowledged, offset = connection.send_sequence, 5 << 4
    bare = _TCP.pack(*ports, number, acknowledged, offset, _FIN_ACK, 0xFFFF, 0, 0)
    total = checksum(remote + local + struct.pack("!HH", socket.IPPROTO_TCP, len(bare)) + bare)
    segment = _TCP.pack(*ports, number, acknowledged, offset, _FIN_ACK, 0xFFFF, total, 0)
    head = _IP.pack(0x45, 0, _IP.size + len(segment), 0, 0, 64, socket.IPPROTO_TCP, 0, remote, local)
    raw.sendto(head + segment, (connection.local_ip, 0))


def checksum(data: bytes) -> int:
    """The Internet checksum of an even number of bytes (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

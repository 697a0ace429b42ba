"""What the kernel knows about a TCP connection (struct tcp_info), asked of one's own socket or of all in a namespace.

A dump walks the kernel's table of all connections, which takes half a millisecond however few there are; asking for
one that is known takes a hundredth of that. ``TcpConnections.in_use`` says cheaply whether there are new ones.

``getsockopt`` answers for a socket that this process holds. ``sock_diag``, which ``ss -ti`` uses, answers for every
socket in a namespace, so that the streams of other processes are seen from outside, without their help.

Sources: include/uapi/linux/{tcp,inet_diag,sock_diag}.h. ``bytes_acked`` and ``bytes_sent`` count payload; the first
counts the SYN as one byte as well (RFC 4898, tcpEStatsAppHCThruOctetsAcked).
"""

import errno
import os
import socket
import struct
from dataclasses import dataclass

from testbed.linux.net.netlink import SOCK_DIAG, Netlink, attributes

_SOCK_DIAG_BY_FAMILY = 20
_DIAG_INFO, _DIAG_CONGESTION = 2, 4
_ESTABLISHED, _SYN_SENT, _FIN_WAIT_1, _CLOSE_WAIT, _LAST_ACK, _CLOSING = 1, 2, 4, 8, 9, 11
_LIVING = sum(1 << s for s in (_ESTABLISHED, _SYN_SENT, _FIN_WAIT_1, _CLOSE_WAIT, _LAST_ACK, _CLOSING))
_EXTENSIONS = 1 << (_DIAG_INFO - 1) | 1 << (_DIAG_CONGESTION - 1)
_REQUEST = struct.Struct("=BBBxI48s")
_TIME_WAIT = 6
_SOCKET_ID = slice(4, 52)
_ANSWER_SIZE = 72
_TCP_INFO_BYTES = 256

_TCP_INFO = struct.Struct("=16x I 48x I I 4x I 16x I 16x Q Q 12x I 8x Q 32x Q")
"""Of struct tcp_info: mss 16, rtt 68, rttvar 72, cwnd 80, total_retrans 100, bytes_acked 120, bytes_received 128,
min_rtt 148, delivery_rate 160, bytes_sent 200 (their places in bytes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpInfo:
    """One connection. Seconds, bytes; ``delivery_rate`` in bytes per second, ``cwnd`` in segments of ``mss`` bytes."""

    rtt_s: float
    rttvar_s: float
    min_rtt_s: float
    cwnd: int
    mss: int
    retransmits: int
    bytes_sent: int
    bytes_acked: int
    bytes_received: int
    delivery_rate: float
    congestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedConnection:
    """A connection as its own end sees it."""

    local_port: int
    remote_port: int
    info: TcpInfo
    socket_id: bytes


class TcpConnections:
    """The IPv4 connections in the network namespace of process ``pid``. Raises ``OSError``."""

    def __init__(self, pid: int) -> None:
        self._netlink = Netlink(SOCK_DIAG, pid)
        self._sockstat = os.open(f"/proc/{pid}/net/sockstat", os.O_RDONLY | os.O_CLOEXEC)

    def in_use(self) -> int:
        """How many TCP sockets the namespace has, listening ones too: a new connection changes it."""
        return _in_use(os.pread(self._sockstat, 512, 0))

    def again(self, known: ListedConnection) -> ListedConnection | None:
        """What is known now of a connection that was listed before. None when it is gone."""
        request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, _EXTENSIONS, _LIVING, known.socket_id)
        try:
            (answer,) = self._netlink.ask(_SOCK_DIAG_BY_FAMILY, request)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        return _connection(answer.payload) if answer.payload[1] != _TIME_WAIT else None

    def to(self, port: int) -> list[ListedConnection]:
        """Those whose other end is ``port``, in the order of their own ports."""
        return [connection for connection in self.all() if connection.remote_port == port]

    def all(self) -> list[ListedConnection]:
        """Every connection that is made or being made, in the order of their own ports."""
        request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, _EXTENSIONS, _LIVING, bytes(48))
        found = [_connection(message.payload) for message in self._netlink.dump(_SOCK_DIAG_BY_FAMILY, request)]
        return sorted(found, key=lambda connection: connection.local_port)

    def close(self) -> None:
        """Lets go of the namespace."""
        self._netlink.close()
        os.close(self._sockstat)

    def __enter__(self) -> "TcpConnections":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def tcp_in_use(pid: int) -> int:
    """How many TCP sockets the network namespace of process ``pid`` has, listening ones too. Raises ``OSError``."""
    with open(f"/proc/{pid}/net/sockstat", "rb") as file:
        return _in_use(file.read())


def _in_use(sockstat: bytes) -> int:
    return int(sockstat.partition(b"TCP: inuse ")[2].split(None, 1)[0])


def tcp_info(connection: socket.socket) -> TcpInfo:
    """What the kernel measured of a socket of this process. Raises ``OSError``."""
    data = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    name = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return parse(data, name)


def parse(data: bytes, congestion: bytes) -> TcpInfo:
    """``struct tcp_info`` of any kernel's length (an older one's ends earlier: what it lacks is 0), and the name."""
    fields = _TCP_INFO.unpack_from(data.ljust(_TCP_INFO.size, b"\0"))
    mss, rtt, rttvar, cwnd, retransmits, acked, received, min_rtt, delivery_rate, sent = fields
    return TcpInfo(
        rtt_s=rtt / 1e6,
        rttvar_s=rttvar / 1e6,
        min_rtt_s=min_rtt / 1e6,
        cwnd=cwnd,
        mss=mss,
        retransmits=retransmits,
        bytes_sent=sent,
        bytes_acked=acked,
        bytes_received=received,
        delivery_rate=float(delivery_rate),
        congestion=congestion.partition(b"\0")[0].decode("ascii", "replace"),
    )


def _connection(payload: bytes) -> ListedConnection:
    """struct inet_diag_msg: four bytes of state, then sockid: ports and addresses in network order."""
    local_port, remote_port = struct.unpack_from("!2H", payload, 4)
    found = attributes(payload[_ANSWER_SIZE:])
    return ListedConnection(
        local_port=local_port,
        remote_port=remote_port,
        info=parse(found.get(_DIAG_INFO, b""), found.get(_DIAG_CONGESTION, b"")),
        socket_id=payload[_SOCKET_ID],
    )

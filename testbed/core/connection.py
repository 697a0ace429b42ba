"""A TCP connection of the guest as values: what ``linux.net.tcp_repair`` reads and writes, and the wire moves.

Each of its two ways ends with a FIN. Who has said it, and whether it was heard, is the connection's state:

                      the remote end goes on    ``ended``
    the guest goes on       ESTABLISHED         CLOSE_WAIT
    ``finished``            FIN_WAIT_1          CLOSING, LAST_ACK
    and ``heard``           FIN_WAIT_2          CLOSE, which matters only for what is still unread
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConnection:
    """Sequence numbers are those of the first byte of each queue (unsigned 32 bit); addresses are dotted IPv4.

    ``received`` was acknowledged and not yet read by the guest; ``unacknowledged`` was sent by the guest and may or may
    not have arrived, or waits to be sent. ``window``: the 20 bytes of ``struct tcp_repair_window``. ``send_scale`` and
    ``receive_scale`` are shifts, None without window scaling. ``timestamp`` None without timestamps.
    ``unaccepted``: it was still in the listener's queue. ``unsent``: how many of the last bytes of ``unacknowledged``
    never left; ``ended``: the remote end has said, after ``received``, that no more will come; ``finished``: the guest
    has, after ``unacknowledged``, and ``heard``: the remote end has acknowledged it. ``closed``: the guest holds it no
    more, and the kernel alone brings it to its end.
    """

    local_ip: str
    local_port: int
    remote_ip: str
    remote_port: int
    send_sequence: int
    receive_sequence: int
    mss: int
    send_scale: int | None
    receive_scale: int | None
    selective: bool
    timestamp: int | None
    window: bytes
    unaccepted: bool = False
    received: bytes = b""
    unacknowledged: bytes = b""
    unsent: int = 0
    ended: bool = False
    finished: bool = False
    heard: bool = False
    closed: bool = False

"""An established TCP connection of the guest as values: what ``linux.tcp_repair`` reads and writes, the wire moves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpConnection:
    """Sequence numbers are those of the first byte of each queue (unsigned 32 bit); addresses are dotted IPv4.

    ``received`` was acknowledged and not yet read by the guest; ``unacknowledged`` was sent by the guest and may or may
    not have arrived, or waits to be sent. ``window``: the 20 bytes of ``struct tcp_repair_window``. ``send_scale`` and
    ``receive_scale`` are shifts, None without window scaling. ``timestamp`` None without timestamps.
    ``unaccepted``: it was still in the listener's queue. ``unsent``: how many of the last bytes of ``unacknowledged``
    never left; ``ended``: the remote end has said, after ``received``, that no more will come (CLOSE_WAIT).
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

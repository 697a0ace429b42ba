"""One of the guest's TCP connections in bytes: the body of ``GuestConnection``. All integers are big-endian.

local ip 4s | port u16 | remote ip 4s | port u16 | send u32 | receive u32 (sequence numbers) | mss u32
send scale u8 | receive scale u8 (255: none) | flags u8 | timestamp u32 | window 20s
unsent u32 | length of received u32 | length of unacknowledged u32 | received | unacknowledged

flags   1 selective   2 timestamps   4 unaccepted   8 ended   16 finished   32 heard   64 closed
"""

import struct

from testbed.core.connection import TcpConnection
from testbed.core.errors import LocalProtocolError, RemoteProtocolError

MAX_CONNECTION_BYTES = 64 << 20
"""Of both queues of one connection together: twice what kernels let one queue have (tcp_rmem is 32 MiB at most since
Linux 6.17, 6 MiB before; tcp_wmem 4 MiB), unless a service asks for more."""
LAYOUT = "!4sH4sHIIIBBBI20sIII"
FIELDS = (
    *("local_ip", "local_port", "remote_ip", "remote_port", "send_sequence", "receive_sequence", "mss", "send_scale"),
    *("receive_scale", "flags", "timestamp", "window", "unsent", "received_bytes", "unacknowledged_bytes"),
)
"""What the fixed part holds, in this order, for whoever shows it."""
_FIXED = struct.Struct(LAYOUT)
FIXED_BYTES = _FIXED.size
_NO_SCALE, _MAX_SCALE = 255, 14
_SELECTIVE, _STAMPS, _UNACCEPTED, _ENDED, _FINISHED, _HEARD, _CLOSED = 1, 2, 4, 8, 16, 32, 64
FLAGS = {
    "selective": _SELECTIVE,
    "timestamps": _STAMPS,
    "unaccepted": _UNACCEPTED,
    "ended": _ENDED,
    "finished": _FINISHED,
    "heard": _HEARD,
    "closed": _CLOSED,
}
_FLAGS = _SELECTIVE | _STAMPS | _UNACCEPTED | _ENDED | _FINISHED | _HEARD | _CLOSED


def encode_connection(each: TcpConnection) -> bytes:
    """The body. Raises ``LocalProtocolError`` for what the other end would refuse, ``struct.error`` for numbers that
    do not fit.
    """
    _refuse_if(_fault(each), LocalProtocolError)
    flags = _SELECTIVE * each.selective | _STAMPS * (each.timestamp is not None)
    flags |= _UNACCEPTED * each.unaccepted | _ENDED * each.ended
    flags |= _FINISHED * each.finished | _HEARD * each.heard | _CLOSED * each.closed
    fixed = _FIXED.pack(
        _packed(each.local_ip),
        each.local_port,
        _packed(each.remote_ip),
        each.remote_port,
        each.send_sequence,
        each.receive_sequence,
        each.mss,
        _NO_SCALE if each.send_scale is None else each.send_scale,
        _NO_SCALE if each.receive_scale is None else each.receive_scale,
        flags,
        each.timestamp or 0,
        each.window,
        each.unsent,
        len(each.received),
        len(each.unacknowledged),
    )
    return fixed + each.received + each.unacknowledged


def decode_connection(body: bytes) -> TcpConnection:
    """Raises ``RemoteProtocolError`` for whatever ``encode_connection`` cannot have made. At least the fixed part."""
    (local_ip, local_port, remote_ip, remote_port, send, receive, mss, send_scale, receive_scale, flags, timestamp,
     window, unsent, received, unacknowledged) = _FIXED.unpack_from(body)  # fmt: skip
    if received + unacknowledged != len(body) - FIXED_BYTES or flags & ~_FLAGS or (timestamp and not flags & _STAMPS):
        raise RemoteProtocolError(f"CONNECTION of {len(body)} bytes contradicts itself")
    middle = FIXED_BYTES + received
    connection = TcpConnection(
        local_ip=_dotted(local_ip),
        local_port=local_port,
        remote_ip=_dotted(remote_ip),
        remote_port=remote_port,
        send_sequence=send,
        receive_sequence=receive,
        mss=mss,
        send_scale=None if send_scale == _NO_SCALE else send_scale,
        receive_scale=None if receive_scale == _NO_SCALE else receive_scale,
        selective=bool(flags & _SELECTIVE),
        timestamp=timestamp if flags & _STAMPS else None,
        window=window,
        unaccepted=bool(flags & _UNACCEPTED),
        ended=bool(flags & _ENDED),
        finished=bool(flags & _FINISHED),
        heard=bool(flags & _HEARD),
        closed=bool(flags & _CLOSED),
        unsent=unsent,
        received=body[FIXED_BYTES:middle],
        unacknowledged=body[middle:],
    )
    _refuse_if(_fault(connection), RemoteProtocolError)
    return connection


def _fault(each: TcpConnection) -> str | None:
    """What is wrong with it in itself."""
    if len(each.received) + len(each.unacknowledged) > MAX_CONNECTION_BYTES:
        return f"holds more than {MAX_CONNECTION_BYTES} bytes"
    if not 0 <= each.unsent <= len(each.unacknowledged):
        return f"has {each.unsent} bytes unsent of {len(each.unacknowledged)}"
    if (each.send_scale is None) != (each.receive_scale is None):
        return "has a window scale in one direction only"
    if max(each.send_scale or 0, each.receive_scale or 0) > _MAX_SCALE:
        return f"has a window scale above {_MAX_SCALE}"
    if len(each.window) != 20:
        return f"has {len(each.window)} bytes of window"
    return _unlike_tcp(each)


def _unlike_tcp(each: TcpConnection) -> str | None:
    """Which of its ends do not go together: the last thing that is said is heard last."""
    if each.heard and (not each.finished or each.unacknowledged):
        return "was heard to its end before it was said"
    if each.closed and (not each.finished or each.heard or each.received or each.unaccepted):
        return "was closed and is not on its way to the end"
    return None


def _refuse_if(fault: str | None, error: type[LocalProtocolError | RemoteProtocolError]) -> None:
    if fault is not None:
        raise error(f"CONNECTION {fault}")


def _packed(dotted: str) -> bytes:
    try:
        numbers = bytes(int(part) for part in dotted.split("."))
    except ValueError:
        numbers = b""
    if len(numbers) != 4:
        raise LocalProtocolError(f"CONNECTION takes IPv4 addresses, not '{dotted}'")
    return numbers


def _dotted(packed: bytes) -> str:
    return ".".join(map(str, packed))

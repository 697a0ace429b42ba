"""Messages and their bytes. All integers are big-endian.

    frame   'F' 'M' | version u8 | type u8 | length u32 | body of that length
    text    UTF-8, at most 1,024 bytes, the whole rest of the body; made printable when it is read
    connection   fixed part | received, unacknowledged: as many bytes as the fixed part says, at most 64 MiB together

``Pages`` alone is followed by raw bytes: as many as its extents add up to, straight from memory. It travels on
streams, everything else on the channel. Lengths are checked before any memory is touched. Version 2 moves the guest's
TCP connections (``GuestConnection``, and their number in ``Prepare`` and ``Prepared``) and says when it was announced.
Version 3 moves those that it has finished or closed too, and it takes its first step before its link is up: unheard.
"""

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum
from typing import ClassVar, TypeAlias

import numpy as np

from testbed.core.connection import TcpConnection
from testbed.core.errors import LocalProtocolError, RemoteProtocolError
from testbed.core.extents import Extents
from testbed.core.text.printable import printable
from testbed.wire.tcp import FIXED_BYTES, MAX_CONNECTION_BYTES, decode_connection, encode_connection

VERSION = 3
HEADER = struct.Struct("!2sBBI")
MAGIC = b"FM"
MAX_TEXT = 1024
MAX_EXTENTS = 512
"""Runs in one ``Pages``: with the table, as many as one gathering send takes (IOV_MAX is 1,024)."""
MAX_PAGES_BYTES = 8 << 20
"""Page bytes that follow one ``Pages``: enough that a table's cost is not seen at 30 Gbit/s."""
MAX_BODY = 8 + 16 * MAX_EXTENTS
"""Of every message but ``GuestConnection``."""
NO_DIGEST = bytes(16)


class Type(IntEnum):
    """The number of each message on the wire."""

    HELLO = 1
    WELCOME = 2
    ROUND_BEGIN = 3
    ROUND_END = 4
    ROUND_RECEIVED = 5
    PREPARE = 6
    PREPARED = 7
    COMMIT = 8
    RUNNING = 9
    ABANDON = 10
    FAILED = 11
    STREAM_HELLO = 12
    PAGES = 13
    CONNECTION = 14


@dataclass(frozen=True, slots=True)
class Hello:
    """Source: I have a guest of that size for you, its pages will come over so many streams."""

    type: ClassVar[Type] = Type.HELLO
    layout: ClassVar[struct.Struct] = struct.Struct("!16sQIHB")
    migration_id: bytes
    ram_bytes: int
    page_size: int
    streams: int
    strict: int = 0


@dataclass(frozen=True, slots=True)
class Welcome:
    """Destination: memory is reserved and a guest process waits."""

    type: ClassVar[Type] = Type.WELCOME
    layout: ClassVar[struct.Struct] = struct.Struct("!Q")
    ram_bytes: int


@dataclass(frozen=True, slots=True)
class RoundBegin:
    """Source: a round of so many page bytes begins, of which an early look may leave some to the next one. ``stunned``
    is 1 when the guest stands still.
    """

    type: ClassVar[Type] = Type.ROUND_BEGIN
    layout: ClassVar[struct.Struct] = struct.Struct("!IQB")
    index: int
    page_bytes: int
    stunned: int = 0


@dataclass(frozen=True, slots=True)
class RoundEnd:
    """Source: all that the round sends is on the streams, so many page bytes."""

    type: ClassVar[Type] = Type.ROUND_END
    layout: ClassVar[struct.Struct] = struct.Struct("!IQ")
    index: int
    page_bytes: int


@dataclass(frozen=True, slots=True)
class RoundReceived:
    """Destination: all of the round is in memory."""

    type: ClassVar[Type] = Type.ROUND_RECEIVED
    layout: ClassVar[struct.Struct] = struct.Struct("!IQ")
    index: int
    page_bytes: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Source: that was all, so many connections too; the guest stopped after that many operations. ``digest`` only in
    strict mode.
    """

    type: ClassVar[Type] = Type.PREPARE
    layout: ClassVar[struct.Struct] = struct.Struct("!Q16sI")
    operations: int
    digest: bytes = NO_DIGEST
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Destination: I could run it now, with so many of its connections, and will not fail by my own will from here."""

    type: ClassVar[Type] = Type.PREPARED
    layout: ClassVar[struct.Struct] = struct.Struct("!Q16sI")
    operations: int
    digest: bytes = NO_DIGEST
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Commit:
    """Source: it is yours."""

    type: ClassVar[Type] = Type.COMMIT
    layout: ClassVar[struct.Struct] = struct.Struct("!")


@dataclass(frozen=True, slots=True)
class Running:
    """Destination: its first step here, that operation, was done at that time (CLOCK_MONOTONIC, ns).

    After that its link went up and it was announced, ``announced_ns``; then it went on.
    """

    type: ClassVar[Type] = Type.RUNNING
    layout: ClassVar[struct.Struct] = struct.Struct("!QQQQ")
    commit_received_ns: int
    announced_ns: int
    first_step_ns: int
    operation: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Source: nothing will come of it."""

    type: ClassVar[Type] = Type.ABANDON
    layout: ClassVar[None] = None
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Destination: I cannot. It never ran the guest and never will."""

    type: ClassVar[Type] = Type.FAILED
    layout: ClassVar[None] = None
    reason: str


@dataclass(frozen=True, slots=True)
class StreamHello:
    """Source, first on every stream: which one of which migration."""

    type: ClassVar[Type] = Type.STREAM_HELLO
    layout: ClassVar[struct.Struct] = struct.Struct("!16sH")
    migration_id: bytes
    index: int


@dataclass(frozen=True, slots=True)
class Pages:
    """Source, on a stream: a table of extents, then their bytes in order."""

    type: ClassVar[Type] = Type.PAGES
    round: int
    extents: Extents


@dataclass(frozen=True, slots=True)
class GuestConnection:
    """Source, once the guest is silent: one of its TCP connections, with what waits in its queues."""

    type: ClassVar[Type] = Type.CONNECTION
    connection: TcpConnection


Message: TypeAlias = (
    Hello | Welcome | RoundBegin | RoundEnd | RoundReceived | Prepare | Prepared | Commit | Running | Abandon | Failed
    | StreamHello | Pages | GuestConnection
)  # fmt: skip

FIXED = (Hello, Welcome, RoundBegin, RoundEnd, RoundReceived, Prepare, Prepared, Commit, Running, StreamHello)
_BY_TYPE = {kind.type: kind for kind in FIXED}


def encode(message: Message) -> bytes:
    """The bytes of a message (of ``Pages``: header and table, without the pages); a long text is cut.

    Raises ``LocalProtocolError`` for what the other end would refuse.
    """
    try:
        body = _body(message)
    except struct.error as fault:
        raise LocalProtocolError(f"{message.type.name} does not fit its layout: {fault}") from fault
    return HEADER.pack(MAGIC, VERSION, message.type, len(body)) + body


def _body(message: Message) -> bytes:
    match message:
        case Abandon() | Failed():
            return _encode_text(message.reason)
        case Pages():
            count = len(message.extents)
            if not 1 <= count <= MAX_EXTENTS:
                raise LocalProtocolError(f"PAGES takes 1 to {MAX_EXTENTS} extents, not {count}")
            return struct.pack("!II", message.round, count) + message.extents.table.astype(">u8").tobytes()
        case GuestConnection():
            return encode_connection(message.connection)
        case _:
            values = astuple(message)
            if any(isinstance(value, bytes) and len(value) != len(NO_DIGEST) for value in values):
                raise LocalProtocolError(f"{message.type.name} takes {len(NO_DIGEST)} bytes for an id or a digest")
            return message.layout.pack(*values)


def _encode_text(text: str) -> bytes:
    """At most ``MAX_TEXT`` bytes, whole characters; what UTF-8 has no bytes for (a broken file name) becomes ``?``."""
    return text.encode(errors="replace")[:MAX_TEXT].decode(errors="ignore").encode()


def header(data: bytes) -> tuple[Type, int]:
    """Type and length of the body that follows these eight bytes. Raises ``RemoteProtocolError``."""
    magic, version, number, length = HEADER.unpack(data)
    if magic != MAGIC:
        raise RemoteProtocolError(f"not a migration message: it begins with {magic!r}")
    if version != VERSION:
        raise RemoteProtocolError(f"the peer speaks version {version}, this is version {VERSION}")
    if number not in Type._value2member_map_:
        raise RemoteProtocolError(f"there is no message {number}")
    kind = Type(number)
    _check_length(kind, length)
    return kind, length


def longest(kind: Type) -> int:
    """Bytes of its body at most."""
    most = {Type.CONNECTION: FIXED_BYTES + MAX_CONNECTION_BYTES, Type.ABANDON: MAX_TEXT, Type.FAILED: MAX_TEXT}
    return most.get(kind, MAX_BODY)


def _check_length(kind: Type, length: int) -> None:
    """Refused from the header alone: nobody should wait for a body that cannot be right."""
    if length > longest(kind):
        raise RemoteProtocolError(f"a message of {length} bytes is longer than {longest(kind)}")
    if kind in _BY_TYPE and length != (expected := _BY_TYPE[kind].layout.size):
        raise RemoteProtocolError(f"{kind.name} has {length} bytes instead of {expected}")
    if kind is Type.PAGES and (length < 8 or (length - 8) % 16):
        raise RemoteProtocolError(f"PAGES has {length} bytes, which is no table of extents")
    if kind is Type.CONNECTION and length < FIXED_BYTES:
        raise RemoteProtocolError(f"CONNECTION has {length} bytes, which is less than its fixed part")


def decode(kind: Type, body: bytes) -> Message:
    """A message from its body. Raises ``RemoteProtocolError`` for whatever ``encode`` cannot have made."""
    _check_length(kind, len(body))
    if kind is Type.PAGES:
        return _decode_pages(body)
    if kind is Type.CONNECTION:
        return GuestConnection(decode_connection(body))
    if kind in (Type.ABANDON, Type.FAILED):
        text = printable(body.decode(errors="replace"), MAX_TEXT)
        return Abandon(text) if kind is Type.ABANDON else Failed(text)
    shape = _BY_TYPE[kind]
    return shape(*shape.layout.unpack(body))


def _decode_pages(body: bytes) -> Pages:
    index, count = struct.unpack_from("!II", body)
    if not 1 <= count <= MAX_EXTENTS or len(body) != 8 + 16 * count:
        raise RemoteProtocolError(f"PAGES announces {count} extents in {len(body)} bytes")
    table = np.frombuffer(body, ">u8", offset=8).reshape(count, 2).astype(np.uint64)
    return Pages(index, Extents(table))

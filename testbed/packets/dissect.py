"""Our protocol as scapy layers, so that packets can be looked at, taken apart and made by hand.

    >>> from testbed.packets.dissect import FastMotion, RoundBegin
    >>> from scapy.utils import rdpcap
    >>> [packet[RoundBegin].index for packet in rdpcap("packets/01-1.pcapng") if RoundBegin in packet]
    >>> bytes(FastMotion() / RoundBegin(index=3, page_bytes=8192, stunned=1))

Layers and fields are called as the messages in ``wire.messages`` and made from their layouts, so that the two cannot
differ. A message that begins in one segment and ends in the next is whole only in ``overheard.py``'s hands.
"""

import re
from dataclasses import fields
from typing import Any

from scapy.base_classes import BasePacket
from scapy.fields import (
    ByteEnumField,
    ByteField,
    Field,
    FieldLenField,
    FlagsField,
    IntField,
    IPField,
    LongField,
    PacketListField,
    ShortField,
    StrFixedLenField,
    StrLenField,
    XStrFixedLenField,
)
from scapy.layers.inet import TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw, bind_bottom_up, bind_layers, bind_top_down

import testbed.packets.quiet_scapy  # noqa: F401 - before scapy's own
from testbed.core.network.frames import ETHERNET_BYTES
from testbed.core.network.names import CHANNEL_PORT, STREAM_PORT
from testbed.wire import messages as wire
from testbed.wire.tcp import FLAGS

EXTENT_BYTES = 16
_CONNECTION_FLAGS = list(FLAGS)
_FIELDS: dict[str, type[Field[Any, Any]]] = {"Q": LongField, "I": IntField, "H": ShortField, "B": ByteField}


class FastMotion(Packet):
    """The eight bytes before every message. ``length`` is filled in."""

    name = "FastMotion"
    fields_desc = [  # noqa: RUF012 - scapy reads it so
        StrFixedLenField("magic", wire.MAGIC, 2),
        ByteField("version", wire.VERSION),
        ByteEnumField("type", 0, {kind.value: kind.name for kind in wire.Type}),
        IntField("length", None),
    ]

    @classmethod
    def dispatch_hook(cls, _pkt: bytes | None = None, *_args: object, **_kargs: object) -> type[Packet]:
        """In the middle of a stream a segment begins with anything: only what begins with a header is one."""
        return cls if _pkt is None or _pkt[:2] == wire.MAGIC else Raw

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Fills in the length of the message itself: the bytes of pages, or another message, may follow it."""
        if self.length is None:
            following = len(bytes(self.payload.payload))
            pkt = pkt[:4] + (len(pay) - following).to_bytes(4)
        return pkt + pay

    def do_dissect_payload(self, s: bytes) -> None:
        """A message without a body (``Commit``) is a layer all the same."""
        if s:
            super().do_dissect_payload(s)
        elif self.length == 0 and self.type in LAYERS:
            self.add_payload(LAYERS[self.type]())


class Body(Packet):
    """What all messages have in common: after one comes the next."""

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """Another header, or what cannot be told."""
        return FastMotion if payload[:2] == wire.MAGIC else Raw


class Extent(Packet):
    """A run of memory: offset and length in bytes."""

    fields_desc = [LongField("offset", 0), LongField("length", 0)]  # noqa: RUF012

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        """The next one follows."""
        return b"", s


def _next_extent(pages: Packet, before: list[BasePacket], last: Packet | None, rest: bytes) -> type[Packet] | None:
    """None after the last; of a table that was cut, after the last that is whole. ``last`` is not yet in ``before``."""
    extents = len(before) + (last is not None)
    return Extent if extents < pages.count and len(rest) >= EXTENT_BYTES else None


def _fixed(message: Any) -> type[Packet]:
    """A layer from a message's dataclass and its ``layout``: ``!16sQ`` is 16 bytes and a number of 8."""
    kinds = re.findall(r"(\d*)([sQIHB])", message.layout.format)
    parts: list[Any] = []
    for field, (size, code) in zip(fields(message), kinds, strict=True):
        if code == "s":
            parts.append(XStrFixedLenField(field.name, bytes(int(size)), int(size)))
        else:
            parts.append(_FIELDS[code](field.name, 0))
    return _layer(message, parts)


def _text(message: Any) -> type[Packet]:
    """A layer whose one field is all of the body."""
    field = fields(message)[0].name
    return _layer(
        message, [StrLenField(field, b"", length_from=lambda body: body.underlayer.length if body.underlayer else 0)]
    )


def _layer(message: Any, parts: list[Any], base: type[Packet] = Body) -> type[Packet]:
    name = message.__name__
    return type(name, (base,), {"name": name, "fields_desc": parts, "__doc__": message.__doc__})


Hello = _fixed(wire.Hello)
Welcome = _fixed(wire.Welcome)
RoundBegin = _fixed(wire.RoundBegin)
RoundEnd = _fixed(wire.RoundEnd)
RoundReceived = _fixed(wire.RoundReceived)
Prepare = _fixed(wire.Prepare)
Prepared = _fixed(wire.Prepared)
Commit = _fixed(wire.Commit)
Running = _fixed(wire.Running)
Abandon = _text(wire.Abandon)
Failed = _text(wire.Failed)
StreamHello = _fixed(wire.StreamHello)
Pages = _layer(
    wire.Pages,
    [
        IntField("round", 0),
        FieldLenField("count", None, count_of="extents", fmt="!I"),
        PacketListField("extents", [], next_cls_cb=_next_extent, max_count=wire.MAX_EXTENTS),
    ],
    base=Packet,
)
"""The bytes of its extents follow raw, as far as the segment holds them and they were kept."""
GuestConnection = _layer(
    wire.GuestConnection,
    [
        IPField("local_ip", "0.0.0.0"),  # noqa: S104 - nothing is bound
        ShortField("local_port", 0),
        IPField("remote_ip", "0.0.0.0"),  # noqa: S104
        ShortField("remote_port", 0),
        IntField("send_sequence", 0),
        IntField("receive_sequence", 0),
        IntField("mss", 0),
        ByteField("send_scale", 255),
        ByteField("receive_scale", 255),
        FlagsField("flags", 0, 8, _CONNECTION_FLAGS),
        IntField("timestamp", 0),
        XStrFixedLenField("window", bytes(20), 20),
        IntField("unsent", 0),
        FieldLenField("received_bytes", None, length_of="received", fmt="!I"),
        FieldLenField("unacknowledged_bytes", None, length_of="unacknowledged", fmt="!I"),
        StrLenField("received", b"", length_from=lambda body: body.received_bytes),
        StrLenField("unacknowledged", b"", length_from=lambda body: body.unacknowledged_bytes),
    ],
)
"""With what waits in its queues (``wire.tcp``); scale 255: none."""

LAYERS: dict[int, type[Packet]] = {
    wire.Type.HELLO: Hello,
    wire.Type.WELCOME: Welcome,
    wire.Type.ROUND_BEGIN: RoundBegin,
    wire.Type.ROUND_END: RoundEnd,
    wire.Type.ROUND_RECEIVED: RoundReceived,
    wire.Type.PREPARE: Prepare,
    wire.Type.PREPARED: Prepared,
    wire.Type.COMMIT: Commit,
    wire.Type.RUNNING: Running,
    wire.Type.ABANDON: Abandon,
    wire.Type.FAILED: Failed,
    wire.Type.STREAM_HELLO: StreamHello,
    wire.Type.PAGES: Pages,
    wire.Type.CONNECTION: GuestConnection,
}
for _kind, _layer_class in LAYERS.items():
    bind_layers(FastMotion, _layer_class, type=int(_kind))
for _port in (CHANNEL_PORT, STREAM_PORT):
    bind_bottom_up(TCP, FastMotion, dport=_port)
    bind_bottom_up(TCP, FastMotion, sport=_port)
bind_top_down(TCP, FastMotion, dport=CHANNEL_PORT)


def described(data: bytes) -> tuple[str, str, str]:
    """From, to, and words of an Ethernet frame, of which maybe only the first bytes were kept."""
    if len(data) < ETHERNET_BYTES:
        return "", "", f"{len(data)} bytes: less than the head of a frame"
    packet = Ether(data)
    ends = (packet.payload.fields.get(side, packet.fields.get(side, "")) for side in ("src", "dst"))
    sender, receiver = map(str, ends)
    return sender, receiver, " / ".join(said(packet)) or packet.payload.summary() or packet.summary()


def said(packet: Packet) -> list[str]:
    """Every message that begins in a packet: its name, and its fields as scapy shows them."""
    lines = []
    for number in range(len(packet.layers())):
        body = packet.getlayer(number)
        if body is not None and type(body) in LAYERS.values():
            shown = ", ".join(f"{name}={_short(value)}" for name, value in body.fields.items())
            lines.append(f"{body.name}({shown})")
    return lines


def _short(value: Any) -> str:
    """Tables and queues by their number only."""
    if isinstance(value, list):
        return f"{len(value)} entries"
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 16 else f"{len(value)} B"
    return str(value)

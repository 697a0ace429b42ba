"""A pcap's Ethernet frames as values, of as much as a story in packets needs; ``dissect.py`` knows them all."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeAlias

from testbed.core.errors import ScenarioError

End: TypeAlias = tuple[str, int]
"""IPv4 address and port."""
ARP, RARP, IPV4 = 0x0806, 0x8035, 0x0800
ICMP, TCP, UDP = 1, 6, 17
SYN, FIN, RST = 0x02, 0x01, 0x04
_NS = 1_000_000_000
_MAGICS = {b"\x4d\x3c\xb2\xa1": ("<", 1), b"\xd4\xc3\xb2\xa1": ("<", 1000), b"\xa1\xb2\x3c\x4d": (">", 1)}
"""First bytes of a pcap: byte order, and ns of one unit of its times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tcp:
    """A segment. ``size``: bytes of payload on the wire; ``payload``: those of them that were kept."""

    source: End
    destination: End
    sequence: int
    flags: int
    size: int
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """``number`` from 1, as Wireshark counts; ``at`` in ns since 1970; ``data``: what was kept of ``length`` bytes."""

    number: int
    at: int
    length: int
    data: bytes

    @property
    def kind(self) -> int:
        """EtherType."""
        return int.from_bytes(self.data[12:14])

    @property
    def protocol(self) -> int | None:
        """Of IPv4, None for what is not."""
        return self.data[23] if self.kind == IPV4 and len(self.data) >= 34 else None

    @property
    def address(self) -> str | None:
        """Who sent it, by IPv4."""
        return None if self.protocol is None else str(IPv4Address(self.data[26:30]))

    @property
    def destination(self) -> str:
        """Whom it is for, by IPv4; only of frames with an ``address``."""
        return str(IPv4Address(self.data[30:34]))

    @property
    def tcp(self) -> Tcp | None:
        """None for what is no TCP segment with its whole header."""
        if self.protocol != TCP:
            return None
        data, at = self.data, 14 + 4 * (self.data[14] & 15)
        if len(data) < at + 20:
            return None
        source, destination, sequence, _, offset, flags = struct.unpack_from("!HHIIBB", data, at)
        start = at + 4 * (offset >> 4)
        size = 14 + int.from_bytes(data[16:18]) - start
        return Tcp(
            source=(str(IPv4Address(data[26:30])), source),
            destination=(str(IPv4Address(data[30:34])), destination),
            sequence=sequence,
            flags=flags,
            size=size,
            payload=data[start : start + size],
        )


MAX_KEPT = 1 << 18
"""Bytes of one packet, as tcpdump and Wireshark have it (MAXIMUM_SNAPLEN)."""


def frames(file: Path) -> Iterator[Frame]:
    """In the file's order; of one that was cut off its whole frames. Raises ``ScenarioError`` for what is no pcap."""
    try:
        with file.open("rb") as pcap:
            order, unit = _MAGICS.get(pcap.read(4), ("", 0))
            if not unit:
                raise ScenarioError("is not a pcap; the run's files are damaged", str(file))
            pcap.seek(24)
            head = struct.Struct(f"{order}IIII")
            number = 0
            while len(raw := pcap.read(head.size)) == head.size:
                seconds, fraction, kept, length = head.unpack(raw)
                if kept > MAX_KEPT:
                    raise ScenarioError(f"holds a packet of {kept} bytes; the run's files are damaged", str(file))
                data = pcap.read(kept)
                if len(data) < kept:
                    return
                number += 1
                yield Frame(number=number, at=seconds * _NS + fraction * unit, length=length, data=data)
    except OSError as error:
        raise ScenarioError(f"cannot be read ({error.strerror})", str(file)) from error

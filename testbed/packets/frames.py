"""A pcap's Ethernet frames as values, of as much as a story in packets needs; ``dissect.py`` knows them all."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import IO, TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.text.foreign import foreign
from testbed.packets import pcapng

End: TypeAlias = tuple[str, int]
"""IPv4 address and port."""
ARP, RARP, IPV4 = 0x0806, 0x8035, 0x0800
ICMP, TCP, UDP = 1, 6, 17
SYN = 0x02
_NS = 1_000_000_000
_MAGICS = {
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
}
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
        """The EtherType, as IEEE numbers it."""
        return int.from_bytes(self.data[12:14])

    @property
    def protocol(self) -> int | None:
        """The number of the protocol above IPv4 (6: TCP); None for what is not IPv4, or cut off."""
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
        size = max(0, 14 + int.from_bytes(data[16:18]) - start)
        return Tcp(
            source=(str(IPv4Address(data[26:30])), source),
            destination=(str(IPv4Address(data[30:34])), destination),
            sequence=sequence,
            flags=flags,
            size=size,
            payload=data[start : start + size],
        )


def frames(file: Path) -> Iterator[Frame]:
    """In the file's order, of a pcap or pcapng; of one that was cut off its whole frames. Raises ``ScenarioError`` for
    what is neither, saying what it is.
    """
    try:
        with file.open("rb") as capture:
            head = capture.read(24)
            capture.seek(0)
            for number, (at, length, data) in enumerate(_packets(capture, head, str(file)), 1):
                yield Frame(number=number, at=at, length=length, data=data)
    except OSError as error:
        raise ScenarioError(f"cannot be read ({error.strerror})", str(file)) from error
    except ValueError as error:
        raise ScenarioError(str(error), str(file)) from error


def _packets(capture: IO[bytes], head: bytes, name: str) -> Iterator[tuple[int, int, bytes]]:
    """Time in ns, length, and what was kept of each. Raises ``ValueError``."""
    if head[:4] == pcapng.MAGIC:
        return pcapng.packets(capture)
    order, unit = _MAGICS.get(head[:4], ("", 0))
    if not unit:
        raise ValueError(foreign(head, name) or f"is no capture: neither pcap nor pcapng{_kind(head)}")
    if len(head) < 24:
        raise ValueError("is a pcap that was cut off in its head")
    (link,) = struct.unpack_from(f"{order}I", head, 20)
    if link & 0xFFFF != pcapng.ETHERNET:
        raise ValueError(f"was captured on no Ethernet (link type {link & 0xFFFF})")
    return _of_pcap(capture, struct.Struct(f"{order}IIII"), unit)


def _of_pcap(capture: IO[bytes], head: struct.Struct, unit: int) -> Iterator[tuple[int, int, bytes]]:
    capture.seek(24)
    while len(raw := capture.read(head.size)) == head.size:
        seconds, fraction, kept, length = head.unpack(raw)
        if kept > pcapng.MOST_BLOCK:
            raise ValueError(f"says of a packet that {kept:,} bytes of it were kept: it is damaged")
        data = capture.read(kept)
        if len(data) < kept:
            return
        yield seconds * _NS + fraction * unit, length, data


def _kind(head: bytes) -> str:
    """What a text of ours is that was given for one."""
    return "; give the run's folder, or its packets/NN-R.pcapng" if head[:1] in (b"{", b"\xef") else ""

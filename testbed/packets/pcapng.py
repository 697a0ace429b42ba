"""A pcapng's packets, as Wireshark and tshark write them: of the blocks those that hold Ethernet frames, and no more.

https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html. scapy's own reader takes damage for the end of the
file; here it is an error. Blocks that are not known are passed over, as the format asks.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
MAGIC = SECTION.to_bytes(4)
MOST_BLOCK = 1 << 20
"""Bytes: a packet has 256 KiB at most."""
ETHERNET = 1
_RESOLUTION, _OFFSET = 9, 14
_NS = 1_000_000_000


@dataclass(slots=True)
class _Section:
    """What the blocks of a section are read by: the byte order, and of each interface ticks a second, and s added."""

    order: str
    interfaces: list[tuple[int, int]] = field(default_factory=list)

    def take(self, kind: int, body: bytes) -> Iterator[tuple[int, int, bytes]]:
        """A block, and the packet in it if it is one."""
        if kind == INTERFACE:
            self.interface(body)
        elif kind == PACKET:
            yield self.packet(body)

    def interface(self, body: bytes) -> None:
        """One more. Raises ``ValueError`` unless it is Ethernet."""
        (link,) = struct.unpack_from(f"{self.order}H", body)
        if link != ETHERNET:
            raise ValueError(f"was captured on no Ethernet (link type {link})")
        options = dict(self._options(body[8:]))
        (code,) = options.get(_RESOLUTION, b"\x06")[:1] or b"\x06"
        ticks = 2 ** (code & 127) if code & 128 else 10 ** min(code, 18)
        offset = options.get(_OFFSET, b"")
        self.interfaces.append((ticks, struct.unpack(f"{self.order}q", offset)[0] if len(offset) == 8 else 0))

    def packet(self, body: bytes) -> tuple[int, int, bytes]:
        """Time in ns since 1970, length on the wire, and what was kept of it."""
        number, high, low, kept, length = struct.unpack_from(f"{self.order}5I", body)
        data = body[20 : 20 + kept]
        if number >= len(self.interfaces) or len(data) < kept:
            raise ValueError("holds a packet of an interface, or of a length, that it has not")
        ticks, offset = self.interfaces[number]
        return (high << 32 | low) * _NS // ticks + offset * _NS, length, data

    def _options(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0
        while at + 4 <= len(body):
            code, size = struct.unpack_from(f"{self.order}HH", body, at)
            if code == 0:
                return
            yield code, body[at + 4 : at + 4 + size]
            at += 4 + size + -size % 4


def packets(file: IO[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Time in ns, length on the wire, what was kept; of a file that was cut off its whole packets. ``file`` is at its
    beginning. Raises ``ValueError`` for damage, and for what is not Ethernet.
    """
    section: _Section | None = None
    while len(head := file.read(12)) == 12:
        if head[:4] == MAGIC:
            section = _Section(ORDERS.get(head[8:12], ""))
        if section is None or not section.order:
            raise ValueError("has no byte order")
        block = _block(file, head, section.order)
        if block is None:
            return
        try:
            yield from section.take(*block)
        except struct.error as error:
            raise ValueError("has a block that is too short for what it is") from error


def _block(file: IO[bytes], head: bytes, order: str) -> tuple[int, bytes] | None:
    """What the block is, and what is in it; None where the file was cut off in it."""
    kind, size = struct.unpack_from(f"{order}II", head)
    if not 12 <= size <= MOST_BLOCK or size % 4:
        raise ValueError(f"has a block of {size:,} bytes")
    block = head[8:] + file.read(size - 12)
    if len(block) < size - 8:
        return None
    if block[-4:] != struct.pack(f"{order}I", size):
        raise ValueError("has a block whose end does not say how long it was")
    return kind, block[:-4]

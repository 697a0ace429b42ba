"""A pcapng as it is written: packets of several interfaces in order of time, with their names and with comments.

    section header | an interface each | packets ... | what each interface kept and dropped

https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html. Blocks go to the file whole, many by one system call:
whoever ends the process leaves a file that lacks its last packets, and can be read.
"""

import struct
from collections.abc import Callable, Sequence
from typing import IO

from testbed.core.text.printable import printable
from testbed.core.version import __version__
from testbed.linux.net.packet_ring import RETIRE_S, Packet
from testbed.packets.pcapng import ETHERNET, INTERFACE, PACKET, SECTION

_NS = 1_000_000_000
_MOST_COMMENT = 400
"""Characters, of up to four bytes each: an option has 64 KiB at most."""
_STATISTICS = 5
_COMMENT, _APPLICATION = 1, 4
_NAME, _RESOLUTION = 2, 9
_NANOSECONDS = b"\x09"
_RECEIVED, _DROPPED = 4, 5


class PcapngWriter:
    """A pcapng with times in ns, in order of time although the taps are read one after the other: a packet is written
    when no other tap can still bring an older one. ``file`` has no buffer; ``interfaces``: their names, in the order of
    their numbers; ``remark`` is asked of each frame in order of time what is to be said of it, nothing mostly.
    """

    LAG = round(3 * RETIRE_S * _NS)

    def __init__(
        self, file: IO[bytes], interfaces: Sequence[str], most: int, remark: Callable[[Packet], str] = lambda _: ""
    ) -> None:
        self._file, self._remark = file, remark
        self._waiting: list[tuple[Packet, int]] = []
        self._kept = [0] * len(interfaces)
        self._last = 0
        made = _options((_APPLICATION, f"Fast Motion {__version__}".encode()))
        self._put(_block(SECTION, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1) + made))
        for name in interfaces:
            options = _options((_NAME, name.encode()), (_RESOLUTION, _NANOSECONDS))
            self._put(_block(INTERFACE, struct.pack("=HHI", ETHERNET, 0, most) + options))

    @property
    def packets(self) -> int:
        """How many are in the file."""
        return sum(self._kept)

    def add(self, packet: Packet, interface: int = 0) -> None:
        """Keeps it for its turn."""
        self._waiting.append((packet, interface))

    def write(self, before: int) -> None:
        """Everything that is older than ``before`` (ns since 1970)."""
        self._waiting.sort()
        ready = next((n for n, (packet, _) in enumerate(self._waiting) if packet.at >= before), len(self._waiting))
        if ready:
            self._put(b"".join([self._packet(*each) for each in self._waiting[:ready]]))
            del self._waiting[:ready]

    def finish(self, dropped: Sequence[int]) -> None:
        """What each interface kept and dropped, and that is the end."""
        for number, lost in enumerate(dropped):
            counted = ((_RECEIVED, self._kept[number] + lost), (_DROPPED, lost))
            options = _options(*((code, struct.pack("=Q", count)) for code, count in counted))
            self._put(_block(_STATISTICS, struct.pack("=III", number, *divmod(self._last, 1 << 32)) + options))

    def _packet(self, packet: Packet, interface: int) -> bytes:
        kept = len(packet.data)
        head = struct.pack("=5I", interface, *divmod(packet.at, 1 << 32), kept, max(packet.length, kept))
        said = printable(self._remark(packet), _MOST_COMMENT)
        self._kept[interface] += 1
        self._last = packet.at
        return _block(PACKET, head + _padded(packet.data) + (_options((_COMMENT, said.encode())) if said else b""))

    def _put(self, blocks: bytes) -> None:
        """All of it: one call may take less. Raises ``OSError``."""
        left = memoryview(blocks)
        while left:
            left = left[self._file.write(left) :]


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("=I", 12 + len(body))
    return b"".join((struct.pack("=I", kind), size, body, size))


def _options(*options: tuple[int, bytes]) -> bytes:
    """Each behind its number and length, and the mark of their end."""
    return b"".join(struct.pack("=HH", code, len(value)) + _padded(value) for code, value in options) + bytes(4)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)

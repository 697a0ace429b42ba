"""Packets of one interface by a ring of blocks that the kernel fills and this process reads (TPACKET_V3).

    kernel ▶ [ block: packet packet packet ... ] [ block ... ] [ being filled ] [ free ] ...
                ▲ ours when it is full, or RETIRE_S old; free again when read

No system call a packet and no copy but of the bytes that the filter lets pass, so that a fast stream costs its watcher
little. Times are the kernel's, CLOCK_REALTIME in ns; lengths are those of the wire, where only a part was kept.
Source: Documentation/networking/packet_mmap.rst, include/uapi/linux/if_packet.h.
"""

import mmap
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from testbed.linux.net import bpf
from testbed.linux.net.netns import open_socket

RETIRE_S = 0.05
"""A block that is not full becomes readable when it is so old."""
_SOL_PACKET, _RX_RING, _STATISTICS, _VERSION, _V3 = 263, 5, 6, 10, 2
_ETH_P_ALL = 0x0003
_BLOCK, _BLOCKS, _FRAME = 1 << 18, 64, 1 << 11
"""256 KiB each, some 1,200 packets of 128 bytes; 16 MiB in all. The size of a frame is checked and not used."""
_STATUS_AT, _COUNT_AT, _FIRST_AT = 8, 12, 16
_OURS, _KERNELS = 1, 0
_HEAD = struct.Struct("=IIIIIIHH")
_WORD = struct.Struct("=I")


class Packet(NamedTuple):
    """``data`` holds the first bytes of ``length`` that there were; ``at`` in ns since 1970.

    A tuple, because there may be 40,000 a second of them.
    """

    at: int
    length: int
    data: bytes


class PacketRing:
    """What passes ``interface`` in the network namespace of process ``pid``, both ways, through ``program``.

    Raises ``OSError`` (not permitted, no such interface).
    """

    def __init__(self, pid: int, interface: str, program: bytes) -> None:
        # Protocol 0 gets nothing, so that no packet comes before the filter is there.
        self._socket = open_socket(pid, socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            bpf.attach(self._socket, program)
            self._socket.setsockopt(_SOL_PACKET, _VERSION, _V3)
            frames = _BLOCK // _FRAME * _BLOCKS
            wanted = struct.pack("=7I", _BLOCK, _BLOCKS, _FRAME, frames, round(RETIRE_S * 1000), 0, 0)
            self._socket.setsockopt(_SOL_PACKET, _RX_RING, wanted)
            self._ring = mmap.mmap(self._socket.fileno(), _BLOCK * _BLOCKS)
            self._socket.bind((interface, _ETH_P_ALL))
        except BaseException:
            self._socket.close()
            raise
        self._next = 0

    def fileno(self) -> int:
        """Readable when a block is."""
        return self._socket.fileno()

    def read(self) -> Iterator[Packet]:
        """Every packet of every block that is ours now."""
        while True:
            block = self._next * _BLOCK
            if not _WORD.unpack_from(self._ring, block + _STATUS_AT)[0] & _OURS:
                return
            yield from self._packets(block)
            _WORD.pack_into(self._ring, block + _STATUS_AT, _KERNELS)
            self._next = (self._next + 1) % _BLOCKS

    def _packets(self, block: int) -> Iterator[Packet]:
        count, first = struct.unpack_from("=II", self._ring, block + _COUNT_AT)
        at = block + first
        for _ in range(count):
            following, seconds, nanoseconds, kept, length, _status, mac, _net = _HEAD.unpack_from(self._ring, at)
            start = at + mac
            yield Packet(seconds * 1_000_000_000 + nanoseconds, length, self._ring[start : start + kept])
            at += following

    def dropped(self) -> int:
        """Packets for which no block was free since this was last asked."""
        return int(struct.unpack("=III", self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12))[1])

    def close(self) -> None:
        """Ends it, and lets go of the namespace."""
        self._ring.close()
        self._socket.close()

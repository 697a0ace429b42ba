"""What the kernel has counted on a link: an interface's bytes, packets and drops, and those of its qdisc.

Over veth a large TCP segment crosses the link whole (64 KiB and one header), and the interface counts it so:

    interface bytes = TCP payload + 66 x packets     (Ethernet 14, IPv4 20, TCP 20 + timestamps 12; SYN and SACK differ)
    qdisc bytes     = TCP payload + 66 x frames      as on a real wire, because the qdisc charges every frame its header

Sources: include/uapi/linux/{if_link,rtnetlink,gen_stats}.h; ``qdisc_pkt_len_init`` in net/core/dev.c.
"""

import socket
import struct
from dataclasses import dataclass

from testbed.linux.net.netlink import ECHO, ROUTE, Netlink, attributes
from testbed.linux.net.netns import inside

_GET_QDISC, _GET_STATS = 38, 94
_IF_STATS = struct.Struct("=4xII")
_TC_MESSAGE = struct.Struct("=BxxxiIII")
_LINK_64 = 1
_STATS64 = struct.Struct("=8Q")
_TCA_KIND, _TCA_STATS2 = 1, 7
_STATS_BASIC, _STATS_QUEUE = 1, 3
_BASIC, _QUEUE = struct.Struct("=QI"), struct.Struct("=5I")
_ROOT = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounters:
    """Since the interface was made. Bytes include the Ethernet header."""

    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    rx_dropped: int
    tx_dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QdiscCounters:
    """Since the qdisc was made. ``kind`` is its name (``tbf``); ``backlog`` is the bytes that wait in it now."""

    kind: str
    parent: int
    bytes: int
    packets: int
    drops: int
    overlimits: int
    backlog: int


class Counters:
    """The counters of one interface in the network namespace of process ``pid``, read over a socket opened once.

    Reading raises ``OSError`` (ENODEV when the interface is gone).
    """

    def __init__(self, pid: int, interface: str) -> None:
        self.interface = interface
        self._index = inside(pid, lambda: socket.if_nametoindex(interface))
        self._netlink = Netlink(ROUTE, pid)

    def link(self) -> LinkCounters:
        """Bytes, packets and drops in both directions."""
        (answer,) = self._netlink.ask(_GET_STATS, _IF_STATS.pack(self._index, 1 << (_LINK_64 - 1)))
        statistics = attributes(answer.payload[_IF_STATS.size :])[_LINK_64]
        rx_packets, tx_packets, rx_bytes, tx_bytes, _, _, rx_dropped, tx_dropped = _STATS64.unpack_from(statistics)
        return LinkCounters(
            rx_bytes=rx_bytes,
            tx_bytes=tx_bytes,
            rx_packets=rx_packets,
            tx_packets=tx_packets,
            rx_dropped=rx_dropped,
            tx_dropped=tx_dropped,
        )

    def root_qdisc(self) -> QdiscCounters | None:
        """The root alone, which counts what its children drop as well. None where the interface has none."""
        answers = self._netlink.ask(_GET_QDISC, _TC_MESSAGE.pack(0, self._index, 0, _ROOT, 0), flags=ECHO)
        return _qdisc(answers[0].payload) if answers else None

    def qdiscs(self) -> list[QdiscCounters]:
        """Every qdisc of the interface, the root first. An unshaped veth has one that counts nothing (``noqueue``)."""
        answers = self._netlink.dump(_GET_QDISC, _TC_MESSAGE.pack(0, self._index, 0, 0, 0))
        found = [_qdisc(answer.payload) for answer in answers if _index_of(answer.payload) == self._index]
        return sorted(found, key=lambda qdisc: qdisc.parent != _ROOT)

    def close(self) -> None:
        """Lets go of the namespace."""
        self._netlink.close()

    def __enter__(self) -> "Counters":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _index_of(payload: bytes) -> int:
    return int(_TC_MESSAGE.unpack_from(payload)[1])


def _qdisc(payload: bytes) -> QdiscCounters:
    _, _, _, parent, _ = _TC_MESSAGE.unpack_from(payload)
    found = attributes(payload[_TC_MESSAGE.size :])
    statistics = attributes(found.get(_TCA_STATS2, b""))
    size, packets = _BASIC.unpack_from(statistics.get(_STATS_BASIC, bytes(_BASIC.size)))
    _, backlog, drops, _, overlimits = _QUEUE.unpack_from(statistics.get(_STATS_QUEUE, bytes(_QUEUE.size)))
    return QdiscCounters(
        kind=found[_TCA_KIND].rstrip(b"\0").decode(),
        parent=parent,
        bytes=size,
        packets=packets,
        drops=drops,
        overlimits=overlimits,
        backlog=backlog,
    )

"""One end of a link: the interface's counters and its qdisc's, since each was made."""

from testbed.linux.net.counters import Counters, LinkCounters, QdiscCounters
from testbed.metrics.source import Row


class LinkSource:
    """Rows ``link`` and ``qdisc`` of one interface of a host, whose namespace is that of process ``pid``; of the qdisc
    one at every so-many-th sample, the first included.

    Raises ``OSError`` when there is no such interface.
    """

    def __init__(self, host: str, pid: int, interface: str, qdisc_every: int = 1) -> None:
        self._place = {"host": host, "interface": interface}
        self._counters = Counters(pid, interface)
        self._every, self._samples = qdisc_every, 0

    def sample(self) -> list[Row]:
        """Two rows; one where the interface has no qdisc, or its turn has not come."""
        rows = [self._link_row(self._counters.link())]
        qdisc = self._counters.root_qdisc() if self._samples % self._every == 0 else None
        self._samples += 1
        if qdisc is not None:
            rows.append(self._qdisc_row(qdisc))
        return rows

    def close(self) -> None:
        """Lets go of the namespace."""
        self._counters.close()

    def _link_row(self, link: LinkCounters) -> Row:
        return {
            "kind": "link",
            **self._place,
            "rx_bytes": link.rx_bytes,
            "tx_bytes": link.tx_bytes,
            "rx_packets": link.rx_packets,
            "tx_packets": link.tx_packets,
            "rx_dropped": link.rx_dropped,
            "tx_dropped": link.tx_dropped,
        }

    def _qdisc_row(self, qdisc: QdiscCounters) -> Row:
        return {
            "kind": "qdisc",
            **self._place,
            "qdisc": qdisc.kind,
            "bytes": qdisc.bytes,
            "packets": qdisc.packets,
            "drops": qdisc.drops,
            "overlimits": qdisc.overlimits,
            "backlog": qdisc.backlog,
        }

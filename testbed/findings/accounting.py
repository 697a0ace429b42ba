"""Every byte thrice: as pages, as what sockets carried, and as what the link counted. They have to agree.

link bytes - headers of its packets  =  socket bytes + channel bytes + retransmitted bytes + cross traffic
socket bytes - framing               =  page bytes
"""

from dataclasses import dataclass

from testbed.core.network.frames import TCP_FRAME_BYTES
from testbed.core.records.migration import AccountingRecord

TOLERANCE = 0.005
SLACK_BYTES = 256 * 1024
"""What may be unexplained: SYN options, ARP, keep-alives, and the share of retransmits that is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCount:
    """Bytes and packets that an interface sent."""

    sent_bytes: int
    sent_packets: int

    def __sub__(self, before: "LinkCount") -> "LinkCount":
        return LinkCount(
            sent_bytes=self.sent_bytes - before.sent_bytes, sent_packets=self.sent_packets - before.sent_packets
        )

    @property
    def payload(self) -> int:
        """What TCP carried in them. A counter on veth counts a GSO packet once, so its count of packets is the right
        one, whatever their size.
        """
        return self.sent_bytes - TCP_FRAME_BYTES * self.sent_packets


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCount:
    """Cross traffic while the link was counted, by its own receiver: ``payload`` bytes as the link's count has them,
    and ``slack`` bytes that this may be off by, since the two counts are read at other instants. ``rate`` of payload
    that arrived, in bytes per second; None for no time.
    """

    payload: int
    slack: int
    rate: float | None = None


NO_CROSS = CrossCount(payload=0, slack=0)


def account(
    *, rounds_bytes: int, page_bytes: int, framing_bytes: int, channel_bytes: int, link: LinkCount | None,
    retransmitted_bytes: int, cross: CrossCount = NO_CROSS,
) -> AccountingRecord:  # fmt: skip
    """Holds the three against each other. ``rounds_bytes`` are what the rounds say, ``page_bytes`` what streams say.

    As much of the cross traffic may be unexplained as of the migration's own, and its slack more.
    """
    socket_bytes = page_bytes + framing_bytes
    consistent: bool | None = None
    if link is not None:
        unexplained = abs(link.payload - socket_bytes - channel_bytes - cross.payload)
        allowed = TOLERANCE * (socket_bytes + cross.payload) + SLACK_BYTES + cross.slack + retransmitted_bytes
        consistent = rounds_bytes == page_bytes and unexplained <= allowed
    return AccountingRecord(
        page_bytes=page_bytes,
        socket_bytes=socket_bytes,
        link_bytes=None if link is None else link.sent_bytes,
        consistent=consistent,
    )

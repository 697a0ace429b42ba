"""What of a link a migration gets: its goodput, less cross traffic, and no more than its streams may carry.

B = min(B_link - x', streams x cap)        x' = x in what TCP would have carried of the same frames
                                           x' <= B_link n / (n + streams), where x is TCP on n connections
"""

from testbed.core.errors import ScenarioError
from testbed.core.network.frames import TCP_IP_BYTES, UDP_IP_BYTES, payload
from testbed.core.plan import LinkPlan, Plan


def link_goodput(link: LinkPlan) -> float:
    """Bytes per second of TCP payload that a link's rate implies.

    Raises ``ScenarioError`` for a link without a rate, whose goodput only a measurement can tell.
    """
    if link.goodput is not None:
        return link.goodput / 8
    if link.rate is None:
        raise ScenarioError(
            "the vMotion link has no rate: it is as fast as this machine, which only a run can tell; "
            "to predict, give it one: --set network.vmotion.rate=10Gbit, or rate: 10Gbit in the file"
        )
    return payload(link.rate / 8, link.mtu)


def available(plan: Plan, goodput: float) -> float:
    """Bytes per second of page bytes that a migration gets on a link of ``goodput`` bytes per second of TCP payload.

    Cross traffic by UDP keeps its rate: it is paced, and does not yield. By TCP it yields down to its share, which is
    an estimate: connections that all want more than there is get the same each. 0 or less: nothing is left.
    """
    cross, streams, cap = plan.network.cross_traffic, plan.migration.streams, plan.migration.stream_cap
    most = float("inf") if cap is None else streams * cap / 8
    if cross is None:
        return min(goodput, most)
    if cross.elastic:
        fair = goodput * cross.connections / (streams + cross.connections)
        return min(goodput - min(cross.rate / 8, max(fair, goodput - most)), most)
    return min(goodput - _taken(cross.rate / 8, plan.network.vmotion.mtu), most)


def _taken(rate: float, mtu: int) -> float:
    """Of full frames: a UDP datagram of the same size carries 24 bytes more than a TCP segment does."""
    return rate * (mtu - TCP_IP_BYTES) / (mtu - UDP_IP_BYTES)

"""What of a link a migration gets: its goodput, less cross traffic, and no more than its streams may carry.

B = min(B_link - x', streams x cap)        x' = x in what TCP would have carried of the same frames
"""

from testbed.core.errors import ScenarioError
from testbed.core.network.frames import TCP_IP_BYTES, UDP_IP_BYTES, payload
from testbed.core.plan import CrossTrafficPlan, LinkPlan, Plan


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

    Cross traffic keeps its rate: it is paced, and does not yield. 0 or less: nothing is left.
    """
    left = goodput - _taken(plan.network.cross_traffic, plan.network.vmotion.mtu)
    cap = plan.migration.stream_cap
    return left if cap is None else min(left, plan.migration.streams * cap / 8)


def _taken(cross: CrossTrafficPlan | None, mtu: int) -> float:
    """Of full frames: a UDP datagram of the same size carries 24 bytes more than a TCP segment does."""
    if cross is None:
        return 0.0
    frame = mtu - (UDP_IP_BYTES if cross.protocol == "udp" else TCP_IP_BYTES)
    return cross.rate / 8 * (mtu - TCP_IP_BYTES) / frame

"""What of a link a migration gets: its goodput, less cross traffic, and no more than its streams may carry.

B = min(B_link - x', streams x cap)        x' = x in what TCP would have carried of the same frames
                                           x' <= B_link n / (n + streams), where x is TCP on n connections

Where frames are lost at random, TCP takes each for a sign of congestion. Its window, in segments, is then on average

W = sqrt(3 / 2p)                           Reno, and CUBIC where that is more (Mathis and others, 1997; RFC 9438, 5.1)
W = 1.054 (rtt / p)^(3/4)                  CUBIC with C = 0.4 and beta = 0.7 (RFC 9438, 5.1)

and one connection carries W segments a round trip, or the link's rate if that is less.
How streams come to both is in ``streams``.
"""

import math

from testbed.core.errors import ScenarioError
from testbed.core.network.frames import TCP_IP_BYTES, UDP_IP_BYTES, payload
from testbed.core.plan import LinkPlan, Plan
from testbed.model.streams import SEGMENTS_FIRST, RandomLoss, Streams


def link_goodput(link: LinkPlan) -> float:
    """Bytes per second of TCP payload that a link's rate implies.

    Raises ``ScenarioError`` for a link without a rate, whose goodput only a measurement can tell.
    """
    mean, most = _mean_window(link), _unlossy(link) * (1 - link.loss)
    return min(most, mean * (link.mtu - TCP_IP_BYTES) / (2 * link.delay_s)) if mean else most


def _mean_window(link: LinkPlan) -> float | None:
    """Segments that the congestion control of one connection leaves; None where no loss or no round trip is asked."""
    rtt_s = 2 * link.delay_s
    if not link.loss or not rtt_s or link.congestion not in ("cubic", "reno"):
        return None
    reno = math.sqrt(1.5 / link.loss)
    return max(reno, 1.054 * (rtt_s / link.loss) ** 0.75) if link.congestion == "cubic" else reno


def streams(plan: Plan, goodput: float, rtt_s: float) -> Streams:
    """What carries a migration over a link of ``goodput`` bytes per second of TCP payload. Where frames are lost that
    is a mean, or a beginning; if the link has a rate its streams begin at that instead.
    """
    link, segments = plan.network.vmotion, plan.migration.streams * (plan.network.vmotion.mtu - TCP_IP_BYTES)
    mean, loss = _mean_window(link), None
    if mean and (link.rate or link.goodput):
        goodput, loss = _unlossy(link) * (1 - link.loss), RandomLoss.of(link.loss, mean, link.congestion)
    rate = available(plan, goodput)
    return Streams(rate=rate, rtt_s=rtt_s, first=SEGMENTS_FIRST * segments, segments=segments, loss=loss)


def _unlossy(link: LinkPlan) -> float:
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

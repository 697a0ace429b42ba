"""What the link really does, measured on it before the migration; and whether the machine can carry what is asked."""

from dataclasses import replace

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.plan import LinkPlan
from testbed.core.record import LinkRecord
from testbed.core.units import in_bits_per_second
from testbed.linux.counters import Counters
from testbed.network.fabric import Fabric
from testbed.network.links import bucket, expected_goodput, qdisc_rate, shape
from testbed.network.probing import transfer

TOLERANCE = 0.02
"""How far the measured goodput may be from what the rate implies."""

_ASK_FROM = 2e9 / 8
"""Goodput in bytes per second below which every machine is taken to carry it."""
_CAPACITY_S, _BULK_S, _UNSHAPED_S = 0.3, 0.6, 0.4
_BULK_MIN = 256 * 1024
_RAMP_DELAYS = 60
"""One-way delays by which a transfer is longer: slow start doubles every two, and must be over by its half."""
_ROUND_TRIPS = 50
_TRIES = 3


def require_capacity(fabric: Fabric, plan: LinkPlan) -> None:
    """Raises ``ScenarioError`` with the highest rate that can be shaped here when this machine cannot carry the plan's.

    It is tried, not computed: the link is shaped as planned and a transfer must reach what that implies. Only plans
    that ask for much are tried; the link stays shaped as it was tried last.
    """
    expected = expected_goodput(plan)
    if expected is None or expected < _ASK_FROM or _carries(fabric, plan):
        return
    kind = "rate" if plan.goodput is None else "goodput"
    raise ScenarioError(
        f"this machine cannot shape a {kind} of {in_bits_per_second(_asked(plan))}: "
        f"ask for at most {in_bits_per_second(_highest(fabric, plan))}, or for a larger scale.size"
    )


def _carries(fabric: Fabric, plan: LinkPlan) -> bool:
    """Whether a transfer over the link so shaped reaches its goodput; a near miss is tried again."""
    expected = expected_goodput(plan) or 0.0
    shape(fabric, "vmotion", plan)
    seconds = _CAPACITY_S + _RAMP_DELAYS * plan.delay_s
    settle = _settle_bytes(plan, round(expected * seconds))
    reached = 0.0
    for _ in range(_TRIES):
        seen = transfer(fabric, congestion=plan.congestion, seconds=seconds, settle_bytes=settle)
        reached = seen.goodput / expected
        if not 0.9 <= reached < 1 - TOLERANCE:
            break
    return reached >= 1 - TOLERANCE


def _highest(fabric: Fabric, plan: LinkPlan) -> float:
    """The first that it carries of rates that fall by a tenth, from what the unshaped link carries."""
    shape(fabric, "vmotion", replace(plan, rate=None, goodput=None))
    share = min(1.0, capacity(fabric, plan.congestion) / (expected_goodput(plan) or 1.0))
    while share > 0.01:
        share *= 0.9
        rate = _rounded_down(_asked(plan) * share)
        tried = replace(plan, rate=rate) if plan.goodput is None else replace(plan, goodput=rate)
        if _carries(fabric, tried):
            return rate
    raise TestbedError("the vMotion link carries next to nothing: is the machine busy with something else?")


def _asked(plan: LinkPlan) -> float:
    return plan.rate or plan.goodput or 0.0


def capacity(fabric: Fabric, congestion: str = "cubic") -> float:
    """TCP payload in bytes per second over the vMotion link as it is now; meant for an unshaped one."""
    return transfer(fabric, congestion=congestion, seconds=_CAPACITY_S).whole


def calibrate(fabric: Fabric, plan: LinkPlan) -> LinkRecord:
    """Measures the vMotion link as it is shaped: goodput, round trip time on the idle link, drops; under a second.

    Goodput leaves out the start: what the token bucket lets through at once, and TCP's slow start. ``verified`` when it
    is within ``TOLERANCE`` of what the rate implies, or nothing is implied. A measurement that was disturbed (another
    process had the processor) is made again, at most twice: the last one stands. Raises ``TestbedError``.
    """
    record = _measure(fabric, plan)
    for _ in range(_TRIES - 1):
        if record.verified:
            break
        record = _measure(fabric, plan)
    return record


def _measure(fabric: Fabric, plan: LinkPlan) -> LinkRecord:
    expected = expected_goodput(plan)
    seconds = _BULK_S + _RAMP_DELAYS * plan.delay_s
    size = max(_BULK_MIN, round(expected * seconds)) if expected else 0
    before = _drops(fabric)
    seen = transfer(
        fabric,
        congestion=plan.congestion,
        size=size,
        seconds=_UNSHAPED_S,
        settle_bytes=_settle_bytes(plan, size),
        round_trips=_ROUND_TRIPS,
    )
    return LinkRecord(
        rate=qdisc_rate(plan),
        goodput=seen.goodput * 8,
        expected_goodput=None if expected is None else expected * 8,
        rtt_s=seen.rtt_s,
        drops=_drops(fabric) - before,
        mtu=plan.mtu,
        verified=expected is None or abs(seen.goodput / expected - 1) <= TOLERANCE,
    )


def _settle_bytes(plan: LinkPlan, size: int) -> int:
    """A tenth of the transfer, at least two buckets; half of it where TCP has a delay to ramp up over."""
    rate = qdisc_rate(plan)
    if rate is None:
        return 1 << 20
    return round(max(size / (2 if plan.delay_s else 10), 2 * bucket(rate, plan.mtu).burst))


def _drops(fabric: Fabric) -> int:
    """Frames dropped so far at both ends of the vMotion link, by the interface or by its qdisc."""
    total = 0
    for end in fabric.ends("vmotion"):
        try:
            with Counters(end.pid, end.interface) as counters:
                link = counters.link()
                total += link.rx_dropped + link.tx_dropped + sum(qdisc.drops for qdisc in counters.qdiscs())
        except OSError as error:
            raise TestbedError(f"the counters of {end.interface} cannot be read: {error}") from error
    return total


def _rounded_down(rate: float) -> float:
    """To two digits, so that the next run at the rate named has a little room."""
    unit = 10.0 ** (len(str(int(rate))) - 2)
    return rate // unit * unit

"""What the link really does, measured on it before the migration; and whether the machine can carry what is asked."""

from dataclasses import replace

from testbed.core.errors import ScenarioError, TestbedError, in_words
from testbed.core.network.names import VMOTION
from testbed.core.plan import LinkPlan
from testbed.core.records.link import LinkRecord
from testbed.core.units import in_bits_per_second
from testbed.linux.net.counters import Counters
from testbed.network.fabric import Fabric
from testbed.network.links import UNTRIMMED, Trim, bucket, expected_goodput, qdisc_rate, set_rate, shape
from testbed.network.traffic.loss import lost
from testbed.network.traffic.transfer import Transfer, transfer
from testbed.network.trim import Trimmed, trimmed

TOLERANCE = 0.02
"""How far the measured goodput may be from what the rate implies."""

_ASK_FROM = 2e9 / 8
"""Goodput in bytes per second below which every machine is taken to carry it."""
_CAPACITY_S, _FORTH_S, _BACK_S, _UNSHAPED_S = 0.3, 0.45, 0.25, 0.4
"""Of a transfer, after it has settled; back go only acknowledgements and words."""
_BULK_MIN = 256 * 1024
_RAMP_DELAYS = 60
"""One-way delays by which a transfer is longer: slow start doubles every two, and must be over by its half."""
_ROUND_TRIPS, _WORD_DELAYS = 50, 20
"""The most of them, and the one-way delays that the least of them, with connecting and ending, take."""
_TRIES = 3
NETEM_TOLERANCE = 0.1
"""How far a round trip may be from twice the delay, and a loss from what was asked, as a share of it."""
_LOSSY_S, _LOSSY_SETTLE = 1.0, 64 << 10
"""With loss a transfer is timed: it goes by TCP's window, which takes many round trips to swing, and is small."""
_LOSS_FRAMES, _LOSS_S = 50_000, 3.0


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
    shape(fabric, VMOTION, plan)
    ramp_s, settle = _RAMP_DELAYS * plan.delay_s, _settle_bytes(plan)
    seconds = _CAPACITY_S + ramp_s + settle / (expected or 1.0)
    if ramp_s:
        settle = max(settle, round(expected * seconds / 2))
    reached = 0.0
    for _ in range(_TRIES):
        seen = transfer(fabric, congestion=plan.congestion, seconds=seconds, settle_bytes=settle, takes_s=seconds)
        reached = seen.goodput / expected
        if not 0.9 <= reached < 1 - TOLERANCE:
            break
    return reached >= 1 - TOLERANCE


def _highest(fabric: Fabric, plan: LinkPlan) -> float:
    """The first that it carries of rates that fall by a tenth, from what the unshaped link carries to a twentieth of
    that: it is little where others have the processors, whatever was asked for.
    """
    shape(fabric, VMOTION, replace(plan, rate=None, goodput=None))
    share = min(1.0, capacity(fabric, plan.congestion) / (expected_goodput(plan) or 1.0))
    least = share / 20
    while share > least:
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
    """Measures the vMotion link in both directions, and trims what it is shaped to until it gives what the rate
    implies, to 0.2 % (``network.trim``): goodput, round trip time on the idle link, drops; within a few seconds.

    Goodput leaves out the start: what the token bucket lets through at once, and TCP's slow start. The last proof
    stands. ``verified`` when it is within ``TOLERANCE`` of what the rate implies, or nothing is implied. A link with
    delay is not trimmed, for there TCP has its part in the goodput; its round trip has to come to a tenth of twice the
    delay. With loss TCP has all of it: no goodput is implied, and the loss itself is counted. Raises ``TestbedError``.
    """
    made = _proved(fabric, plan)
    made.delay_s, made.loss = plan.delay_s, plan.loss
    if plan.loss:
        counted = lost(fabric, plan, _LOSS_FRAMES, _LOSS_S)
        made.measured_loss = counted.share
        made.verified = made.verified and counted.agrees(plan.loss, NETEM_TOLERANCE)
    if plan.delay_s:
        made.verified = made.verified and abs((made.least_rtt_s or 0.0) / (2 * plan.delay_s) - 1) <= NETEM_TOLERANCE
    return made


def _proved(fabric: Fabric, plan: LinkPlan) -> LinkRecord:
    """Goodput, where one is implied, and the round trip."""
    expected, dropped = expected_goodput(plan), _drops(fabric)
    proving = _Proving(fabric, plan)
    if expected is None:
        seen = proving.transfer(back=False)
        made = _record(plan, seen.goodput, None, rtt_s=seen.rtt_s, drops=_drops(fabric) - dropped)
        made.least_rtt_s = seen.least_rtt_s
        return made
    forth, back = proving.direction(back=False), proving.direction(back=True)
    proving.leave(Trim(forth=forth.factor, back=back.factor))
    made = _record(
        plan, expected * forth.share, expected * back.share, rtt_s=proving.rtt_s, drops=_drops(fabric) - dropped
    )
    made.least_rtt_s = proving.least_rtt_s
    made.trim, made.trim_back, made.proofs = forth.factor, back.factor, forth.proofs + back.proofs
    return made


def trim_of(record: LinkRecord) -> Trim:
    """As ``calibrate`` has left the link."""
    return Trim(forth=record.trim, back=record.trim_back)


class _Proving:
    """One link's proofs, one direction after the other. ``rtt_s``: of the first, when the link was idle."""

    def __init__(self, fabric: Fabric, plan: LinkPlan) -> None:
        self._fabric, self._plan, self._expected = fabric, plan, expected_goodput(plan)
        self._trim = UNTRIMMED
        self.rtt_s: float | None = None
        self.least_rtt_s: float | None = None

    def direction(self, *, back: bool) -> Trimmed:
        """Trimmed, if it has to be and can be."""
        if not self._plan.delay_s:
            return trimmed(lambda factor: self._share(factor, back=back))
        seen: list[float] = []
        while len(seen) < _TRIES and not (seen and abs(seen[-1] - 1) <= TOLERANCE):
            seen.append(self._share(1.0, back=back))
        return Trimmed(factor=1.0, share=seen[-1], proofs=len(seen))

    def leave(self, trim: Trim) -> None:
        """The link so trimmed; one that is so already is not touched."""
        if trim != self._trim:
            set_rate(self._fabric, VMOTION, self._plan, trim)
            self._trim = trim

    def _share(self, factor: float, *, back: bool) -> float:
        self.leave(Trim(back=factor) if back else Trim(forth=factor))
        seen = self.transfer(back=back)
        if self.rtt_s is None:
            self.rtt_s, self.least_rtt_s = seen.rtt_s, seen.least_rtt_s
        return seen.goodput / (self._expected or 1.0)

    def transfer(self, *, back: bool) -> Transfer:
        """Once, as the link is."""
        ramp, settle = _RAMP_DELAYS * self._plan.delay_s, _settle_bytes(self._plan)
        if self._plan.loss:
            settle = _LOSSY_SETTLE
        seconds = (_BACK_S if back else _FORTH_S) + ramp
        size = max(_BULK_MIN, round(self._expected * seconds + settle)) if self._expected else 0
        lasts_s = _LOSSY_S + ramp if self._plan.loss else _UNSHAPED_S
        takes_s = size / self._expected if self._expected else lasts_s
        return transfer(
            self._fabric,
            congestion=self._plan.congestion,
            size=size,
            seconds=lasts_s,
            settle_bytes=max(settle, size // 2) if ramp else settle,
            round_trips=0 if back else _ROUND_TRIPS,
            back=back,
            takes_s=takes_s + _WORD_DELAYS * self._plan.delay_s,
        )


def _record(
    plan: LinkPlan, goodput: float, goodput_back: float | None, *, rtt_s: float | None, drops: int
) -> LinkRecord:
    """Goodputs in bytes per second."""
    expected = expected_goodput(plan)
    seen = [each for each in (goodput, goodput_back) if each is not None]
    return LinkRecord(
        rate=qdisc_rate(plan),
        goodput=goodput * 8,
        goodput_back=None if goodput_back is None else goodput_back * 8,
        expected_goodput=None if expected is None else expected * 8,
        rtt_s=rtt_s,
        drops=drops,
        mtu=plan.mtu,
        verified=expected is None or all(abs(each / expected - 1) <= TOLERANCE for each in seen),
    )


def _settle_bytes(plan: LinkPlan) -> int:
    """What leaves before the link runs at its rate."""
    rate = qdisc_rate(plan)
    return 1 << 20 if rate is None else round(bucket(rate, plan.mtu).settle_bytes)


def _drops(fabric: Fabric) -> int:
    """Frames dropped so far at both ends of the vMotion link, by the interface or by its qdisc."""
    total = 0
    for end in fabric.ends(VMOTION):
        try:
            with Counters(end.pid, end.interface) as counters:
                link = counters.link()
                total += link.rx_dropped + link.tx_dropped + sum(qdisc.drops for qdisc in counters.qdiscs())
        except OSError as error:
            raise TestbedError(f"the counters of {end.interface} cannot be read: {in_words(error)}") from error
    return total


def _rounded_down(rate: float) -> float:
    """To two digits, so that the next run at the rate named has a little room."""
    unit = 10.0 ** (len(str(int(rate))) - 2)
    return rate // unit * unit

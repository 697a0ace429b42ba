"""Links that run at the rate that was asked for, in both directions: a token bucket (TBF) where traffic leaves.

What a rate counts. The qdisc charges a frame its IP packet and 14 bytes of Ethernet, so with TCP timestamps

    goodput / rate = (mtu - 52) / (mtu + 14)          IPv4 20 + TCP 20 + timestamps 12;   1448 / 1514 at mtu 1500

The bucket. What it holds leaves at once after a pause, so a short transfer is too fast by its size; but it is also
all that makes up for a timer that fires late. Measured goodput over what the rate implies, on two cores, at 1, 4 and
10 Gbit/s (busy: with both cores at work already; best of three):

    bucket     8 MB after a pause     0.5 s                  0.5 s, busy
    0.5 ms     +0.2, +0.2, +1 %       1.000, 1.000, 1.000    1.000, 0.989, 0.996
    0.75 ms    +0.4, +2, +5 %         1.000, 1.000, 1.000    1.000, 1.000, 0.998
    1 ms       +0.9, +3, +9 %         1.000, 1.000, 1.000    1.000, 1.000, 0.998
    2 ms       +2, +10, +27 %         1.000, 1.000, 1.000    1.000, 1.000, 1.000

A bucket of one segment loses a timer's delay at every segment (0.93 at 10 Gbit/s), so it must hold two; where 0.75 ms
is less than two segments of 64 KiB (below about 1.4 Gbit/s) the segments are made smaller and not the bucket larger,
which at 10 Mbit/s would let 1 MB go 7 % too fast and does now 0.3 % (2 % at mtu 9000: two frames are the least). Where
two frames are more than half of 0.75 ms (below 65 Mbit/s), it holds these and that half, so that a timer may be as
late as at any other rate: on an emulated arm64, with 0.1 ms for it, 25 Mbit/s gave 23.0 to 23.8, and then 25.0.
Another rate under running connections gets a bucket that holds their segments: the qdisc cuts what comes and is too
large for it, but not what waits in it already, and one that never fits would hold up all behind it for good.

A timer that is later than the bucket is deep loses what would have gone meanwhile for good, on a busy machine half a
per cent and more. So there are two buckets: the one above, filled at ``_PEAK`` times the rate, is all that can go at
once, and a deeper one, filled at the rate, keeps what a late timer has missed until it is made up for, half a per cent
faster than the rate and no more. Over what the rate implies, at 0.3 and 1 Gbit/s beside other sessions' work (mean of
six; a deep bucket is full after a pause, so what 0.7 s are too fast by is its 1.25 ms more, once):

    buckets                      8 MB after a pause     0.7 s      least of 0.7 s
    0.75 ms                      -0.6 %                 0.9997     0.9987
    0.75 ms, 2 ms, peak 1.005    +0.5 %                 1.0012     1.0004
    0.75 ms, 2 ms, peak 1.01     +1.4 %                 1.0005     1.0000
    0.75 ms, 3 ms, peak 1.01     +1.0 %                 1.0021     1.0021

The queue. A sender on the same machine is held back by its own kernel (TCP small queues) long before the queue is
full, so its length only has to be enough for many streams; drops mean that something is wrong. But netem takes a frame
that it delays off its sender's account, so that of a delayed link all of a window is in the queue at once: it holds
``_WINDOWS`` of them. With 1 MiB, at 100 Mbit/s and 50 ms, a last round of 2.2 MB lost 540 frames and took 431 ms.
"""

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from testbed.core.errors import PrerequisiteMissing, ScenarioError
from testbed.core.network.frames import ETHERNET_BYTES, framed, payload
from testbed.core.network.names import ESX1, ESX2
from testbed.core.plan import LinkPlan
from testbed.linux.net.netns import inside, write_sysctls
from testbed.network.commands import CommandFailed, run_in
from testbed.network.fabric import Fabric
from testbed.network.hosts import End

MTU_RANGE = (1500, 9000)
"""Bytes of an IP packet: Ethernet's own, and jumbo frames."""

_BUCKET_S, _DEEP_S, _PEAK = 0.75e-3, 2e-3, 1.005
_SEGMENT_MAX = 65536
_QUEUE_S, _QUEUE_MIN, _QUEUE_MAX = 0.05, 1 << 20, 1 << 30  # tc counts it in 32 bits
_FEW = 10_000
_WINDOW_USUAL, _WINDOW_MAX, _WINDOWS = 4 << 20, 1 << 30, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A token bucket. ``rate`` and ``peak`` in bit/s; ``burst`` (what leaves at once), ``deep`` (what a late timer may
    miss without losing it), ``limit`` (the queue) and ``segment`` (largest GSO) in bytes. ``deep`` is ``burst`` where
    one bucket is enough.
    """

    rate: int
    peak: int
    burst: int
    deep: int
    limit: int
    segment: int

    @property
    def settle_bytes(self) -> float:
        """What passes after a pause until the link runs at its rate: twice what leaves at once, and all that goes at
        the peak.
        """
        return 2 * self.burst + (self.deep - self.burst) / (_PEAK - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trim:
    """By what the rates that the kernel is told are multiplied, so that a link gives what it is asked for: of what
    leaves esx1 (``forth``), and of what leaves esx2 (``back``).
    """

    forth: float = 1.0
    back: float = 1.0

    def at(self, fabric: Fabric, end: End) -> float:
        """The factor of one end of the link; a switch's port on the way has to let either direction through."""
        for name, factor in ((ESX1, self.forth), (ESX2, self.back)):
            if name in fabric.hosts and fabric.hosts[name].pid == end.pid:
                return factor
        return max(self.forth, self.back)


UNTRIMMED = Trim()


def shape(fabric: Fabric, network: str, plan: LinkPlan) -> None:
    """Gives every end of ``network`` its MTU, rate, delay (one way) and loss. Again and again: the last call holds.

    Raises ``ScenarioError`` (a rate, MTU, delay or loss that no link has, an unknown congestion control) or
    ``PrerequisiteMissing`` (no netem in this kernel). On the VM network the switch's ports are ends too.
    """
    check(plan)
    ends = fabric.ends(network)
    _require_congestion(ends[0].pid, plan.congestion)
    for end in ends:
        _shape_end(end, plan)
        _open_windows(end, plan)


def set_rate(
    fabric: Fabric, network: str, plan: LinkPlan, trim: Trim = UNTRIMMED, shaped: LinkPlan | None = None
) -> None:
    """Another rate, now, under running connections. Their segments stay as large as the link had them when it was
    ``shaped`` (None: for this very plan).
    """
    check(plan)
    most = segment(shaped) if shaped else 0
    for end in fabric.ends(network):
        _tc(end, *_discipline(plan, trim.at(fabric, end), most))


def cut(fabric: Fabric, network: str) -> None:
    """Nothing passes any more, and nobody is told: as a cable pulled beyond the next switch. ``mend`` undoes it."""
    for end in fabric.ends(network):
        _tc(end, ["root", "blackhole"])


def mend(fabric: Fabric, network: str, plan: LinkPlan, trim: Trim = UNTRIMMED, shaped: LinkPlan | None = None) -> None:
    """The link as it was before ``cut``, or at another rate than it was ``shaped`` for."""
    set_rate(fabric, network, plan, trim, shaped)


def check(plan: LinkPlan) -> None:
    """Raises ``ScenarioError`` for what no link can be, whatever the machine."""
    if plan.rate is not None and plan.goodput is not None:
        raise ScenarioError("a link has a rate or a goodput, not both: take one of them out")
    for name, asked in (("rate", plan.rate), ("goodput", plan.goodput)):
        if asked is not None and not 8 <= asked < float("inf"):
            raise ScenarioError(f"a link's {name} of {asked:g} bit/s cannot be: give one above 0, or none for no limit")
    if not MTU_RANGE[0] <= plan.mtu <= MTU_RANGE[1]:
        raise ScenarioError(f"an MTU of {plan.mtu} bytes cannot be: give one from {MTU_RANGE[0]} to {MTU_RANGE[1]}")
    if not 0 <= plan.loss < 1:
        raise ScenarioError(f"a loss of {plan.loss:g} cannot be: give a share from 0 to below 1")
    if not 0 <= plan.delay_s < 60:
        raise ScenarioError(f"a delay of {plan.delay_s:g} s cannot be: give one from 0 to below 60 s")


def qdisc_rate(plan: LinkPlan) -> float | None:
    """Bit/s as the qdisc counts them. None: unshaped."""
    if plan.goodput is not None:
        return framed(plan.goodput, plan.mtu)
    return plan.rate


def expected_goodput(plan: LinkPlan) -> float | None:
    """TCP payload in bytes per second that the rate implies. None: unshaped, or with loss (TCP decides then)."""
    rate = qdisc_rate(plan)
    if rate is None or plan.loss:
        return None
    return payload(rate / 8, plan.mtu)


def segment(plan: LinkPlan) -> int:
    """Bytes of the largest segment that a connection hands to a link that is shaped so."""
    rate = qdisc_rate(plan)
    return bucket(rate, plan.mtu).segment if rate else _SEGMENT_MAX


def bucket(rate: float, mtu: int, most: int = 0) -> Bucket:
    """The token bucket for ``rate`` bit/s, by the reasons that stand at the top of this file. ``most``: the largest
    segment of connections that were made at another rate.
    """
    frames, wanted = max(2 * (mtu + ETHERNET_BYTES), framed(most, mtu)), rate / 8 * _BUCKET_S
    burst = max(wanted, frames + wanted / 2)  # as much beside a segment at low rates as at high ones
    deep = max(burst, rate / 8 * _DEEP_S)
    return Bucket(
        rate=round(rate / 8) * 8,
        peak=round(rate / 8 * _PEAK) * 8,
        burst=round(burst),
        deep=round(deep),
        limit=round(min(max(rate / 8 * _QUEUE_S, _QUEUE_MIN), _QUEUE_MAX)),
        segment=round(min(_SEGMENT_MAX, max(burst / 2, 2 * mtu))),
    )


def _shape_end(end: End, plan: LinkPlan) -> None:
    """The size of segments first: a connection reads it when it is made."""
    most = 1 if plan.loss else 65535  # one lost segment is to be one lost frame
    sizes = ["mtu", str(plan.mtu), "gso_max_size", str(segment(plan)), "gso_max_segs", str(most)]
    run_in(end.pid, ["ip", "link", "set", "dev", end.interface, *sizes])
    _tc(end, *_discipline(plan))


def _open_windows(end: End, plan: LinkPlan) -> None:
    """TCP's buffers, of this namespace alone, hold what is under way in a round trip four times (two for the kernel's
    own overhead, two for recovery), where the kernel's usual limit would be less and hold the rate down.
    """
    window = _window(plan)
    if window > _WINDOW_USUAL:
        names = ("net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem")
        write_sysctls(end.pid, dict.fromkeys(names, f"4096 131072 {window}"))


def _window(plan: LinkPlan) -> int:
    rate = qdisc_rate(plan) or 0.0
    return max(_WINDOW_USUAL, min(round(4 * rate / 8 * 2 * plan.delay_s), _WINDOW_MAX))


def _discipline(plan: LinkPlan, trim: float = 1.0, most: int = 0) -> list[list[str]]:
    """What ``tc qdisc replace`` is told, one list a qdisc, the root first (netem with a child: tc-netem(8))."""
    asked = qdisc_rate(plan)
    rate = None if asked is None else asked * trim
    netem = bool(plan.delay_s or plan.loss)
    qdiscs = [_netem(plan, rate)] if netem else []
    if rate is not None:
        place = ["parent", "2:1", "handle", "10:"] if netem else ["root", "handle", "1:"]
        qdiscs.append([*place, *_tbf(bucket(rate, plan.mtu, most), _WINDOWS * _window(plan) if plan.delay_s else 0)])
    return qdiscs or [["root", "noqueue"]]


def _tbf(to: Bucket, least: int) -> list[str]:
    """``mtu`` is the size of the bucket that is filled at the peak rate (tc-tbf(8)). ``least``: the queue's size."""
    limit = min(max(to.limit, least), _QUEUE_MAX)
    tbf = ["tbf", "rate", f"{to.rate}bit", "burst", f"{to.deep}b", "limit", f"{limit}b"]
    return tbf if to.deep == to.burst else [*tbf, "peakrate", f"{to.peak}bit", "mtu", f"{to.burst}b"]


def _netem(plan: LinkPlan, rate: float | None) -> list[str]:
    """``limit`` counts packets: all that can be under way at the rate (100 Gbit/s when none is set), twice, as many
    small ones as are counted at once (``traffic.loss``), and what TCP's windows let go at once.
    """
    under_way = (rate or 100e9) / 8 * plan.delay_s / plan.mtu
    loss = ["loss", f"{plan.loss * 100:.6f}%"] if plan.loss else []
    windows = _WINDOWS * _window(plan) / plan.mtu
    limit, delay = str(_FEW + round(2 * under_way + windows)), f"{plan.delay_s * 1e6:.0f}us"
    return ["root", "handle", "2:", "netem", "limit", limit, "delay", delay, *loss]


def _tc(end: End, *qdiscs: Sequence[str]) -> None:
    """``replace`` changes a qdisc of the same kind and handle in place, so that what waits in it is not lost."""
    for qdisc in qdiscs:
        try:
            run_in(end.pid, ["tc", "qdisc", "replace", "dev", end.interface, *qdisc])
        except CommandFailed as error:
            if "netem" in qdisc and ("unknown" in error.stderr or "No such file" in error.stderr):
                remedy = "leave delay and loss out, or use a kernel that has it (Ubuntu: linux-modules-extra)"
                raise PrerequisiteMissing("this kernel has no netem, which makes delay and loss", remedy) from error
            raise


def _require_congestion(pid: int, name: str) -> None:
    """Asks the kernel for it, which loads its module where there is one."""

    def choose() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())

    try:
        inside(pid, choose)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EINVAL):
            raise
        with open("/proc/sys/net/ipv4/tcp_available_congestion_control", encoding="ascii") as file:
            known = ", ".join(file.read().split())
        raise ScenarioError(f"this kernel has no congestion control '{name}'; there are: {known}") from error

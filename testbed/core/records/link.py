"""What ``summary.json`` says of a migration's link: as it was emulated, who else was on it, and each stream."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class LinkRecord:
    """The link as emulated; ``goodput``, ``rtt_s`` and ``drops`` measured on it just before the migration. Rates in
    bit/s: ``rate`` as the qdisc counts, the others as TCP payload.

    ``expected_goodput`` is what the rate implies; ``verified`` is False outside 2 % of it. ``available`` is what of the
    goodput cross traffic and caps on streams leave to the migration; None: all of it. ``goodput_back`` is from the
    destination to the source. ``trim`` and ``trim_back``: what the kernel was told, as a share of what that should
    take, so that the link gives what was asked; ``proofs``: how many transfers it took to find out. ``delay_s`` (one
    way) and ``loss`` are what was asked of netem, ``measured_loss`` the share of frames that was seen not to arrive;
    None: none was asked. ``least_rtt_s`` is the link's own round trip, by the kernel, while ``rtt_s`` has in it that a
    process wakes up and answers. Where it, or the loss, is a tenth off what was asked, the link is not ``verified``.
    """

    rate: float | None
    goodput: float | None
    expected_goodput: float | None
    rtt_s: float | None
    drops: int | None
    mtu: int
    verified: bool
    available: float | None = None
    goodput_back: float | None = None
    trim: float = 1.0
    trim_back: float = 1.0
    proofs: int = 0
    delay_s: float = 0.0
    loss: float = 0.0
    measured_loss: float | None = None
    least_rtt_s: float | None = None


@dataclass(slots=True, kw_only=True)
class CrossTrafficRecord:
    """What else was on the vMotion link while the migration ran. Payload, bytes per second: asked, and arrived."""

    protocol: str
    rate: float
    achieved_rate: float | None


@dataclass(slots=True, kw_only=True)
class StreamRecord:
    """One TCP connection that carried pages."""

    index: int
    page_bytes: int
    socket_bytes: int
    retransmits: int | None
    congestion: str

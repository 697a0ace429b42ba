"""A measurement between two hosts: both ends of ``transfer_process`` started, introduced to each other, and heard."""

import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from testbed.core.errors import TestbedError
from testbed.core.network.names import ESX1, ESX2
from testbed.core.text.json_lines import read_json_line
from testbed.network.fabric import Fabric
from testbed.network.traffic import transfer_process
from testbed.network.traffic.link_script import LinkScript, ListeningPort

_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReceiver:
    """The receiving end: where it listens, and how much is to have arrived before goodput is counted."""

    address: str
    device: str
    congestion: str
    settle_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSender:
    """The sending end: round trips first, then ``size`` bytes, or as many as go in ``seconds`` when that is 0."""

    address: str
    congestion: str
    size: int
    seconds: float
    trips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReceived:
    """``size`` bytes in ``whole_s``, the first after ``first_s``; ``goodput`` in bytes per second, settled."""

    size: int
    goodput: float
    whole_s: float
    first_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSent:
    """Each round trip in seconds, and the least that the kernel saw (0: none); how long sending took until all had
    arrived.
    """

    round_trips: list[float]
    whole_s: float
    least_rtt_s: float = 0.0


Kind = TypeVar("Kind", ListeningPort, ProbeSent, ProbeReceived)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What was seen. Goodputs in bytes per second: ``goodput`` without the start of the transfer, ``whole`` with it.
    ``rtt_s`` is as a process sees it that answers; ``least_rtt_s`` is the link's own, by the kernel. None: not known.
    """

    size: int
    goodput: float
    whole: float
    rtt_s: float | None
    least_rtt_s: float | None = None


def transfer(  # noqa: PLR0913 - what a measurement is asked for
    fabric: Fabric,
    *,
    congestion: str,
    size: int = 0,
    seconds: float = 0.0,
    settle_bytes: int = 0,
    round_trips: int = 0,
    back: bool = False,
    takes_s: float = 0.0,
) -> Transfer:
    """From esx1 to esx2 (``back``: from esx2 to esx1) over the vMotion link: round trips while it is idle, then
    ``size`` bytes (or for ``seconds``). ``takes_s``: how long all of it takes on a link that is as it should be.

    Raises ``TestbedError`` when nothing or nonsense comes back.
    """
    source, destination = (ESX2, ESX1) if back else (ESX1, ESX2)
    address = fabric.host(destination).vmotion
    if fabric.host(source).vmotion is None or address is None:
        raise TestbedError("the topology gives esx1 and esx2 no vMotion network, so its link cannot be measured")
    ip, device = address.ip, address.name
    hears = ProbeReceiver(address=ip, device=device, congestion=congestion, settle_bytes=settle_bytes)
    asked = ProbeSender(address=ip, congestion=congestion, size=size, seconds=seconds, trips=round_trips)
    with ExitStack() as ends:
        receiver = ends.enter_context(LinkScript(fabric, destination, transfer_process.__file__, hears))
        sender = ends.enter_context(LinkScript(fabric, source, transfer_process.__file__, asked))
        sender.connect_to(_heard(receiver, ListeningPort))
        sent, received = _heard(sender, ProbeSent, takes_s), _heard(receiver, ProbeReceived)
    return Transfer(
        size=received.size,
        goodput=received.goodput,
        whole=received.size / received.whole_s if received.whole_s else 0.0,
        rtt_s=statistics.median(sent.round_trips) if sent.round_trips else None,
        least_rtt_s=sent.least_rtt_s or None,
    )


def _heard(end: LinkScript, kind: type[Kind], takes_s: float = 0.0) -> Kind:
    patience_s = _PATIENCE_S + takes_s
    line = end.hear(patience_s)
    if line is None:
        raise TestbedError(f"nothing passes the link: measuring it took over {patience_s:.0f} s")
    try:
        return read_json_line(kind, line)
    except ValueError as error:
        last = end.last_words("its process ended without a word")
        raise TestbedError(f"the link could not be measured: {last}") from error

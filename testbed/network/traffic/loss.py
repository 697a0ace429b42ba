"""Frames that a link loses, counted: datagrams are sent at one end, and those that arrive are counted at the other.

    esx1  loss_process ── so many frames ──▶ netem, which drops some ──▶ esx2: the interface's own counter

A count of N frames of which a share p is lost differs by chance, by the square root of N p (1 - p).
"""

import math
import socket
import time
from dataclasses import dataclass

from testbed.core.errors import TestbedError
from testbed.core.network.names import ESX1, ESX2, VMOTION
from testbed.core.plan import LinkPlan
from testbed.core.text.json_lines import read_json_line
from testbed.linux.net.counters import Counters
from testbed.linux.net.netns import inside
from testbed.network.fabric import Fabric
from testbed.network.traffic import loss_process
from testbed.network.traffic.link_script import LinkScript

UNDER_WAY = 5000
"""Frames that may be on the link at once: half of what netem's queue holds at the least (``links``)."""
_PATIENCE_S = 10.0
_CHANCE = 4.0
"""Standard deviations by which an honest count may be off: once in sixteen thousand it is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Datagrams:
    address: str
    port: int
    packets: int
    under_way: int
    pace: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    sent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Frames that left, and those of them that arrived."""

    sent: int
    arrived: int

    @property
    def share(self) -> float:
        """Lost, of those that left."""
        return 1 - self.arrived / self.sent if self.sent else 0.0

    def agrees(self, loss: float, within: float = 0.1) -> bool:
        """Whether a link of that loss may have given this: to that part of it, or as far off as chance alone leads."""
        chance = _CHANCE * math.sqrt(loss * (1 - loss) / self.sent) if self.sent else 0.0
        return bool(self.sent) and abs(self.share - loss) <= max(within * loss, chance)


def _sink(ip: str) -> socket.socket:
    """Where they go: nobody reads it, and nobody answers that there is no such port."""
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind((ip, 0))
    return sink


def lost(fabric: Fabric, plan: LinkPlan, packets: int, seconds: float) -> Counted:
    """Over the vMotion link as it is now, from esx1 to esx2; ``seconds`` is the most that sending takes.

    Raises ``TestbedError`` where there is no such link, or nothing could be sent.
    """
    here, there = fabric.host(ESX1), fabric.host(ESX2)
    if here.vmotion is None or there.vmotion is None:
        raise TestbedError("the topology gives esx1 and esx2 no vMotion network, so its loss cannot be counted")
    ip = there.vmotion.ip
    with inside(there.pid, lambda: _sink(ip)) as sink, Counters(there.pid, VMOTION) as counters:
        port: int = sink.getsockname()[1]
        pace = UNDER_WAY / plan.delay_s if plan.delay_s else None
        asked = _Datagrams(address=ip, port=port, packets=packets, under_way=UNDER_WAY, pace=pace, seconds=seconds)
        before = counters.link().rx_packets
        with LinkScript(fabric, ESX1, loss_process.__file__, asked) as sender:
            line = sender.hear(seconds + _PATIENCE_S)
            try:
                sent = read_json_line(_Sent, line or b"").sent
            except ValueError as error:
                raise TestbedError(f"loss could not be counted: {sender.last_words('nothing was sent')}") from error
        time.sleep(2 * plan.delay_s + 0.05)  # those under way
        return Counted(sent=sent, arrived=counters.link().rx_packets - before)

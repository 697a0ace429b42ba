"""Cross traffic while a context lasts: both ends of ``cross`` started, heard, and counted between any two instants.

with Crossing(fabric, plan.network) as crossing:      runs from here
    ...
    crossing.between(begin, end)                      what arrived, on the clock of everything else
"""

import bisect
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.network.names import ESX1, ESX2
from testbed.core.plan import NetworkPlan
from testbed.core.text.json_lines import read_json_line
from testbed.linux.processes.waiting import SLICE_S, Patience
from testbed.network.fabric import Fabric
from testbed.network.links import bucket, qdisc_rate
from testbed.network.traffic import cross_traffic_process
from testbed.network.traffic.link_script import LinkScript, ListeningPort

_SEGMENT = 16_384
"""Bytes a packet on an unshaped link."""
_START_S = 10.0
COUNTED_EVERY_S = 0.02
"""How often the receiver says what has arrived; in between it is taken to flow evenly."""
UDP_HEADERS, TCP_HEADERS = 14 + 20 + 8, 14 + 20 + 20 + 12
"""Bytes of Ethernet, IPv4 and UDP, or TCP with its timestamp option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossReceiver:
    """The receiving end: it counts what arrives at an address by a device, of TCP on so many connections."""

    address: str
    protocol: str
    device: str
    connections: int
    end: Literal["receive"] = "receive"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossUdpSender:
    """Datagrams that fill a frame of ``mtu`` bytes, as many at once as ``segment`` bytes hold; ``rate`` in bytes per
    second of payload.
    """

    address: str
    rate: float
    mtu: int
    segment: int
    protocol: Literal["udp"] = "udp"
    end: Literal["send"] = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossTcpSender:
    """Several connections, which together send ``rate`` bytes per second of payload, or as much of it as they get."""

    address: str
    rate: float
    congestion: str
    connections: int
    protocol: Literal["tcp"] = "tcp"
    end: Literal["send"] = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """What arrived up to an instant (CLOCK_MONOTONIC, s): payload, and the packets that it came in."""

    at: float
    sent_bytes: int
    packets: int


Told = Callable[[Crossed], None]


class Crossing:
    """The cross traffic of a plan, from esx1 to esx2. ``told`` is called every 20 ms, by another thread.

    Entering returns once it arrives. Raises ``TestbedError`` when it does not.
    """

    def __init__(self, fabric: Fabric, plan: NetworkPlan, told: Told = lambda _crossed: None) -> None:
        if plan.cross_traffic is None:
            raise ScenarioError("this plan has no cross traffic: set network.cross_traffic.rate")
        self._fabric, self._plan, self._cross, self._told = fabric, plan, plan.cross_traffic, told
        self._ends = ExitStack()
        self._seen: list[Crossed] = []
        self._arrives = threading.Event()

    def __enter__(self) -> "Crossing":
        source, destination = self._fabric.host(ESX1).vmotion, self._fabric.host(ESX2).vmotion
        if source is None or destination is None:
            raise TestbedError("the topology gives esx1 and esx2 no vMotion network for cross traffic")
        with ExitStack() as ends:
            hears = CrossReceiver(
                address=destination.ip,
                protocol=self._cross.protocol,
                device=destination.name,
                connections=self._cross.connections,
            )
            receiver = ends.enter_context(self._end(ESX2, hears))
            port = _port(receiver)
            sender = ends.enter_context(self._end(ESX1, self._sender(destination.ip)))
            sender.connect_to(port)
            reader = threading.Thread(target=self._read, args=(receiver,), daemon=True, name="cross traffic")
            reader.start()
            ends.callback(reader.join)
            ends.callback(receiver.kill)
            ends.callback(sender.kill)
            patience = Patience(_START_S)
            while not self._arrives.wait(SLICE_S):
                if not patience.over():
                    continue
                raise TestbedError("no cross traffic arrives at esx2: does anything pass the vMotion link?")
            self._ends = ends.pop_all()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """No more of it; what was counted stays."""
        self._ends.close()

    def between(self, begin: float, end: float) -> Crossed:
        """What arrived in between, ``at`` being the end; in between two counts it is taken to flow evenly."""
        until, since = self._by(end), self._by(begin)
        return Crossed(at=end, sent_bytes=until.sent_bytes - since.sent_bytes, packets=until.packets - since.packets)

    def payload(self, begin: float, end: float) -> int:
        """Bytes that arrived in between, as a count of the link has them that takes ``TCP_HEADERS`` off each packet."""
        arrived = self.between(begin, end)
        headers = UDP_HEADERS if self._cross.protocol == "udp" else TCP_HEADERS
        return arrived.sent_bytes - (TCP_HEADERS - headers) * arrived.packets

    def counted(self, begin: float, end: float) -> tuple[int, int]:
        """``payload``, and how much it may be off: what may arrive between two counts at either end."""
        return self.payload(begin, end), round((self.rate(begin, end) or 0.0) * 2 * COUNTED_EVERY_S)

    def rate(self, begin: float, end: float) -> float | None:
        """Bytes per second of payload that arrived in between; None for no time."""
        return self.between(begin, end).sent_bytes / (end - begin) if end > begin else None

    def _by(self, at: float) -> Crossed:
        """All that had arrived by then."""
        seen = self._seen
        place = bisect.bisect_right(seen, at, key=lambda crossed: crossed.at)
        if place == 0 or place == len(seen):
            return seen[max(0, place - 1)] if seen else Crossed(at=at, sent_bytes=0, packets=0)
        before, after = seen[place - 1], seen[place]
        share = (at - before.at) / (after.at - before.at)
        return Crossed(
            at=at,
            sent_bytes=before.sent_bytes + round(share * (after.sent_bytes - before.sent_bytes)),
            packets=before.packets + round(share * (after.packets - before.packets)),
        )

    def _sender(self, address: str) -> CrossUdpSender | CrossTcpSender:
        link, rate, connections = self._plan.vmotion, self._cross.rate / 8, self._cross.connections
        if self._cross.protocol == "tcp":
            return CrossTcpSender(address=address, rate=rate, congestion=link.congestion, connections=connections)
        shaped = qdisc_rate(link)
        segment = bucket(shaped, link.mtu).segment if shaped else _SEGMENT
        return CrossUdpSender(address=address, rate=rate, mtu=link.mtu, segment=segment)

    def _end(self, host: str, request: CrossReceiver | CrossUdpSender | CrossTcpSender) -> LinkScript:
        return LinkScript(self._fabric, host, cross_traffic_process.__file__, request, subprocess.DEVNULL)

    def _read(self, receiver: LinkScript) -> None:
        for line in receiver.lines():
            try:
                crossed = read_json_line(Crossed, line)
            except ValueError:  # the last line, which was being written when it was ended
                return
            self._seen.append(crossed)
            self._told(crossed)
            self._arrives.set()


def _port(receiver: LinkScript) -> ListeningPort:
    try:
        return read_json_line(ListeningPort, receiver.hear(_START_S) or b"")
    except ValueError as error:
        raise TestbedError("the cross traffic's receiver did not start on esx2") from error

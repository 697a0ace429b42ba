"""The emulated hosts of one migration and the link between them, with all that is put up in them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import IO, Any, Protocol

from testbed.core.network.names import STREAM_PORT, VM, VMOTION
from testbed.core.plan import Plan
from testbed.core.records.link import LinkRecord
from testbed.findings.ended import DESTINATION, SOURCE
from testbed.linux.net.counters import Counters, LinkCounters
from testbed.metrics.link import LinkSource
from testbed.metrics.source import SampleSource, Seldom
from testbed.metrics.tcp import TcpSource
from testbed.network.calibrate import calibrate, require_capacity, trim_of
from testbed.network.fabric import Fabric
from testbed.network.links import shape
from testbed.network.traffic.cross_traffic import Crossing, Told
from testbed.packets.capture import Capture, capture_file
from testbed.rig.applications import Applications
from testbed.rig.context import RunContext
from testbed.rig.mover import SteeredLink
from testbed.rig.orders import LinkOrders

SELDOM, STREAMS_EVERY = 5, 12
"""Ticks of the sampler between two looks at what changes slowly or says the same again, and at the streams' TCP: these
would cost more than all the rest."""


class LinkCounter(Protocol):
    """What has passed the vMotion link, counted where the source sends."""

    def link(self) -> LinkCounters:
        """Since it was made. Raises ``OSError`` when it is gone."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class Hosts(Protocol):
    """Hosts and links while the context lasts, as the stages of a migration use them. ``link`` is the vMotion link in
    somebody's hands.
    """

    @property
    def link(self) -> SteeredLink: ...

    @property
    def pids(self) -> Sequence[int]:
        """The hosts' own processes."""
        ...

    @property
    def beside(self) -> Sequence[int]:
        """All processes of the network, whose memory counts."""
        ...

    def __enter__(self) -> Any: ...

    def __exit__(self, *error: Any) -> Any: ...

    def shape(self) -> None:
        """The links as planned. Raises ``ScenarioError`` for a rate that this machine cannot carry."""
        ...

    def applications(self, context: RunContext, stack: ExitStack, log: IO[bytes]) -> Applications:
        """The guest's applications in them."""
        ...

    def prove(self) -> LinkRecord:
        """The vMotion link, measured and trimmed, while nothing else uses it. Raises ``TestbedError``."""
        ...

    def counter(self) -> LinkCounter:
        """For one thread; the caller's to close."""
        ...

    def sources(self) -> list[SampleSource]:
        """What is sampled of the links."""
        ...

    def crossing(self, told: Told) -> AbstractContextManager[Crossing] | None:
        """The plan's cross traffic; None of a plan without."""
        ...

    def capture(self, context: RunContext, log: IO[bytes]) -> Capture:
        """What keeps all packets, not yet begun."""
        ...


class EmulatedHosts:
    """``Hosts`` of Mininet's; needs root. The ``fabric`` is not up before they are entered."""

    def __init__(self, plan: Plan, fabric: Fabric) -> None:
        self._plan, self._fabric = plan, fabric
        self.link = LinkOrders(fabric, plan.network.vmotion)

    def __enter__(self) -> "EmulatedHosts":
        self._fabric.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._fabric.__exit__(*error)

    @property
    def pids(self) -> list[int]:
        """The shells of the hosts, by their pids."""
        return [host.pid for host in self._fabric.hosts.values()]

    @property
    def beside(self) -> list[int]:
        """The shells of the hosts and of the switch."""
        return [*self.pids, self._fabric.bridge.pid]

    def shape(self) -> None:
        """What can be carried is tried first."""
        network = self._plan.network
        require_capacity(self._fabric, network.vmotion)
        shape(self._fabric, VMOTION, network.vmotion)
        shape(self._fabric, VM, network.vm)

    def applications(self, context: RunContext, stack: ExitStack, log: IO[bytes]) -> Applications:
        """See ``Applications``."""
        return Applications(self._plan, context, self._fabric, stack, log)

    def prove(self) -> LinkRecord:
        """The trim that was found is kept for whatever is done to the link by hand."""
        record = calibrate(self._fabric, self._plan.network.vmotion)
        self.link.trim = trim_of(record)
        return record

    def counter(self) -> Counters:
        """What counts at the source's vMotion interface."""
        return Counters(self._fabric.host(SOURCE).pid, VMOTION)

    def sources(self) -> list[SampleSource]:
        """Both ends of the link, and the streams' TCP."""
        source, destination = self._fabric.host(SOURCE).pid, self._fabric.host(DESTINATION).pid
        return [
            LinkSource(SOURCE, source, VMOTION, qdisc_every=SELDOM),
            Seldom(LinkSource(DESTINATION, destination, VMOTION), SELDOM),
            Seldom(TcpSource(SOURCE, source, STREAM_PORT), STREAMS_EVERY),
        ]

    def crossing(self, told: Told) -> Crossing | None:
        """See ``Crossing``."""
        network = self._plan.network
        return Crossing(self._fabric, network, told) if network.cross_traffic else None

    def capture(self, context: RunContext, log: IO[bytes]) -> Capture:
        """Into the run's folder."""
        file = capture_file(context.folder.path, number=context.number, repeat=self._plan.repeat)
        return Capture(self._fabric, file, log=log)

"""This project's own agents and guest as a ``Mover``: both hosts have a guest, and an agent that holds it.

NativeStart(fabric)(place)      guests, then agents, all ready ─▶ NativeMover
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar

from guest_agent.config import Role
from testbed.core.agents.config import AgentConfig, DestinationConfig, SourceConfig
from testbed.core.agents.told import AgentFailed, Announced, DestinationReady, Gone, SourceReady
from testbed.core.errors import TestbedError
from testbed.core.events import Observer
from testbed.core.plan import Plan
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MemoryRecord, PredictionRecord
from testbed.core.text.from_json import Trusted
from testbed.engines.forecasting import foresee
from testbed.engines.native.agents import AgentProcess
from testbed.engines.native.following import Following
from testbed.engines.native.injecting import destination_holds, source_holds
from testbed.engines.native.proof import prove_memory
from testbed.engines.native.settling import Pair, freeze
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.linux.processes.interrupts import Noted
from testbed.network.fabric import Fabric
from testbed.network.hosts import Interface
from testbed.rig.guests import GuestProcess
from testbed.rig.mover import Place, SteeredLink
from testbed.rig.orders import LINK_WORDS, Orders

START_TIMEOUT_S = 30.0
WAIT_S = 600.0
"""Seconds that a destination waits for its source, beside the warm-up: calibration may be repeated in them, and takes
minutes where a processor is emulated and shared."""
ANNOUNCED_S = 1.0


class NativeMover:
    """``Mover`` by two agents, whose guests are processes with their memory in a memfd: all of it can be compared."""

    orders: ClassVar[frozenset[str]] = frozenset({"cancel", "throttle", *LINK_WORDS})

    def __init__(self, plan: Plan, pair: Pair, link: SteeredLink, chosen: SourceReady) -> None:
        self._plan, self._pair, self._link = plan, pair, link
        self.tracker, self.tracker_reason = chosen.tracker, chosen.reason

    @property
    def guests(self) -> Mapping[str, GuestProcess]:
        """The guest's two processes, by host, the source first."""
        return {SOURCE: self._pair.source, DESTINATION: self._pair.destination}

    @property
    def processes(self) -> Mapping[str, int]:
        """The pids of both agents and both guests, by name."""
        return {
            "source": self._pair.source_agent.pid,
            "destination": self._pair.destination_agent.pid,
            "guest-source": self._pair.source.pid,
            "guest-destination": self._pair.destination.pid,
        }

    def foresee(self, link: LinkRecord) -> PredictionRecord | None:
        """By the model with our agents' costs."""
        return foresee(self._plan, link)

    def run(self) -> None:
        """The source's guest alone."""
        self._pair.source.client.run()

    def migrate(self, observer: Observer, controls: Orders, noted: Noted) -> Ended:
        """Always has an answer (``Following``)."""
        timeout_s, faults = self._plan.migration.timeout_s, self._plan.faults
        following = Following(self._plan.key, self._pair, observer, timeout_s, controls, self._link, noted, faults)
        return following.to_the_end()

    def announced(self, ended: Ended) -> Ended:
        """How often the destination has announced the guest; it says so once it has done, within the cool-down."""
        if ended.outcome != "completed" or self._pair.nic is None:
            return ended
        match self._pair.destination_agent.until((Announced,), ANNOUNCED_S):
            case Announced(count=count, fault=fault):
                return replace(ended, announced=count, announce_fault=fault)
            case None:
                return replace(ended, announce_fault="the destination agent does not say")
            case AgentFailed(reason=reason):
                return replace(ended, announce_fault=f"the destination agent failed before it said so: {reason}")
            case end:
                gone = end if isinstance(end, Gone) else Gone()
                return replace(ended, announce_fault=f"the destination agent {gone} before it said so")

    def freeze(self) -> None:
        """Both guests make no step any more. Raises ``TimeoutError``."""
        freeze(self._pair)

    def prove(self, ended: Ended, worked: list[bool]) -> MemoryRecord:
        """Memory against memory, byte for byte; ``worked``: which services did anything at the destination."""
        rams = self._pair.source.ram_fd, self._pair.destination.ram_fd
        return prove_memory(rams, self._pair.source.config, ended, worked)


class NativeStart:
    """A ``Start``. ``wait_s``: how long after the warm-up the word to migrate may come."""

    def __init__(self, fabric: Fabric, wait_s: float = WAIT_S) -> None:
        self._fabric, self._wait_s = fabric, wait_s

    def __call__(self, place: Place) -> NativeMover:
        """Guests first, since agents attach to them. Raises ``TestbedError``."""
        source, destination = self._guest(place, SOURCE, "source"), self._guest(place, DESTINATION, "destination")
        source.wait_ready()
        destination.wait_ready()
        place.applications.attach(SOURCE, source, up=True)
        place.applications.attach(DESTINATION, destination, up=False)
        return self._agents(place, source, destination)

    def _guest(self, place: Place, host: str, role: Role) -> GuestProcess:
        config = place.applications.guest_config(role)
        spawn = partial(self._fabric.spawn, host, own_network=bool(config.address))
        socket = place.context.runtime / f"guest-{role}.sock"
        guest = place.stack.enter_context(GuestProcess(spawn, config, socket, place.log))
        place.context.started(guest.pid)
        return guest

    def _agents(self, place: Place, source: GuestProcess, destination: GuestProcess) -> NativeMover:
        """Both agents, ready: the destination listens, the source knows how it will track the guest."""
        number = secrets.token_hex(16)
        serving = self._agent(place, DESTINATION, self._destination_config(place, destination, number))
        sourcing = self._agent(place, SOURCE, self._source_config(place, source, number))
        serving.ready(DestinationReady, START_TIMEOUT_S)
        chosen = sourcing.ready(SourceReady, START_TIMEOUT_S)
        pair = Pair(
            source_agent=sourcing,
            destination_agent=serving,
            source=source,
            destination=destination,
            nic=place.applications.nic,
            frames=place.applications.announcement,
        )
        return NativeMover(place.plan, pair, place.link, chosen)

    def _destination_config(self, place: Place, guest: GuestProcess, migration_id: str) -> DestinationConfig:
        here = self._vmotion(DESTINATION)
        return DestinationConfig(
            guest=str(guest.socket),
            address=here.ip,
            interface=here.name,
            peer=self._vmotion(SOURCE).ip,
            wait_s=self._wait_s + place.plan.warmup_s,
            migration_id=migration_id,
            nic=place.applications.nic,
            frames=tuple(frame.hex() for frame in place.applications.announcement),
            hold=destination_holds(place.plan.faults),
        )

    def _source_config(self, place: Place, guest: GuestProcess, migration_id: str) -> SourceConfig:
        migration, cap = place.plan.migration, place.plan.migration.stream_cap
        return SourceConfig(
            guest=str(guest.socket),
            peer=self._vmotion(DESTINATION).ip,
            interface=self._vmotion(SOURCE).name,
            congestion=place.plan.network.vmotion.congestion,
            policy=Trusted(migration.policy),
            stream_cap=None if cap is None else cap / 8,
            tracker=migration.tracker,
            strict=migration.strict,
            connections=migration.connections,
            migration_id=migration_id,
            streams=migration.streams,
            nic=place.applications.nic,
            frames=tuple(frame.hex() for frame in place.applications.announcement),
            hold=source_holds(place.plan.faults),
        )

    def _vmotion(self, host: str) -> Interface:
        interface = self._fabric.host(host).vmotion
        if interface is None:
            topology = self._fabric.plan.topology
            raise TestbedError(f"topology '{topology}' has no vMotion network at {host}")
        return interface

    def _agent(self, place: Place, host: str, config: AgentConfig) -> AgentProcess:
        agent = place.stack.enter_context(AgentProcess(self._fabric, host, config, place.log))
        place.context.started(agent.pid)
        return agent

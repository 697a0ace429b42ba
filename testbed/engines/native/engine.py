"""Real hosts, a real guest, real TCP: one migration from nothing to nothing.

    network ─ guests ─ agents ─ calibrate ─ warm-up ─ pre-copy … switchover ─ cool-down ─ proof of memory ─ all gone

Everything is put on one ExitStack, so that whatever happens is undone in the opposite order.
"""

import secrets
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from time import monotonic, sleep
from typing import IO, ClassVar

from guest_agent.config import Role
from testbed.core.agents.config import AgentConfig, DestinationConfig, SourceConfig
from testbed.core.agents.told import DestinationReady, SourceReady
from testbed.core.errors import TestbedError
from testbed.core.events import Controlled, Event, PhaseChanged
from testbed.core.plan import Plan
from testbed.core.records.migration import LinkRecord, MigrationRecord
from testbed.core.records.services import ControlRecord
from testbed.core.text.from_json import Trusted
from testbed.engines import RunContext, register
from testbed.engines.forecasting import foresee
from testbed.engines.native.agents import AgentProcess
from testbed.engines.native.concluding import FAULTS, Concluding, Steps
from testbed.engines.native.following import Following
from testbed.engines.native.settling import Pair
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.findings.recording import decided
from testbed.linux.files import owned
from testbed.linux.processes.interrupts import Noted, noting
from testbed.model.link import available
from testbed.network.calibrate import calibrate, require_capacity, trim_of
from testbed.network.fabric import Fabric
from testbed.network.hosts import Interface
from testbed.network.links import shape
from testbed.network.traffic.cross_traffic import Crossing
from testbed.packets.capture import Capture, capture_file
from testbed.rig.applications import Applications
from testbed.rig.guests import GuestProcess
from testbed.rig.measuring import Measuring
from testbed.rig.orders import LinkControl, Order

START_TIMEOUT_S = 30.0
WAIT_S = 120.0
"""Seconds that a destination waits for its source, beside the warm-up: calibration may be repeated in them."""


@register("native")
class NativeEngine:
    """This project's own agents and guest, between emulated hosts on this machine; needs root."""

    needs_machine: ClassVar[bool] = True

    def migrate(self, plan: Plan, context: RunContext) -> MigrationRecord:
        """See ``Engine``. From the word on signals are noted alone: what was begun is followed to its end."""
        done: MigrationRecord | None = None
        try:
            with ExitStack() as stack, owned.append(context.log) as log:
                lab = Lab(plan, context, stack, log)
                lab.build()
                lab.warm_up()
                with noting(context.noted) as noted:
                    done = lab.conclude(lab.migrate(noted), noted)
        except FAULTS as fault:
            if done is None:
                raise
            done.valid = False
            done.invalid_reasons.append(f"its hosts were not taken down in order: {fault}")
        return done


class Lab:
    """The hosts of one migration, and what runs in them, as long as the stack lasts. ``wait_s``: how long after the
    warm-up the word to migrate may come.
    """

    def __init__(
        self, plan: Plan, context: RunContext, stack: ExitStack, log: IO[bytes], wait_s: float = WAIT_S
    ) -> None:
        self.plan, self.context, self._wait_s = plan, context, wait_s
        self._stack, self._log = stack, log
        self._watching = [context.observer]
        self._by_hand: list[tuple[float, Order, str | None]] = []
        self.steps = Steps()
        self.crossing: Crossing | None = None
        self.capture: Capture | None = None

    def build(self) -> LinkRecord:
        """Network, guests and agents, and the proof of the link, while nothing else uses it or the processors."""
        self.phase("network")
        self.fabric = self._stack.enter_context(Fabric(self.plan.network, self.context.run_id))
        for host in self.fabric.hosts.values():
            self.context.started(host.pid)
        require_capacity(self.fabric, self.plan.network.vmotion)
        shape(self.fabric, "vmotion", self.plan.network.vmotion)
        shape(self.fabric, "vm", self.plan.network.vm)
        self.link = LinkControl(self.fabric, self.plan.network.vmotion)
        self.phase("guest")
        self.applications = Applications(self.plan, self.context, self.fabric, self._stack, self._log)
        source, destination = self._guest(SOURCE, "source"), self._guest(DESTINATION, "destination")
        source.wait_ready()
        destination.wait_ready()
        self.applications.attach(SOURCE, source, up=True)
        self.applications.attach(DESTINATION, destination, up=False)
        self.pair = self._agents(source, destination)
        self.phase("calibrate")
        link = calibrate(self.fabric, self.plan.network.vmotion)
        self.link.trim = trim_of(link)
        link.available = available(self.plan, link.goodput / 8) * 8 if link.goodput else None
        self.predicted, self._calibrated = foresee(self.plan, link), link
        return link

    def warm_up(self) -> None:
        """The guest works, untracked, so that its own rate is known before anything disturbs it."""
        self.phase("warmup")
        self.measuring = self._stack.enter_context(Measuring(self.plan, self.context, self.fabric, self.pair))
        self._watching.append(self.measuring.note)
        if self.plan.network.cross_traffic:
            self.crossing = self._stack.enter_context(Crossing(self.fabric, self.plan.network, self.measuring.crossed))
        self.pair.source.client.run()
        for host, guest in ((SOURCE, self.pair.source), (DESTINATION, self.pair.destination)):
            self.measuring.follow(self.applications.follow(host, guest))
        self.measuring.follow(self.applications.start_clients())
        for client in self.applications.clients:
            self.measuring.watch(client.name, client.pid)
        self.measuring.mark("running")
        sleep(self.plan.warmup_s)

    def migrate(self, noted: Noted | None = None) -> Ended:
        """Give the word and follow it to its end, which is written down at once. Raises before the word alone."""
        if self.context.capture:
            self._capture()
        self.applications.look_up("before")
        self.measuring.mark("migrate")
        timeout_s, controls = self.plan.migration.timeout_s, self.context.controls
        ended = Following(self.plan.key, self.pair, self._observe, timeout_s, controls, self.link, noted).to_the_end()
        self.measuring.mark_anyway("ended", "migrate")
        asked = self.measuring.marks["migrate"].at
        before = [
            ControlRecord(at_s=at - asked, what=order.what, value=order.value, fault=fault)
            for at, order, fault in self._by_hand
        ]
        ended = replace(ended, controls=(*before, *ended.controls))
        known = decided(self.plan, self._calibrated, ended, **self.tracker, predicted=self.predicted)
        self.steps.take("its end could not be kept", lambda: self.context.decided(known), None)
        if self.crossing:
            self.steps.take("cross traffic", self.crossing.stop, None)
        return ended

    def by_hand(self, order: Order) -> str | None:
        """An order for the link before the migration: why it was not done, None when it was. It will be recorded."""
        fault = self.link.obey(order)
        self._by_hand.append((monotonic(), order, fault))
        done = Controlled(at=monotonic(), migration=self.plan.key, what=order.what, value=order.value, fault=fault)
        self._observe(done)
        return fault

    def conclude(self, ended: Ended, noted: Noted | None = None) -> MigrationRecord:
        """The record, once all that can be known is; whatever fails now is a reason not to believe it."""
        return Concluding(self, self._calibrated, ended, self.steps).record(noted or Noted())

    def _capture(self) -> None:
        """From just before the word is given."""
        folder, number = self.context.samples.parent, self.context.number
        file = capture_file(folder, number=number, repeat=self.plan.repeat)
        self.capture = self._stack.enter_context(Capture(self.fabric, file, log=self._log))
        self.context.started(self.capture.pid)

    def _guest(self, host: str, role: Role) -> GuestProcess:
        config = self.applications.guest_config(role)
        spawn = partial(self.fabric.spawn, host, own_network=bool(config.address))
        socket = self.context.runtime / f"guest-{role}.sock"
        guest = self._stack.enter_context(GuestProcess(spawn, config, socket, self._log))
        self.context.started(guest.pid)
        return guest

    def _agents(self, source: GuestProcess, destination: GuestProcess) -> Pair:
        """Both agents, ready: the destination listens, the source knows how it will track the guest."""
        number = secrets.token_hex(16)
        serving = self._agent(DESTINATION, self._destination_config(destination, number))
        sourcing = self._agent(SOURCE, self._source_config(source, number))
        serving.ready(DestinationReady, START_TIMEOUT_S)
        chosen = sourcing.ready(SourceReady, START_TIMEOUT_S)
        self.tracker = {"tracker": chosen.tracker, "tracker_reason": chosen.reason}
        return Pair(
            source_agent=sourcing,
            destination_agent=serving,
            source=source,
            destination=destination,
            nic=self.applications.nic,
            frames=self.applications.announcement,
        )

    def _destination_config(self, guest: GuestProcess, migration_id: str) -> DestinationConfig:
        here = self._vmotion(DESTINATION)
        return DestinationConfig(
            guest=str(guest.socket),
            address=here.ip,
            interface=here.name,
            peer=self._vmotion(SOURCE).ip,
            wait_s=self._wait_s + self.plan.warmup_s,
            migration_id=migration_id,
            nic=self.applications.nic,
            frames=tuple(frame.hex() for frame in self.applications.announcement),
        )

    def _source_config(self, guest: GuestProcess, migration_id: str) -> SourceConfig:
        migration, cap = self.plan.migration, self.plan.migration.stream_cap
        return SourceConfig(
            guest=str(guest.socket),
            peer=self._vmotion(DESTINATION).ip,
            interface=self._vmotion(SOURCE).name,
            congestion=self.plan.network.vmotion.congestion,
            policy=Trusted(migration.policy),
            stream_cap=None if cap is None else cap / 8,
            tracker=migration.tracker,
            strict=migration.strict,
            connections=migration.connections,
            migration_id=migration_id,
            streams=migration.streams,
            nic=self.applications.nic,
            frames=tuple(frame.hex() for frame in self.applications.announcement),
        )

    def _vmotion(self, host: str) -> Interface:
        interface = self.fabric.host(host).vmotion
        if interface is None:
            raise TestbedError(f"topology '{self.plan.network.topology}' has no vMotion network at {host}")
        return interface

    def _agent(self, host: str, config: AgentConfig) -> AgentProcess:
        agent = self._stack.enter_context(AgentProcess(self.fabric, host, config, self._log))
        self.context.started(agent.pid)
        return agent

    def phase(self, phase: str) -> None:
        """A stage begins, and whoever watches hears so."""
        self._observe(PhaseChanged(at=monotonic(), migration=self.plan.key, phase=phase))

    def _observe(self, event: Event) -> None:
        """To whoever watches, and into the samples once there are any."""
        for watch in self._watching:
            watch(event)

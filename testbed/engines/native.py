"""Real hosts, a real guest, real TCP: one migration from nothing to nothing.

    network ─ guests ─ agents ─ calibrate ─ warm-up ─ pre-copy … switchover ─ cool-down ─ proof of memory ─ all gone

Everything is put on one ExitStack, so that whatever happens is undone in the opposite order.
"""

import json
import secrets
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any, ClassVar

from testbed.core.errors import TestbedError
from testbed.core.events import Controlled, Event, PhaseChanged
from testbed.core.plan import Plan
from testbed.core.record import LinkRecord, MigrationRecord
from testbed.core.service_record import CaptureRecord, ControlRecord
from testbed.engines import RunContext, register
from testbed.engines.agents import AgentProcess
from testbed.engines.applications import Applications
from testbed.engines.applied import conclude
from testbed.engines.control import LinkControl, Order
from testbed.engines.evidence import Evidence
from testbed.engines.forecasting import foresee
from testbed.engines.guests import Condition, GuestProcess
from testbed.engines.measuring import Measuring
from testbed.engines.outcome import Ended, Following, Pair
from testbed.engines.proof import prove_memory
from testbed.engines.recording import record
from testbed.linux import owned
from testbed.model.link import available
from testbed.network.calibrate import calibrate, require_capacity, trim_of
from testbed.network.capture import Capture, capture_file
from testbed.network.crossing import Crossing
from testbed.network.fabric import Fabric
from testbed.network.hosts import Interface
from testbed.network.links import shape

SOURCE, DESTINATION = "esx1", "esx2"
START_TIMEOUT_S = 30.0
ANNOUNCED_S = 1.0
WAIT_S = 120.0
"""Seconds that a destination waits for its source, beside the warm-up: calibration may be repeated in them."""


@register("native")
class NativeEngine:
    """This project's own agents and guest, between emulated hosts on this machine; needs root."""

    needs_machine: ClassVar[bool] = True

    def migrate(self, plan: Plan, context: RunContext) -> MigrationRecord:
        """See ``Engine``."""
        with ExitStack() as stack, owned.append(context.log) as log:
            lab = Lab(plan, context, stack, log)
            link = lab.build()
            lab.warm_up()
            ended = lab.migrate()
            return lab.conclude(link, ended)


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
        self.crossing: Crossing | None = None
        self.capture: Capture | None = None

    def build(self) -> LinkRecord:
        """Network, guests and agents, and the proof of the link, while nothing else uses it or the processors."""
        self._phase("network")
        self.fabric = self._stack.enter_context(Fabric(self.plan.network, self.context.run_id))
        for host in self.fabric.hosts.values():
            self.context.started(host.pid)
        require_capacity(self.fabric, self.plan.network.vmotion)
        shape(self.fabric, "vmotion", self.plan.network.vmotion)
        shape(self.fabric, "vm", self.plan.network.vm)
        self.link = LinkControl(self.fabric, self.plan.network.vmotion)
        self._phase("guest")
        self.applications = Applications(self.plan, self.context, self.fabric, self._stack, self._log)
        source, destination = self._guest(SOURCE, "source"), self._guest(DESTINATION, "destination")
        source.wait_ready()
        destination.wait_ready()
        self.applications.attach(SOURCE, source, up=True)
        self.applications.attach(DESTINATION, destination, up=False)
        self.pair = self._agents(source, destination)
        self._phase("calibrate")
        link = calibrate(self.fabric, self.plan.network.vmotion)
        self.link.trim = trim_of(link)
        link.available = available(self.plan, link.goodput / 8) * 8 if link.goodput else None
        self.predicted = foresee(self.plan, link)
        return link

    def warm_up(self) -> None:
        """The guest works, untracked, so that its own rate is known before anything disturbs it."""
        self._phase("warmup")
        self.measuring = self._stack.enter_context(Measuring(self.plan, self.context, self.fabric, self.pair))
        self._watching.append(self.measuring.note)
        if self.plan.network.cross_traffic:
            self.crossing = self._stack.enter_context(Crossing(self.fabric, self.plan.network, self.measuring.crossed))
        self.pair.source.client.run()
        for host, guest in ((SOURCE, self.pair.source), (DESTINATION, self.pair.destination)):
            self.measuring.follow(self.applications.follow(host, guest))
        self.measuring.follow(self.applications.start_clients())
        for client in self.applications.clients:
            self.measuring.watch(client.name, client.process.pid)
        self.measuring.mark("running")
        sleep(self.plan.warmup_s)

    def migrate(self) -> Ended:
        """Give the word and follow it to its end."""
        if self.context.capture:
            self._capture()
        self.applications.look_up("before")
        self.measuring.mark("migrate")
        timeout_s, controls = self.plan.migration.timeout_s, self.context.controls
        ended = Following(self.pair, self._observe, timeout_s, controls, self.link).to_the_end()
        self.measuring.mark("ended")
        asked = self.measuring.marks["migrate"].at
        ended.controls[:0] = [
            ControlRecord(at_s=at - asked, what=order.what, value=order.value, fault=fault)
            for at, order, fault in self._by_hand
        ]
        if self.crossing:
            self.crossing.stop()
        return ended

    def by_hand(self, order: Order) -> str | None:
        """An order for the link before the migration: why it was not done, None when it was. It will be recorded."""
        fault = self.link.obey(order)
        self._by_hand.append((monotonic(), order, fault))
        self._observe(Controlled(at=monotonic(), what=order.what, value=order.value, fault=fault))
        return fault

    def conclude(self, link: LinkRecord, ended: Ended) -> MigrationRecord:
        """Let the guest run on where it is now; then stop everything, and hold memory against memory."""
        if not ended.interrupted:
            self._phase("cooldown")
            sleep(self.plan.cooldown_s)
        self.measuring.mark("cooled")
        capture = self._captured()
        runner, condition = self._end(ended)
        self._write_cells(ended)
        self._phase("verify")
        sampler = self.measuring.stop()
        return record(
            Evidence(
                plan=self.plan,
                link=link,
                ended=ended,
                tracker=self._tracker["tracker"],
                tracker_reason=self._tracker["reason"],
                marks=self.measuring.marks,
                sampler=sampler,
                log=self.measuring.guest_log(),
                memory=prove_memory(self.pair, ended, self.applications.worked()),
                memory_overhead=self.measuring.memory_overhead,
                condition=condition,
                predicted=self.predicted,
                crossing=self.crossing,
                capture=capture,
                applied=conclude(self.applications, ended, self.measuring.marks, runner, self._operations),
            )
        )

    def _end(self, ended: Ended) -> tuple[GuestProcess, Condition]:
        """Clients first, then disks, then both guests stand still. Where the guest is, and how it was found."""
        self.measuring.take_memory()
        self._note_announcements(ended)
        self.applications.look_up("after")
        self.applications.stop_clients()
        source, destination = self.pair.source, self.pair.destination
        runner = destination if ended.outcome == "completed" else source
        condition = runner.conclude()
        source.freeze()
        destination.freeze()
        return runner, condition

    def _capture(self) -> None:
        """From just before the word is given."""
        folder, number = self.context.samples.parent, self.context.number
        file = capture_file(folder, number=number, repeat=self.plan.repeat)
        self.capture = self._stack.enter_context(Capture(self.fabric, file, log=self._log))
        self.context.started(self.capture.pid)

    def _captured(self) -> CaptureRecord | None:
        if self.capture is None:
            return None
        kept, file = self.capture.stop(), self.capture.file
        name = f"{file.parent.name}/{file.name}"
        return CaptureRecord(file=name, packets=kept.packets, dropped=kept.dropped, fault=kept.complaint or None)

    def _note_announcements(self, ended: Ended) -> None:
        """How often the destination has announced the guest; it says so once it has done, within the cool-down."""
        if ended.outcome != "completed" or self.pair.nic is None:
            return
        event = self.pair.destination_agent.until("announced", ANNOUNCED_S)
        if event and event["event"] == "announced":
            ended.announced, ended.announce_fault = int(event["count"]), event["fault"]
        else:
            ended.announce_fault = "the destination agent " + ("died before it said so" if event else "does not say")

    @property
    def _operations(self) -> Path:
        """Where every operation of the guest's services is kept."""
        return self.context.samples.with_name("operations")

    def _write_cells(self, ended: Ended) -> None:
        """``pages.jsonl``: where in memory each round's pages were (``report.cells`` reads it)."""
        with owned.append(self.context.samples.with_name("pages.jsonl")) as file:
            for cells in ended.cells:
                line = json.dumps({"migration": self.plan.name, "repeat": self.plan.repeat, **cells}) + "\n"
                file.write(line.encode())

    def _guest(self, host: str, role: str) -> GuestProcess:
        settings = self.applications.guest_settings
        guest = GuestProcess(self.fabric, host, role, self.plan, self.context.runtime, self._log, settings)
        self.context.started(guest.process.pid)
        return self._stack.enter_context(guest)

    def _agents(self, source: GuestProcess, destination: GuestProcess) -> Pair:
        """Both agents, ready: the destination listens, the source knows how it will track the guest."""
        here, there = self._vmotion(SOURCE), self._vmotion(DESTINATION)
        migration = self.plan.migration
        nic = self.applications.nic
        common: dict[str, Any] = {"migration_id": secrets.token_hex(16), "streams": migration.streams, "nic": nic}
        common["frames"] = self.applications.announcement
        serving = self._agent(
            DESTINATION,
            {
                "role": "destination",
                "guest": str(destination.socket),
                "address": there.ip,
                "interface": there.name,
                "peer": here.ip,
                "wait_s": self._wait_s + self.plan.warmup_s,
                **common,
            },
        )
        sourcing = self._agent(
            SOURCE,
            {
                "role": "source",
                "guest": str(source.socket),
                "peer": there.ip,
                "interface": here.name,
                "congestion": self.plan.network.vmotion.congestion,
                "policy": migration.policy,
                "stream_cap": None if migration.stream_cap is None else migration.stream_cap / 8,
                "tracker": migration.tracker,
                "strict": migration.strict,
                "connections": migration.connections,
                **common,
            },
        )
        serving.ready(START_TIMEOUT_S)
        self._tracker = sourcing.ready(START_TIMEOUT_S)
        return Pair(
            source_agent=sourcing,
            destination_agent=serving,
            source=source,
            destination=destination,
            nic=nic,
            frames=tuple(map(bytes.fromhex, self.applications.announcement)),
        )

    def _vmotion(self, host: str) -> Interface:
        interface = self.fabric.host(host).vmotion
        if interface is None:
            raise TestbedError(f"topology '{self.plan.network.topology}' has no vMotion network at {host}")
        return interface

    def _agent(self, host: str, config: dict[str, Any]) -> AgentProcess:
        agent = AgentProcess(self.fabric, host, config, self._log)
        self.context.started(agent.process.pid)
        return self._stack.enter_context(agent)

    def _phase(self, phase: str) -> None:
        self._observe(PhaseChanged(at=monotonic(), phase=phase))

    def _observe(self, event: Event) -> None:
        """To whoever watches, and into the samples once there are any."""
        for watch in self._watching:
            watch(event)

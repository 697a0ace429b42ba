"""The stages of one migration: each has what exists by then, and only the one before it can give it.

    build(rig) ─▶ Built ─warm_up()─▶ Warm ─migrate()─▶ Moved ─conclude()─▶ MigrationRecord
    hosts, plan    mover, link        samples, clients   its end             all that was found out

Everything is put on one ExitStack, so that whatever happens is undone in the opposite order. What moves the guest is a
``Mover``; nothing here knows which.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import monotonic, sleep
from typing import IO, TypeAlias

from testbed.core.errors import in_words
from testbed.core.events import Controlled, Event, PhaseChanged
from testbed.core.plan import Plan
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MigrationRecord, PredictionRecord
from testbed.core.records.services import OrderRecord
from testbed.findings.ended import Ended
from testbed.findings.record import decided
from testbed.linux.files import owned
from testbed.linux.processes.interrupts import Noted, noting
from testbed.model.link import available
from testbed.network.traffic.cross_traffic import Crossing
from testbed.packets.capture import Capture
from testbed.rig.applications import Applications
from testbed.rig.context import RunContext
from testbed.rig.hosts import Hosts
from testbed.rig.measuring import Measurement
from testbed.rig.mover import Mover, Place, Start
from testbed.rig.orders import Order
from testbed.rig.steps import FAULTS, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What one migration is put into: its ``hosts``, which are not up yet. ``start`` is what moves the guest, and
    ``conclude`` makes the record of what was seen. Whatever is built lasts as long as the ``stack``.
    """

    plan: Plan
    context: RunContext
    hosts: Hosts
    start: Start
    conclude: "Conclude"
    stack: ExitStack

    def phase(self, phase: str) -> None:
        """A phase begins, and whoever watches hears so."""
        self.context.observer(PhaseChanged(at=monotonic(), migration=self.plan.key, phase=phase))


def build(rig: Rig) -> "Built":
    """Hosts, guest and mover, and the proof of the link, while nothing else uses it or the processors. Raises
    ``TestbedError``.
    """
    log = rig.stack.enter_context(owned.append(rig.context.folder.log))
    rig.phase("network")
    rig.stack.enter_context(rig.hosts)
    for pid in rig.hosts.pids:
        rig.context.started(pid)
    rig.hosts.shape()
    rig.phase("guest")
    applications = rig.hosts.applications(rig.context, rig.stack, log)
    mover = rig.start(
        Place(
            plan=rig.plan,
            context=rig.context,
            applications=applications,
            link=rig.hosts.link,
            stack=rig.stack,
            log=log,
        )
    )
    rig.phase("calibrate")
    link = rig.hosts.prove()
    link.available = available(rig.plan, link.goodput / 8) * 8 if link.goodput else None
    predicted = mover.foresee(link)
    return Built(set_up=SetUp(log=log, applications=applications, mover=mover, link=link, predicted=predicted), rig=rig)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """What has been put up, and is there in each stage: the guest's ``applications``, what moves it, and the ``link``
    as it was proved; ``predicted`` is what a model makes of that.
    """

    log: IO[bytes]
    applications: Applications
    mover: Mover
    link: LinkRecord
    predicted: PredictionRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """Hosts are up, the guest waits at both of them, and its mover for the word."""

    rig: Rig
    set_up: SetUp

    def warm_up(self) -> "Warm":
        """The guest works, untracked, so that its own rate is known before anything disturbs it. Raises
        ``TestbedError``.
        """
        rig, mover = self.rig, self.set_up.mover
        rig.phase("warmup")
        measurement = Measurement(rig.plan, rig.context, rig.hosts, mover.processes, mover.guests)
        rig.stack.enter_context(measurement)
        crossing = rig.hosts.crossing(measurement.crossed)
        traffic = None if crossing is None else rig.stack.enter_context(crossing)
        mover.run()
        self._follow(measurement)
        measurement.mark("running")
        sleep(rig.plan.warmup_s)
        return Warm(rig=rig, set_up=self.set_up, measurement=measurement, crossing=traffic)

    def _follow(self, measurement: Measurement) -> None:
        """Clients start, and all logs are sampled."""
        applications = self.set_up.applications
        for host, guest in self.set_up.mover.guests.items():
            measurement.follow(applications.follow(host, guest.logs()))
        measurement.follow(applications.start_clients())
        for client in applications.clients:
            measurement.watch(client.name, client.pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """The guest works, is measured, and its clients talk to it. ``crossing``: other traffic on the link, if any;
    ``by_hand``: what was done to the link so far, and at which second of CLOCK_MONOTONIC.
    """

    rig: Rig
    set_up: SetUp
    measurement: Measurement
    crossing: Crossing | None
    by_hand: list[OrderRecord] = field(default_factory=list)

    def obey(self, order: Order) -> str | None:
        """An order for the link before the migration: why it was not done, None when it was. It will be recorded."""
        fault, at = self.rig.hosts.link.obey(order), monotonic()
        self.by_hand.append(OrderRecord(at_s=at, what=order.what, value=order.value, fault=fault))
        migration = self.rig.plan.key
        self._observe(Controlled(at=at, migration=migration, what=order.what, value=order.value, fault=fault))
        return fault

    def migrate(self, noted: Noted | None = None) -> "Moved":
        """Gives the word and follows it to its end, which is written down at once. Raises before the word alone."""
        rig, measurement, steps = self.rig, self.measurement, Steps()
        capture = self._capture() if rig.context.capture else None
        self.set_up.applications.look_up("before")
        measurement.mark("migrate")
        ended = self.set_up.mover.migrate(self._observe, rig.context.controls, noted or Noted())
        measurement.mark_anyway("ended", "migrate")
        asked = measurement.marks["migrate"].at
        before = [replace(each, at_s=each.at_s - asked) for each in self.by_hand]
        ended = replace(ended, controls=(*before, *ended.controls))
        self._keep(ended, steps)
        if self.crossing:
            steps.take("cross traffic", self.crossing.stop, None)
        return Moved(
            rig=rig,
            set_up=self.set_up,
            measurement=measurement,
            crossing=self.crossing,
            capture=capture,
            ended=ended,
            steps=steps,
        )

    def _keep(self, ended: Ended, steps: Steps) -> None:
        """The end is on the disk before anything else is asked."""
        set_up = self.set_up
        known = decided(
            self.rig.plan,
            set_up.link,
            ended,
            tracker=set_up.mover.tracker,
            tracker_reason=set_up.mover.tracker_reason,
            predicted=set_up.predicted,
        )
        steps.take("its end could not be kept", lambda: self.rig.context.decided(known), None)

    def _capture(self) -> Capture:
        """From just before the word is given."""
        capture = self.rig.stack.enter_context(self.rig.hosts.capture(self.rig.context, self.set_up.log))
        self.rig.context.started(capture.pid)
        return capture

    def _observe(self, event: Event) -> None:
        """To whoever watches, and into the samples."""
        self.rig.context.observer(event)
        self.measurement.note(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The migration has ``ended``, in whatever way; the guest is where it says, and everything still runs. ``steps``
    have been begun.
    """

    rig: Rig
    set_up: SetUp
    measurement: Measurement
    crossing: Crossing | None
    capture: Capture | None
    ended: Ended
    steps: Steps

    def conclude(self, noted: Noted | None = None) -> MigrationRecord:
        """The record, once all that can be known is; whatever fails now is a reason not to believe it."""
        return self.rig.conclude(self, noted or Noted())

    def phase(self, phase: str) -> None:
        """A phase begins: whoever watches hears so, and it is among the samples."""
        event = PhaseChanged(at=monotonic(), migration=self.rig.plan.key, phase=phase)
        self.rig.context.observer(event)
        self.measurement.note(event)


Conclude: TypeAlias = Callable[[Moved, Noted], MigrationRecord]
"""Lets the guest run on where it is, then stops everything and holds memory against memory."""


def carry_out(rig: Rig) -> MigrationRecord:
    """One migration from nothing to nothing; closes the rig's stack. From the word on signals are noted alone: what was
    begun is followed to its end. Raises ``TestbedError`` for what goes wrong before that.
    """
    record: MigrationRecord | None = None
    try:
        with rig.stack:
            warm = build(rig).warm_up()
            with noting(rig.context.noted) as noted:
                record = warm.migrate(noted).conclude(noted)
    except FAULTS as fault:
        if record is None:
            raise
        record.valid = False
        record.invalid_reasons.append(f"its hosts were not taken down in order: {in_words(fault)}")
    return record

"""What comes after a migration's end: each step only adds to the record; one that fails is a reason not to believe it.

    end decided, written ─ cool-down ─ counters ─ clients at rest ─ guests stopped ─ samples ─ proof of memory ─ logs

What it gathers is the evidence; what follows from that is said in ``findings``. Disks fill up, folders go, switches
are killed: none of that changes where the guest is.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from testbed.core.errors import TestbedError, in_words
from testbed.core.records.migration import MemoryRecord, MigrationRecord
from testbed.core.records.services import CaptureRecord
from testbed.engines.native.application_evidence import network_evidence, service_facts
from testbed.findings.accounting import CrossCount
from testbed.findings.ended import DESTINATION, SOURCE
from testbed.findings.evidence import Condition, Evidence
from testbed.findings.guest_log import GuestLog
from testbed.findings.marks import Marks
from testbed.findings.record import judged
from testbed.findings.services import ServiceFacts
from testbed.linux.processes.interrupts import Noted
from testbed.network.traffic.cross_traffic import Crossing
from testbed.rig.mover import GuestAtHost
from testbed.rig.stages import Moved
from testbed.runfiles import operations, pages

UNPROVED = MemoryRecord(match=None, method="not compared")
NOTHING_LOGGED = GuestLog(np.empty(0), np.empty(0, np.int64))
CUT_SHORT = "interrupted: the guest was not watched for all of its cool-down"


def conclude(moved: Moved, noted: Noted) -> MigrationRecord:
    """The record of a migration that has ended, once all that can be known is."""
    return Concluding(moved).record(noted)


class Concluding:
    """One migration that has ended. Its steps have been begun before."""

    def __init__(self, moved: Moved) -> None:
        self._moved, self._ended, self._steps = moved, moved.ended, moved.steps
        self._measuring, self._applications, self._mover = (
            moved.measurement,
            moved.set_up.applications,
            moved.set_up.mover,
        )

    def record(self, noted: Noted) -> MigrationRecord:
        """Lets the guest run on where it is now; then stops everything, and judges by all that is known then."""
        self._cool_down(noted)
        self._measuring.mark_anyway("cooled", "ended")
        capture = self._steps.take("packets", self._captured, None)
        runner, condition, at_rest = self._to_rest()
        self._steps.take("pages.jsonl", self._keep_cells, None)
        self._moved.phase("verify")
        self._steps.take("samples", self._measuring.stop, None)
        memory = self._prove() if at_rest else UNPROVED
        evidence = self._evidence(runner, condition, memory, capture)
        interrupted = self._ended.interrupted or CUT_SHORT in self._steps.faults  # later nothing is broken off
        return judged(replace(evidence, ended=replace(self._ended, interrupted=interrupted)))

    def _evidence(
        self, runner: GuestAtHost, condition: Condition, memory: MemoryRecord, capture: CaptureRecord | None
    ) -> Evidence:
        """All of it, with what could not be found out: that is asked for last."""
        marks, moved = Marks(**self._measuring.marks), self._moved
        network = self._steps.take("the guest on its network", partial(network_evidence, self._applications), None)
        services = self._services(runner)
        log = self._steps.take("the guest's own log", self._measuring.guest_log, NOTHING_LOGGED)
        return Evidence(
            plan=moved.rig.plan,
            link=moved.set_up.link,
            ended=self._ended,
            tracker=self._mover.tracker,
            tracker_reason=self._mover.tracker_reason,
            marks=marks,
            log=log,
            memory=memory,
            memory_overhead=self._measuring.memory_overhead,
            sampler=self._measuring.report(),
            condition=condition,
            predicted=moved.set_up.predicted,
            cross=_counted(moved.crossing, marks) if moved.crossing else None,
            network=network,
            services=services,
            capture=capture,
            faults=tuple(self._steps.faults),
        )

    def _cool_down(self, noted: Noted) -> None:
        if self._ended.interrupted:
            if self._ended.outcome == "completed":  # it came too late to cancel
                self._steps.faults.append(CUT_SHORT)
            return
        self._moved.phase("cooldown")
        noted.wait(self._moved.rig.plan.cooldown_s)
        if noted.why:
            self._steps.faults.append(CUT_SHORT)

    def _to_rest(self) -> tuple[GuestAtHost, Condition, bool]:
        """Clients first, then disks, then both guests stand still. Where the guest is, how it was found, and whether
        both do stand still.
        """
        take = self._steps.take
        take("memory beside the guests", self._measuring.take_memory, None)
        self._ended = take("announcements", lambda: self._mover.announced(self._ended), self._ended)
        take("where the switch sends what is for the guest", lambda: self._applications.look_up("after"), None)
        take("the clients' last words", self._applications.stop_clients, None)
        runner = self._mover.guests[DESTINATION if self._ended.runs_at == DESTINATION else SOURCE]
        unknown = Condition(errors=None, fault=f"how the guest at the {runner.role} fared is not known")
        condition = take("the guest's last word", runner.conclude, unknown)
        return runner, condition, take("both guests at rest", self._freeze, False)

    def _freeze(self) -> bool:
        self._mover.freeze()
        return True

    def _captured(self) -> CaptureRecord | None:
        capture = self._moved.capture
        if capture is None:
            return None
        kept, file = capture.stop(), capture.file
        name = f"{file.parent.name}/{file.name}"
        return CaptureRecord(file=name, packets=kept.packets, dropped=kept.dropped, fault=kept.complaint or None)

    def _prove(self) -> MemoryRecord:
        return self._steps.take(
            "the proof of memory",
            lambda: self._mover.prove(self._ended, self._applications.worked()),
            UNPROVED,
        )

    def _services(self, runner: GuestAtHost) -> tuple[ServiceFacts, ...]:
        """What they left, and all of their operations, kept in the run's folder."""
        nothing: tuple[ServiceFacts, ...] = ()
        gather = partial(service_facts, self._applications, self._ended, runner.ram_fd, runner.config)
        found = self._steps.take("the guest's services", gather, nothing)
        for facts in found:
            what = f"the operations of {facts.name} could not be written"
            self._steps.take(what, partial(self._keep_operations, facts), None)
        return found

    def _keep_operations(self, facts: ServiceFacts) -> None:
        rig = self._moved.rig
        try:
            file = operations.file_of(rig.context.folder.operations, rig.plan.key, facts.name)
            operations.write(file, facts.logs, facts.client)
        except OSError as fault:
            raise TestbedError(in_words(fault)) from fault

    def _keep_cells(self) -> None:
        rig = self._moved.rig
        pages.append(rig.context.folder.pages, rig.plan.key, self._ended.cells)


def _counted(crossing: Crossing, marks: Marks) -> CrossCount:
    """Cross traffic while the link was counted."""
    payload, slack = crossing.counted(*marks.window)
    return CrossCount(payload=payload, slack=slack, rate=crossing.rate(*marks.window))

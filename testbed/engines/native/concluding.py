"""What comes after a migration's end: each step only adds to the record; one that fails is a reason not to believe it.

    end decided, written ─ cool-down ─ counters ─ clients at rest ─ guests stopped ─ samples ─ proof of memory ─ record

Disks fill up, folders go, switches are killed: none of that changes where the guest is.
"""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Protocol, TypeVar

import numpy as np
import psutil

from testbed.core.agents.told import Announced, Gone
from testbed.core.errors import TestbedError
from testbed.core.plan import Plan
from testbed.core.records.migration import LinkRecord, MemoryRecord, MigrationRecord, PredictionRecord
from testbed.core.records.services import CaptureRecord
from testbed.engines import RunContext
from testbed.engines.native.proof import prove_memory
from testbed.engines.native.settling import Pair
from testbed.findings.ended import DESTINATION, Ended
from testbed.findings.evidence import Evidence
from testbed.findings.guest_log import GuestLog
from testbed.findings.recording import record
from testbed.findings.services import Applied, conclude
from testbed.linux.files import owned
from testbed.linux.processes.interrupts import Noted
from testbed.network.traffic.cross_traffic import Crossing
from testbed.packets.capture import Capture
from testbed.rig.applications import Applications
from testbed.rig.guests import Condition, GuestProcess
from testbed.rig.measuring import Measuring

T = TypeVar("T")
ANNOUNCED_S = 1.0
FAULTS = (TestbedError, OSError, psutil.Error, subprocess.SubprocessError)
NOTHING_LOGGED = GuestLog(np.empty(0), np.empty(0, np.int64))
CUT_SHORT = "interrupted: the guest was not watched for all of its cool-down"


class Steps:
    """``faults``: which steps failed, and why."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def take(self, what: str, step: Callable[[], T], otherwise: T) -> T:
        """What the step gives; ``otherwise`` when it fails, and ``what`` is not known then."""
        try:
            return step()
        except FAULTS as fault:
            self.faults.append(f"{what}: {fault}")
            return otherwise


class Laboratory(Protocol):
    """What is there when a migration has ended: its plan, who ran, who watched, and how it was foreseen."""

    plan: Plan
    context: RunContext
    applications: Applications
    measuring: Measuring
    pair: Pair
    tracker: dict[str, str]
    predicted: PredictionRecord | None
    crossing: Crossing | None
    capture: Capture | None

    def phase(self, phase: str) -> None:
        """A stage begins, and whoever watches hears so."""
        ...


class Concluding:
    """One migration that has ended. ``steps`` may have been begun before."""

    def __init__(self, lab: Laboratory, link: LinkRecord, ended: Ended, steps: Steps) -> None:
        self._lab, self._link, self._ended, self._steps = lab, link, ended, steps
        self._measuring, self._applications, self._pair = lab.measuring, lab.applications, lab.pair

    def record(self, noted: Noted) -> MigrationRecord:
        """Lets the guest run on where it is now; then stops everything, and holds memory against memory."""
        self._cool_down(noted)
        self._measuring.mark_anyway("cooled", "ended")
        capture = self._steps.take("packets", self._captured, None)
        runner, condition, at_rest = self._to_rest()
        self._steps.take("pages.jsonl", self._write_cells, None)
        self._lab.phase("verify")
        self._steps.take("samples", self._measuring.stop, None)
        memory = self._prove() if at_rest else MemoryRecord(match=None, method="not compared")
        applied = self._steps.take("the guest's services", lambda: self._applied(runner), Applied())
        log = self._steps.take("the guest's own log", self._measuring.guest_log, NOTHING_LOGGED)
        if noted.why:
            self._ended = replace(self._ended, interrupted=True)
        return record(
            Evidence(
                plan=self._lab.plan,
                link=self._link,
                ended=self._ended,
                **self._lab.tracker,
                marks=self._measuring.marks,
                sampler=self._measuring.report(),
                log=log,
                memory=memory,
                memory_overhead=self._measuring.memory_overhead,
                condition=condition,
                predicted=self._lab.predicted,
                crossing=self._lab.crossing,
                capture=capture,
                applied=applied,
                faults=tuple(self._steps.faults),
            )
        )

    def _cool_down(self, noted: Noted) -> None:
        if self._ended.interrupted:
            return
        self._lab.phase("cooldown")
        noted.wait(self._lab.plan.cooldown_s)
        if noted.why:
            self._steps.faults.append(CUT_SHORT)

    def _to_rest(self) -> tuple[GuestProcess, Condition, bool]:
        """Clients first, then disks, then both guests stand still. Where the guest is, how it was found, and whether
        both do stand still.
        """
        take = self._steps.take
        take("memory beside the guests", self._measuring.take_memory, None)
        take("announcements", self._note_announcements, None)
        take("where the switch sends what is for the guest", lambda: self._applications.look_up("after"), None)
        take("the clients' last words", self._applications.stop_clients, None)
        runner = self._pair.destination if self._ended.runs_at == DESTINATION else self._pair.source
        unknown = Condition(errors=None, fault=f"how the guest at the {runner.role} fared is not known")
        condition = take("the guest's last word", runner.conclude, unknown)
        return runner, condition, take("both guests at rest", self._freeze, False)

    def _freeze(self) -> bool:
        self._pair.source.freeze()
        self._pair.destination.freeze()
        return True

    def _note_announcements(self) -> None:
        """How often the destination has announced the guest; it says so once it has done, within the cool-down."""
        ended = self._ended
        if ended.outcome != "completed" or self._pair.nic is None:
            return
        match self._pair.destination_agent.until(Announced, ANNOUNCED_S):
            case Announced(count=count, fault=fault):
                self._ended = replace(ended, announced=count, announce_fault=fault)
            case None:
                self._ended = replace(ended, announce_fault="the destination agent does not say")
            case end:
                gone = end if isinstance(end, Gone) else Gone()
                self._ended = replace(ended, announce_fault=f"the destination agent {gone} before it said so")

    def _captured(self) -> CaptureRecord | None:
        capture = self._lab.capture
        if capture is None:
            return None
        kept, file = capture.stop(), capture.file
        name = f"{file.parent.name}/{file.name}"
        return CaptureRecord(file=name, packets=kept.packets, dropped=kept.dropped, fault=kept.complaint or None)

    def _prove(self) -> MemoryRecord:
        unproved = MemoryRecord(match=None, method="not compared")
        return self._steps.take(
            "the proof of memory",
            lambda: prove_memory(self._pair, self._ended, self._applications.worked()),
            unproved,
        )

    def _applied(self, runner: GuestProcess) -> Applied:
        folder = self._lab.context.samples.with_name("operations")
        return conclude(self._applications, self._ended, self._measuring.marks, runner, folder)

    def _write_cells(self) -> None:
        """``pages.jsonl``: where in memory each round's pages were (``runfiles.pages`` reads it)."""
        plan = self._lab.plan
        named = {"migration": plan.name, "repeat": plan.repeat, "guest": plan.guest.name}
        lines = "".join(json.dumps(named | asdict(cells)) + "\n" for cells in self._ended.cells)
        with owned.append(self._lab.context.samples.with_name("pages.jsonl"), buffering=0) as file:
            whole, data = file.seek(0, os.SEEK_END), memoryview(lines.encode())
            try:
                while data:
                    data = data[file.write(data) or 0 :]
            except OSError:
                file.truncate(whole)  # half a line would spoil those that come after it
                raise

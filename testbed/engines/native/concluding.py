"""What comes after a migration's end: each step only adds to the record; one that fails is a reason not to believe it.

    end decided, written ─ cool-down ─ counters ─ clients at rest ─ guests stopped ─ samples ─ proof of memory ─ record

Disks fill up, folders go, switches are killed: none of that changes where the guest is.
"""

import json
import os
from dataclasses import asdict, replace

import numpy as np

from testbed.core.records.migration import MemoryRecord, MigrationRecord
from testbed.core.records.services import CaptureRecord
from testbed.findings.ended import DESTINATION, SOURCE
from testbed.findings.evidence import Evidence
from testbed.findings.guest_log import GuestLog
from testbed.findings.recording import record
from testbed.findings.services import Applied
from testbed.findings.services import conclude as conclude_services
from testbed.linux.files import owned
from testbed.linux.processes.interrupts import Noted
from testbed.rig.guests import Condition
from testbed.rig.mover import Guest
from testbed.rig.stages import Moved

NOTHING_LOGGED = GuestLog(np.empty(0), np.empty(0, np.int64))
CUT_SHORT = "interrupted: the guest was not watched for all of its cool-down"


def conclude(moved: Moved, noted: Noted) -> MigrationRecord:
    """The record of a migration that has ended, once all that can be known is."""
    return Concluding(moved).record(noted)


class Concluding:
    """One migration that has ended. Its steps have been begun before."""

    def __init__(self, moved: Moved) -> None:
        self._moved, self._ended, self._steps = moved, moved.ended, moved.steps
        self._measuring, self._applications, self._mover = moved.measuring, moved.applications, moved.mover

    def record(self, noted: Noted) -> MigrationRecord:
        """Lets the guest run on where it is now; then stops everything, and holds memory against memory."""
        self._cool_down(noted)
        self._measuring.mark_anyway("cooled", "ended")
        capture = self._steps.take("packets", self._captured, None)
        runner, condition, at_rest = self._to_rest()
        self._steps.take("pages.jsonl", self._write_cells, None)
        self._moved.phase("verify")
        self._steps.take("samples", self._measuring.stop, None)
        memory = self._prove() if at_rest else MemoryRecord(match=None, method="not compared")
        applied = self._steps.take("the guest's services", lambda: self._applied(runner), Applied())
        log = self._steps.take("the guest's own log", self._measuring.guest_log, NOTHING_LOGGED)
        if noted.why:
            self._ended = replace(self._ended, interrupted=True)
        return record(
            Evidence(
                plan=self._moved.rig.plan,
                link=self._moved.link,
                ended=self._ended,
                tracker=self._mover.tracker,
                tracker_reason=self._mover.tracker_reason,
                marks=self._measuring.marks,
                sampler=self._measuring.report(),
                log=log,
                memory=memory,
                memory_overhead=self._measuring.memory_overhead,
                condition=condition,
                predicted=self._moved.predicted,
                crossing=self._moved.crossing,
                capture=capture,
                applied=applied,
                faults=tuple(self._steps.faults),
            )
        )

    def _cool_down(self, noted: Noted) -> None:
        if self._ended.interrupted:
            return
        self._moved.phase("cooldown")
        noted.wait(self._moved.rig.plan.cooldown_s)
        if noted.why:
            self._steps.faults.append(CUT_SHORT)

    def _to_rest(self) -> tuple[Guest, Condition, bool]:
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
        unproved = MemoryRecord(match=None, method="not compared")
        return self._steps.take(
            "the proof of memory",
            lambda: self._mover.prove(self._ended, self._applications.worked()),
            unproved,
        )

    def _applied(self, runner: Guest) -> Applied:
        folder = self._moved.rig.context.samples.with_name("operations")
        return conclude_services(self._applications, self._ended, self._measuring.marks, runner, folder)

    def _write_cells(self) -> None:
        """``pages.jsonl``: where in memory each round's pages were (``runfiles.pages`` reads it)."""
        plan = self._moved.rig.plan
        named = {"migration": plan.name, "repeat": plan.repeat, "guest": plan.guest.name}
        lines = "".join(json.dumps(named | asdict(cells)) + "\n" for cells in self._ended.cells)
        with owned.append(self._moved.rig.context.samples.with_name("pages.jsonl"), buffering=0) as file:
            whole, data = file.seek(0, os.SEEK_END), memoryview(lines.encode())
            try:
                while data:
                    data = data[file.write(data) or 0 :]
            except OSError:
                file.truncate(whole)  # half a line would spoil those that come after it
                raise

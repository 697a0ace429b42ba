"""One point made, here: a whole run folder, and in few words how it ended.

A simulated point is kept in memory until all of it is known and then written, without a page: a hundred a second. One
that needs the machine is ``testbed run`` by a process of its own, which waits until the machine is free.
"""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic

from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.own.file import check_unchanged
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.text.from_json import JsonObject
from testbed.engines import registry
from testbed.experiment.apart import run_apart
from testbed.experiment.environment import environment
from testbed.experiment.messages import RunWanted
from testbed.experiment.records import begun, failed
from testbed.linux.files import owned
from testbed.rig.context import RunContext
from testbed.runfiles import endings
from testbed.runfiles.folder import RunFolder, put, to_json, writing
from testbed.runfiles.published import comparisons
from testbed.sweeps.ended import NOT_VALID, REFUSED, VALID, PointMade
from testbed.sweeps.folder import KeptPoint, PointRecord, SweepFolder
from testbed.sweeps.points import Point, PointWanted


def machine_name() -> str:
    """What this machine is called, in letters that a file's name may have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", socket.gethostname()).strip(".-") or "machine"


def point_made(wanted: PointWanted, folder: SweepFolder, staging: Path, say: Callable[[str], None]) -> PointMade:
    """Makes a point in ``staging`` and puts it in its place. Raises ``TestbedError`` where that cannot be written, and
    ``PrerequisiteMissing`` for what this machine lacks.
    """
    machine, made = machine_name(), staging / wanted.id
    try:
        with writing(folder.path):
            run = run_made(wanted, made, say)
    except PrerequisiteMissing:
        raise
    except ScenarioError as fault:
        return refused(wanted, machine, fault)
    keep = folder.keep_canary if wanted.canary else folder.keep
    record = record_of(wanted, machine)
    keep(made, record)
    return told(wanted.number, record, run.summary, canary=wanted.canary, run_s=run.seconds)


@dataclass(frozen=True, slots=True)
class RunMade:
    """A point's run, and how long it took by itself, in seconds."""

    summary: Summary
    seconds: float


def run_made(wanted: PointWanted, made: Path, say: Callable[[str], None]) -> RunMade:
    """Makes the point's run into the folder ``made``, which is new. Raises as ``run_scenario`` and ``check_own_code``
    do, and ``OSError`` where it cannot be written.
    """
    check_own_code(wanted)
    if not registry.get(wanted.engine).needs_machine:
        return _simulated(wanted, made)
    text = made.with_name(f"{wanted.scenario}.yaml")
    put(text, wanted.resolved.encode())
    asked = RunWanted(
        scenario=str(text), overrides=[], engine=wanted.engine, repeat=1, seed=wanted.seed, out=made, wait=wanted.wait
    )
    began = monotonic()
    run_apart(asked, lambda _event: None, say)
    took = monotonic() - began
    return RunMade(RunFolder(made).read_summary(), took)


def check_own_code(wanted: PointWanted) -> None:
    """Raises ``PrerequisiteMissing`` where the point's own code is another here than it was when it was asked for."""
    try:
        for plan in wanted.plans:
            check_unchanged(plan.own_code)
    except ScenarioError as other:
        raise PrerequisiteMissing(str(other), "ask again, with the same file on each machine") from other


def record_of(wanted: PointWanted, machine: str) -> PointRecord:
    """What is kept beside its run."""
    return PointRecord(
        id=wanted.id,
        number=wanted.number,
        arm=wanted.arm,
        settings=wanted.settings,
        repeat=wanted.repeat,
        engine=wanted.engine,
        seed=wanted.seed,
        version=wanted.version,
        machine=machine,
    )


def refused(wanted: PointWanted, machine: str, fault: ScenarioError) -> PointMade:
    """A point that no machine can make, and why."""
    return PointMade(
        id=wanted.id,
        number=wanted.number,
        state=REFUSED,
        machine=machine,
        canary=wanted.canary,
        reason=str(fault),
    )


def ended(point: Point, kept: KeptPoint | None) -> PointMade | None:
    """How a point ended that lies there; None where nothing does."""
    return None if kept is None else told(point.number, kept.record, kept.summary)


def told(number: int, record: PointRecord, summary: Summary, *, canary: bool = False, run_s: float = 0.0) -> PointMade:
    """How a run ended, in few words; ``number`` is the point's own in its grid."""
    return PointMade(
        id=record.id,
        number=number,
        state=VALID if summary.valid else NOT_VALID,
        machine=record.machine,
        canary=canary,
        reason=summary.invalid_reasons[0] if summary.invalid_reasons else "",
        run_s=run_s,
        figures={each.name: figures(each) for each in summary.migrations if each.outcome == "completed"},
    )


def figures(record: MigrationRecord) -> dict[str, float]:
    """Those of a migration that an interval may be asked of, as emulated; seconds and bytes. None of one that is not
    valid: nor is there one in the interval that the page shows.
    """
    if not record.valid:
        return {}
    known = {"total_time": record.total_time_s, "downtime": record.downtime_s, "bytes_sent": float(record.bytes_sent)}
    return {name: value for name, value in known.items() if value is not None}


def _simulated(wanted: PointWanted, made: Path) -> RunMade:
    summary = begun(wanted.scenario, wanted.engine, wanted.seed, native=False, here=_here(os.getpid()))
    context = RunContext(
        run_id="",
        runtime=made,
        folder=RunFolder(made),
        observer=lambda _event: None,
        started=lambda _pid: None,
    )
    engine = registry.get(wanted.engine)()
    began = monotonic()
    for plan in wanted.plans:
        try:
            summary.migrations.append(engine.migrate(plan, context))
        except (PrerequisiteMissing, ScenarioError):
            raise
        except TestbedError as fault:
            summary.migrations.append(failed(plan, str(fault)))
    took = monotonic() - began
    summary.comparisons = comparisons(wanted.published, summary.migrations)
    endings.judge(summary)
    owned.make_folder(made)
    owned.write(made / "scenario.yaml", wanted.resolved.encode())
    owned.write(made / "summary.json", to_json(summary, None).encode())
    return RunMade(summary, took)


@cache
def _here(_process: int) -> JsonObject:
    """The machine, asked once a process."""
    return environment([])

"""The composition root: a scenario, an engine, and a machine that is ours alone for a while, into a run folder."""

import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any

import testbed
from testbed.core.errors import Interrupted, PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.events import MigrationFinished, MigrationStarted
from testbed.core.plan import Plan
from testbed.core.record import LinkRecord, MigrationRecord, Summary, VmRecord
from testbed.engines import Engine, Observer, RunContext, registry
from testbed.engines.control import Controls
from testbed.engines.forecasting import outlook
from testbed.linux.environment import environment
from testbed.linux.memfd import available_bytes
from testbed.linux.runlock import RUNTIME, MachineLock, RunState, sweep
from testbed.report import page
from testbed.report.compare import comparisons
from testbed.report.folder import RunFolder
from testbed.scenario import Scenario, check_fits


def run_scenario(  # noqa: PLR0913 - what a run is asked for
    scenario: Scenario,
    *,
    out: Path,
    repeat: int = 1,
    seed: int | None = None,
    engine: str = "native",
    capture: bool = False,
    controls: Controls | None = None,
    observer: Observer = lambda _event: None,
    say: Callable[[str], None] = lambda _line: None,
) -> Summary:
    """Runs every migration of the matrix, ``repeat`` times each, and writes the run folder ``out``.

    Raises ``PrerequisiteMissing``, ``MachineBusy`` and ``ScenarioError``. A run that cannot go on, or is interrupted,
    has its files written for what was done, and raises ``Interrupted`` or the fault after that. ``say`` is given a
    line when the page could not be drawn, which is no reason to fail a run. ``capture``: packets are kept too;
    ``controls``: where orders by hand come from.
    """
    chosen = registry.get(engine)()
    if capture and not chosen.needs_machine:
        raise ScenarioError(f"engine '{engine}' sends no packets; leave out --capture, or choose --engine native")
    plans = scenario.plans(repeat=repeat)
    with ExitStack() as stack:
        stack.enter_context(interruptible())
        run_id = secrets.token_hex(3)
        started: Callable[[int], None] = _nobody
        if chosen.needs_machine:
            started = stack.enter_context(the_machine(scenario.name, run_id)).add
            check_fits_all(plans)
        folder = RunFolder.create(out)
        folder.write_scenario(scenario.resolved_yaml())
        context = stack.enter_context(run_context(run_id, folder, observer, started))
        context = replace(context, capture=capture, controls=controls or context.controls)
        summary = begun(scenario, engine, plans[0].seed if seed is None else seed, native=chosen.needs_machine)
        try:
            _migrate_all(plans, chosen, context, summary)
        finally:
            summary.comparisons = comparisons(scenario.published, summary.migrations)
            _judge(summary, len(plans))
            folder.write_summary(summary)
            page.write(out, say)
    return summary


def _nobody(_pid: int) -> None:
    """Nothing is started outside this process, so nothing is written down."""


def _migrate_all(plans: list[Plan], engine: Engine, context: RunContext, summary: Summary) -> None:
    """One after the other. A migration that fails never ends the rest; a machine or scenario that is wrong does."""
    for index, (plan, (own, others)) in enumerate(zip(plans, outlook(plans), strict=True), 1):
        named: dict[str, Any] = {"name": plan.name, "index": index, "total": len(plans)}
        context.observer(MigrationStarted(at=monotonic(), **named, expected_s=own, others_s=others))
        try:
            done = engine.migrate(plan, replace(context, number=index))
        except (PrerequisiteMissing, ScenarioError, Interrupted):
            raise
        except (TestbedError, OSError) as fault:  # a full disk, a host's shell that was killed
            done = failed(plan, str(fault))
        summary.migrations.append(done)
        context.observer(finished(done))
        if done.interrupted:
            raise Interrupted("interrupted; the files of what was done are written")


def failed(plan: Plan, reason: str) -> MigrationRecord:
    """The record of a migration that could not even begin."""
    link = plan.network.vmotion
    return MigrationRecord(
        name=plan.name,
        settings=plan.settings,
        repeat=plan.repeat,
        scale={"size": plan.scale.size, "time": plan.scale.time},
        outcome="failed",
        reason=reason,
        vm=VmRecord(
            ram_bytes=plan.guest.ram_bytes,
            workload=plan.guest.workload["name"],
            working_set_bytes=plan.guest.workload.get("working_set"),
            write_rate=plan.guest.workload.get("write_rate"),
        ),
        link=LinkRecord(
            rate=link.rate, goodput=None, expected_goodput=None, rtt_s=None, drops=None, mtu=link.mtu, verified=False
        ),
        invalid_reasons=[reason],
    )


def begun(scenario: Scenario, engine: str, seed: int, *, native: bool) -> Summary:
    """A summary of nothing yet, of this machine, at this time."""
    return Summary(
        testbed_version=testbed.__version__,
        scenario=scenario.name,
        engine=engine,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=seed,
        valid=False,
        invalid_reasons=[],
        environment=environment(["tbf, at both ends of a link"] if native else []),
        migrations=[],
    )


def finished(done: MigrationRecord) -> MigrationFinished:
    """What is said of a migration that has ended."""
    return MigrationFinished(
        at=monotonic(), name=done.name, outcome=done.outcome, reason=done.reason, valid=done.valid, record=done
    )


def _judge(summary: Summary, asked: int) -> None:
    """A run is valid when every migration of it is, and none is missing."""
    for done in summary.migrations:
        summary.invalid_reasons += [f"{done.name}: {reason}" for reason in done.invalid_reasons]
    if len(summary.migrations) < asked:
        summary.invalid_reasons.append(f"{asked - len(summary.migrations)} of {asked} migrations were not made")
    summary.valid = not summary.invalid_reasons


def check_fits_all(plans: list[Plan]) -> None:
    """Raises ``ScenarioError`` when a guest's two copies do not fit into what memory is free."""
    for plan in plans:
        check_fits(plan, available_bytes())


@contextmanager
def the_machine(what: str, run_id: str) -> Iterator[RunState]:
    """Root, the lock, and nothing left of killed runs; whatever this run starts is written down."""
    if os.geteuid() != 0:
        raise PrerequisiteMissing(
            "real hosts and links need root", "run it with sudo, or choose --engine simulated, which needs none"
        )
    with MachineLock(what):
        sweep()
        with RunState(run_id) as state:
            yield state


@contextmanager
def run_context(
    run_id: str, folder: RunFolder, observer: Observer, started: Callable[[int], None]
) -> Iterator[RunContext]:
    """The run's private directory for sockets, mode 0700, and the paths of its files."""
    with _private(run_id) if started is not _nobody else tempfile.TemporaryDirectory() as runtime:
        yield RunContext(
            run_id=run_id,
            runtime=Path(runtime),
            samples=folder.samples,
            log=folder.log,
            observer=observer,
            started=started,
        )


@contextmanager
def _private(run_id: str) -> Iterator[Path]:
    """Under the name by which ``clean`` finds it, should this run be killed."""
    runtime = RUNTIME / run_id
    runtime.mkdir(mode=0o700)
    try:
        yield runtime
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise ``Interrupted`` once; what comes while that is being cleaned up is ignored.

    Signals are the main thread's: a run in another one is not interrupted by them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Interrupted(f"interrupted by {signal.Signals(number).name}")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

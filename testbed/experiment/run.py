"""The composition root: a scenario, an engine, and a machine that is ours alone for a while, into a run folder."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from testbed.core.errors import Interrupted, PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.events import Event, MigrationFinished, MigrationStarted, Observer
from testbed.core.plan import Plan
from testbed.core.records.migration import LinkRecord, MigrationRecord, Summary
from testbed.core.version import __version__
from testbed.engines import Engine, RunContext, registry
from testbed.engines.forecasting import outlook
from testbed.experiment.environment import environment
from testbed.experiment.lock import RUNTIME, MachineLock, RunState, sweep
from testbed.findings.ended import Ended
from testbed.findings.recording import decided
from testbed.linux.memory.room import room
from testbed.linux.processes.interrupts import interruptible
from testbed.report.page import page
from testbed.rig.orders import Controls
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.keeping import Keeping
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
    summary = begun(scenario, engine, plans[0].seed if seed is None else seed, native=chosen.needs_machine)
    audience, folder = Audience(observer), None
    with interruptible() as signals:
        try:
            with ExitStack() as stack:
                run_id = secrets.token_hex(3)
                started: Callable[[int], None] = _nobody
                if chosen.needs_machine:
                    started = stack.enter_context(the_machine(scenario.name, run_id)).add
                    check_fits_all(plans)
                folder = RunFolder.create(out)
                folder.write_scenario(scenario.resolved_yaml())
                asked = [plan.key for plan in plans]
                keeping = stack.enter_context(Keeping(folder, summary, scenario.published, asked))
                context = stack.enter_context(run_context(run_id, folder, audience, started))
                context = replace(context, capture=capture, controls=controls or context.controls)
                _migrate_all(plans, chosen, replace(context, decided=keeping.decided), keeping, audience)
        except Interrupted as stop:
            raise Interrupted(f"{stop}; {_done(summary, len(plans), folder)}") from stop
        finally:
            if folder is not None and folder.summary.exists():
                signals.again()  # whoever is tired of waiting for the page may break that off, too
                draw(out, say)
    return summary


def _done(summary: Summary, asked: int, folder: RunFolder | None) -> str:
    """For whoever ended it: what there is, and where."""
    made = f"{len(summary.migrations)} of {asked} migrations were made; the files of what was done are in"
    return "nothing was done" if folder is None else f"{made} {folder.path}"


def draw(out: Path, say: Callable[[str], None]) -> None:
    """The page of whatever was done. Raises ``Interrupted`` with how to draw it later."""
    try:
        page.write(out, say)
    except Interrupted as stop:
        raise Interrupted(
            f"{stop} while the page was drawn; all else is in {out}; to draw it: testbed report {out}"
        ) from stop


def _nobody(_pid: int) -> None:
    """Nothing is started outside this process, so nothing is written down."""


def _migrate_all(
    plans: list[Plan], engine: Engine, context: RunContext, keeping: Keeping, audience: "Audience"
) -> None:
    """One after the other. A migration that fails never ends the rest; a machine or scenario that is wrong does, and a
    folder that cannot be written.
    """
    for index, (plan, (own, others)) in enumerate(zip(plans, outlook(plans), strict=True), 1):
        start = MigrationStarted(
            at=monotonic(), migration=plan.key, index=index, total=len(plans), expected_s=own, others_s=others
        )
        audience(start)
        keeping.begin(index, plan.name)
        try:
            done = engine.migrate(plan, replace(context, number=index))
        except (PrerequisiteMissing, ScenarioError):
            raise
        except (TestbedError, OSError) as fault:  # a host's shell that was killed
            done = failed(plan, str(fault))
        try:
            keeping.add(done)
        finally:
            audience(finished(done))
        audience.check()
        if done.interrupted:
            raise Interrupted(context.noted.why or "interrupted")


class Audience:
    """Whoever watches, held off from what is watched: one that fails is told nothing more, and the migration that is
    under way goes on to its end.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._fault: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Tells."""
        if self._fault is None:
            try:
                self._observer(event)
            except Exception as fault:  # noqa: BLE001 - it is raised, in its time
                self._fault = fault

    def check(self) -> None:
        """Raises what went wrong."""
        if self._fault is not None:
            raise self._fault


def failed(plan: Plan, reason: str) -> MigrationRecord:
    """The record of a migration that could not even begin."""
    link = plan.network.vmotion
    unmeasured = LinkRecord(
        rate=link.rate, goodput=None, expected_goodput=None, rtt_s=None, drops=None, mtu=link.mtu, verified=False
    )
    done = decided(plan, unmeasured, Ended(outcome="failed", reason=reason))
    done.invalid_reasons = [reason]
    return done


def begun(scenario: Scenario, engine: str, seed: int, *, native: bool) -> Summary:
    """A summary of nothing yet, of this machine, at this time."""
    return Summary(
        testbed_version=__version__,
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
        at=monotonic(), migration=done.key, outcome=done.outcome, reason=done.reason, valid=done.valid, record=done
    )


def check_fits_all(plans: list[Plan]) -> None:
    """Raises ``ScenarioError`` when a guest's two copies do not fit into what memory is free, and may be used."""
    free = room()
    for plan in plans:
        check_fits(plan, free.size, free.of)


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

"""What a run is put together from, whoever asked for it: ``run``, ``shell`` or ``bench``.

    signals ─ machine: lock, leftovers swept ─ folder, scenario ─ summary that grows ─ what all its migrations share
                                                                                       └ at the end: the page

Everything is undone in the opposite order, whatever happens.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from testbed.core.errors import Interrupted
from testbed.core.events import Event, MigrationStarted, Observer
from testbed.core.own.file import check_unchanged
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.engines.forecasting import UNKNOWN, Expected
from testbed.experiment.beside import watched
from testbed.experiment.machine import held, private
from testbed.experiment.records import finished
from testbed.experiment.state import RunState
from testbed.linux.files.scratch import scratch
from testbed.linux.processes.interrupts import Signals, interruptible
from testbed.rig.context import RunContext
from testbed.runfiles.folder import OF_A_LAB, OTHERWISE, RunFolder
from testbed.runfiles.summary_writer import SummaryWriter
from testbed.scenario import Scenario


class Audience:
    """Whoever watches, held off from what is watched: one that fails is told nothing more, and the migration that is
    under way goes on to its end.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._fault: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Tells whoever watches, until they failed once."""
        if self._fault is None:
            try:
                self._observer(event)
            except Exception as fault:  # noqa: BLE001 - it is raised, in its time
                self._fault = fault

    def check(self) -> None:
        """Raises what went wrong."""
        if self._fault is not None:
            raise self._fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A run under way. ``signals``: what ends it; ``context``: what its migrations share."""

    signals: Signals
    folder: RunFolder
    writer: SummaryWriter
    context: RunContext

    def begin(self, plan: Plan, *, index: int, total: int, expected: Expected = UNKNOWN) -> RunContext:
        """The context of a migration that begins: who watches is told, and room for its ending is taken. Raises
        ``ScenarioError`` where a file of its own code is another one by now.
        """
        check_unchanged(plan.own_code)
        named = MigrationStarted(
            at=monotonic(),
            migration=plan.key,
            index=index,
            total=total,
            expected_s=expected.total_s,
            expected_why_not=expected.why_not,
            others_s=expected.others_s,
            goal_s=plan.migration.policy.get("downtime_goal"),
        )
        self.context.observer(named)
        self.writer.begin(index, plan.name)
        return replace(self.context, number=index)

    def end(self, record: MigrationRecord) -> None:
        """Its record is kept, and who watches is told, even where it cannot be."""
        try:
            self.writer.add(record)
        finally:
            self.context.observer(finished(record))


@contextmanager
def composed(  # noqa: PLR0913 - what a run is put together from
    scenario: Scenario,
    plans: Sequence[Plan],
    *,
    out: Path,
    summary: Summary,
    lock: str | None,
    asked: Sequence[Plan] = (),
    observer: Observer,
    say: Callable[[str], None],
    page: bool = True,
    wait: bool = False,
) -> Iterator[Composition]:
    """A run of these plans into the folder ``out``, whose ``summary`` grows, and its page at the end.

    ``lock``: under which name the machine is held, for real hosts; None: for none. ``asked``: those that are to be
    made, where that is known at the beginning. ``page`` False: it is not drawn. ``wait``: until the machine is free,
    which ``say`` is told. Raises ``PrerequisiteMissing``, ``MachineBusy`` and ``ScenarioError``.
    """
    folder: RunFolder | None = None
    with interruptible() as signals:
        try:
            with held(lock, plans, say if wait else None) as state, watched(summary, say) if state else nullcontext():
                made = RunFolder.create(out, OF_A_LAB if summary.lab else OTHERWISE)
                made.write_scenario(scenario.resolved_yaml())
                folder = made  # from here on there is something in it
                claims = scenario.published if asked else ()
                with (
                    SummaryWriter(folder, summary, claims, [plan.key for plan in asked]) as writer,
                    run_context(state, folder, observer) as context,
                ):
                    context = replace(context, decided=writer.decided)
                    yield Composition(signals=signals, folder=folder, writer=writer, context=context)
        except Interrupted as stop:
            if not asked:
                raise
            raise Interrupted(f"{stop}; {_done(summary, len(asked), folder)}") from stop
        finally:
            done = bool(summary.migrations or summary.not_made)
            if page and done and folder is not None and folder.summary.exists():
                signals.again()  # whoever is tired of waiting for the page may break that off, too
                draw(out, say)


@contextmanager
def run_context(state: RunState | None, folder: RunFolder, observer: Observer) -> Iterator[RunContext]:
    """The run's private directory for sockets, mode 0700, and the paths of its files. ``state`` None: nothing is
    started outside this process, so nothing is written down.
    """
    with scratch("run") if state is None else private(state.folder) as runtime:
        yield RunContext(
            run_id=secrets.token_hex(3) if state is None else state.run_id,
            runtime=runtime,
            folder=folder,
            observer=observer,
            started=_nobody if state is None else state.add,
        )


@contextmanager
def thrown_away(state: RunState) -> Iterator[RunContext]:
    """A ``run_context`` for what is measured and not recorded: nobody keeps its files, or watches."""
    with (
        scratch("run") as folder,
        run_context(state, RunFolder(folder), lambda _event: None) as context,
    ):
        yield context


def draw(out: Path, say: Callable[[str], None]) -> None:
    """The page of whatever was done. Raises ``Interrupted`` with how to draw it later."""
    try:
        from testbed.report.page import page as pages  # which loads what draws

        pages.write(out, say)
    except Interrupted as stop:
        raise Interrupted(
            f"{stop} while the page was drawn; all else is in {out}; to draw it: testbed report {out}"
        ) from stop


def _done(summary: Summary, asked: int, folder: RunFolder | None) -> str:
    """For whoever ended it: what there is, and where."""
    made = f"{len(summary.migrations)} of {asked} migrations were made; the files of what was done are in"
    return "nothing was done" if folder is None else f"{made} {folder.path}"


def _nobody(_pid: int) -> None:
    """Nothing is started outside this process, so nothing is written down."""

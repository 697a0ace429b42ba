"""The testbed from Python: run a scenario or load a run's folder, have its figures and charts; predict, and compare.

import testbed
run = testbed.run("hello", set={"vm.ram": "512MB"}, engine="simulated")
run.migrations[0].downtime_s
run.samples["link"]["tx_bytes"]          # arrays, one entry a sample
run.frame("link", pandas.DataFrame)      # or any other that takes a dict of arrays
run.charts["timeline-hello"]             # shows itself in a notebook
testbed.predict("hello").migrations[0].total_time_s
print(testbed.compare("results/a", "results/b"))
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from testbed.cli.asked import own_code, results_folder
from testbed.cli.progress import Observer, Plain
from testbed.cli.progress import say as progress_say
from testbed.core.errors import Interrupted, ScenarioError
from testbed.core.events import Event
from testbed.core.records.migration import ComparisonRecord, MigrationRecord, Summary
from testbed.core.registry import nearest
from testbed.core.text.printable import printable
from testbed.outcomes import Compared, Predictions
from testbed.report.charts.shown import Shown
from testbed.runfiles import pages as cells
from testbed.runfiles import samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.samples import Columns, Recording

if TYPE_CHECKING:
    from testbed.scenario import Scenario
    from testbed.scenario.matrix.overrides import Setting

F = TypeVar("F")
Settings: TypeAlias = Mapping[str, Any] | str | Sequence[str]
"""``{"vm.ram": "1GiB"}``, ``"vm.ram=1GiB"``, or several of these texts. In a mapping a value is a value: a number
(numpy's too), a path, a title with a ``#`` in it, a list for an axis of the matrix, a mapping for a workload.
"""


class Run:
    """A run's folder, read when asked for. Nothing in it is changed, but by ``write_page``."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.summary: Summary = RunFolder(self.path).read_summary()

    @property
    def migrations(self) -> list[MigrationRecord]:
        """Each with its figures as in summary.json: bytes, seconds, bytes per second."""
        return self.summary.migrations

    @property
    def comparisons(self) -> list[ComparisonRecord]:
        """What was published beside what was measured."""
        return self.summary.comparisons

    @property
    def valid(self) -> bool:
        """Whether every check held; ``summary.invalid_reasons`` says why not."""
        return self.summary.valid

    @cached_property
    def recordings(self) -> list[Recording]:
        """The samples and events of each migration apart; none for a simulated run."""
        return samples.read(RunFolder(self.path).samples)

    @cached_property
    def samples(self) -> dict[str, Columns]:
        """By kind (``link``, ``tcp``, ``guest``, ...), every field as an array, over all migrations.

        ``migration`` and ``repeat`` say which one an entry belongs to. ``t`` is CLOCK_MONOTONIC, in seconds.
        """
        kinds = dict.fromkeys(kind for each in self.recordings for kind in each.rows)
        return {kind: self._columns(kind) for kind in kinds}

    @cached_property
    def pages(self) -> Mapping[tuple[str, int], cells.Cells]:
        """Pages sent and dirtied round by round, in at most 1,024 cells, by name and repeat."""
        return cells.read(RunFolder(self.path).pages)

    @cached_property
    def charts(self) -> dict[str, Shown]:
        """By name, those of the page: a notebook shows them, ``chart`` of each is Altair's."""
        from testbed.report.page.page import load as load_page

        return {each.name: Shown(each.name, each.title, each.chart) for each in load_page(self.path).figures}

    def frame(self, kind: str, frame: Callable[[Columns], F]) -> F:
        """The samples of one kind in a frame of your choice, such as ``pandas.DataFrame``. Raises ``ScenarioError``."""
        if self.summary.engine == "simulated":
            raise ScenarioError("a simulated run has no samples")
        if kind not in self.samples:
            raise ScenarioError(f"there are no samples of kind '{kind}'; {nearest(kind, list(self.samples))}")
        return frame(self.samples[kind])

    def write_page(self) -> Path:
        """Rebuilds report.html and figures/; returns the page's path."""
        from testbed.report.page.page import rebuild

        return rebuild(self.path)

    def _columns(self, kind: str) -> Columns:
        rows = [row for each in self.recordings for row in each.rows.get(kind, [])]
        lengths = [len(each.rows.get(kind, [])) for each in self.recordings]
        names, repeats = [each.name for each in self.recordings], [each.repeat for each in self.recordings]
        owners = {"migration": np.repeat(np.array(names), lengths), "repeat": np.repeat(repeats, lengths)}
        return owners | samples.to_columns(rows)

    def __repr__(self) -> str:
        state = "valid" if self.valid else "not valid"
        return f"<Run {printable(self.summary.scenario)}: {len(self.migrations)} migrations, {state}, in {self.path}>"


class Stopped(Interrupted, KeyboardInterrupt):
    """Ctrl-C during ``run``: to a notebook it is one, and it says where the files of what was done are."""


def run(  # noqa: PLR0913 - what a run is asked for
    scenario: str | Path = "hello",
    *,
    set: Settings = (),
    engine: str | None = None,
    repeat: int = 1,
    seed: int | None = None,
    out: str | Path | None = None,
    quiet: bool = True,
    observer: Observer | None = None,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Runs a scenario, by name or file, as ``testbed run`` does.

    ``set``: ``{"vm.ram": "1GiB"}``, or ``"vm.ram=1GiB"``, or several of these. ``quiet=False``: the command's lines on
    stderr meanwhile. ``observer`` is given each event (``testbed.core.events``), from any thread; ``say`` a line if the
    page could not be drawn. The native engine needs root and the machine to itself. Raises what the command would say
    in one line (``testbed.core.errors``), ``Stopped`` on Ctrl-C; a run that is not valid is returned, and says so.
    """
    from testbed.experiment.run import run_scenario

    repeat, seed = index(repeat), None if seed is None else index(seed)
    if repeat < 1:
        raise ScenarioError(f"repeat is at least 1, not {repeat}")
    loaded = _loaded(scenario, set, seed)
    observers = [each for each in (observer, None if quiet else _plain(loaded)) if each]

    def observe(event: Event) -> None:
        for each in observers:
            each(event)

    line = say or (_ignore if quiet else progress_say)
    chosen = engine or loaded.engine
    with results_folder(loaded.name, Path(out) if out else None) as folder:
        try:
            run_scenario(loaded, out=folder, repeat=repeat, seed=seed, engine=chosen, observer=observe, say=line)
        except (Interrupted, KeyboardInterrupt) as stop:
            there = (folder / "summary.json").exists()
            where = f"the files of what was done are in {folder}" if there else "nothing was done"
            raise Stopped(str(stop) if str(folder) in str(stop) else f"interrupted; {where}") from stop
        return Run(folder)


def load(path: str | Path) -> Run:
    """The run in a folder. Raises ``ScenarioError`` if there is none."""
    return Run(path)


def predict(scenario: str | Path = "hello", *, set: Settings = (), seed: int | None = None) -> Predictions:
    """What a scenario's migrations will do, as ``testbed predict`` says it; needs no root. Raises ``ScenarioError``."""
    from testbed.report.words import forecasts

    loaded = _loaded(scenario, set, seed)
    return Predictions(loaded, [forecasts.predicted(plan) for plan in loaded.plans()])


def compare(*runs: Run | str | Path, anyway: bool = False) -> Compared:
    """Runs, or their folders, side by side, as ``testbed compare`` does it. Raises ``ScenarioError`` for what cannot be
    compared; ``anyway`` compares what should not be.
    """
    from testbed.report.side import comparison

    paths = [each.path if isinstance(each, Run) else Path(each) for each in runs]
    if not paths:
        raise ScenarioError("there is nothing to compare: no run was given")
    return Compared(comparison.laid(paths, anyway=anyway, option="anyway=True"))


def _loaded(scenario: str | Path, given: Settings, seed: int | None) -> "Scenario":
    from testbed.scenario import load as load_scenario

    number = None if seed is None else index(seed)
    return load_scenario(scenario, overrides=_overrides(given), seed=number, own_code=own_code)


def _overrides(given: Settings) -> list["Setting"]:
    """Texts as the command line has them, but for titles and names; all other values as they are."""
    from testbed.scenario.matrix.overrides import TEXTS

    if isinstance(given, str):
        return [given]
    if not isinstance(given, Mapping):
        return list(given)
    return [
        f"{path}={str.__str__(value)}" if isinstance(value, str) and path not in TEXTS else (path, value)
        for path, value in given.items()
    ]


def _plain(loaded: "Scenario") -> Observer:
    """The command's lines, where stderr is no terminal."""
    progress_say(f"{loaded.name}: {loaded.title}")
    return Plain()


def _ignore(_line: str) -> None:
    """Nobody is told."""

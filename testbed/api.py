"""The testbed from Python: run a scenario, or load a run's folder, and have its figures, samples and charts.

import testbed
run = testbed.run("hello", engine="simulated")
run.migrations[0].downtime_s
run.samples["link"]["tx_bytes"]          # arrays, one entry a sample
run.frame("link", pandas.DataFrame)      # or any other that takes a dict of arrays
run.charts["timeline-hello"]             # shows itself in a notebook
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from testbed.core.errors import ScenarioError
from testbed.core.record import ComparisonRecord, MigrationRecord, Summary
from testbed.core.registry import nearest
from testbed.report import cells, samples
from testbed.report.folder import RunFolder
from testbed.report.samples import Columns, Recording

F = TypeVar("F")


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
    def charts(self) -> dict[str, Any]:
        """Altair charts by name, those of the page."""
        from testbed.report.page import load as load_page

        return {figure.name: figure.chart for figure in load_page(self.path).figures}

    def frame(self, kind: str, frame: Callable[[Columns], F]) -> F:
        """The samples of one kind in a frame of your choice, such as ``pandas.DataFrame``. Raises ``ScenarioError``."""
        if kind not in self.samples:
            raise ScenarioError(f"there are no samples of kind '{kind}'; {nearest(kind, list(self.samples))}")
        return frame(self.samples[kind])

    def write_page(self) -> Path:
        """Rebuilds report.html and figures/; returns the page's path."""
        from testbed.report.page import rebuild

        return rebuild(self.path)

    def _columns(self, kind: str) -> Columns:
        rows = [row for each in self.recordings for row in each.rows.get(kind, [])]
        lengths = [len(each.rows.get(kind, [])) for each in self.recordings]
        names, repeats = [each.name for each in self.recordings], [each.repeat for each in self.recordings]
        owners = {"migration": np.repeat(np.array(names), lengths), "repeat": np.repeat(repeats, lengths)}
        return owners | samples.to_columns(rows)

    def __repr__(self) -> str:
        state = "valid" if self.valid else "not valid"
        return f"<Run {self.summary.scenario}: {len(self.migrations)} migrations, {state}, in {self.path}>"


def run(
    scenario: str | Path = "hello",
    *,
    set: Sequence[str] = (),
    engine: str | None = None,
    repeat: int = 1,
    seed: int | None = None,
    out: str | Path | None = None,
) -> Run:
    """Runs a scenario, by name or file, as ``testbed run`` does. ``set`` has items like ``vm.ram=1GiB``.

    The native engine needs root and the machine to itself. Raises what the command would say in one line
    (``testbed.core.errors``); a run that is not valid is returned, and says so.
    """
    from testbed.experiment import run_scenario
    from testbed.scenario import load as load_scenario

    loaded = load_scenario(str(scenario), overrides=list(set), seed=seed)
    folder = Path(out) if out else Path("results", f"{loaded.name}-{datetime.now():%Y%m%d-%H%M%S-%f}")
    run_scenario(loaded, out=folder, repeat=repeat, seed=seed, engine=engine or loaded.engine)
    return Run(folder)


def load(path: str | Path) -> Run:
    """The run in a folder. Raises ``ScenarioError`` if there is none."""
    return Run(path)

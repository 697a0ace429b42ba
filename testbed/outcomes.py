"""What ``testbed.run``, ``load``, ``predict`` and ``compare`` give: figures as values, tables as text, charts."""

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from rich.console import Console

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import ComparisonRecord, MigrationRecord, Summary
from testbed.core.text.nearest import nearest
from testbed.core.text.printable import printable
from testbed.model.laws import Laws
from testbed.report.charts.shown import Shown
from testbed.report.side import page, words
from testbed.report.side.comparison import Comparison, ComparisonLine
from testbed.report.side.sentence import sentences
from testbed.report.words.tables import WIDE
from testbed.runfiles import pages, samples
from testbed.runfiles.folder import RunFolder
from testbed.runfiles.samples import Columns, Recording

if TYPE_CHECKING:
    from testbed.report.words.forecasts import Prediction
    from testbed.scenario import Scenario

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

        ``migration``, ``repeat`` and ``guest`` say which one an entry belongs to. ``t`` is CLOCK_MONOTONIC, in seconds.
        """
        kinds = dict.fromkeys(kind for each in self.recordings for kind in each.rows)
        return {kind: self._columns(kind) for kind in kinds}

    @cached_property
    def pages(self) -> Mapping[tuple[str, int], pages.Cells]:
        """Pages sent and dirtied round by round, in at most 1,024 cells, by name and repeat."""
        return {(key.name, key.repeat): known for key, known in pages.read(RunFolder(self.path).pages).items()}

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
        keys = [(each.key.name, each.key.repeat, each.key.guest) for each in self.recordings]
        names, repeats, guests = (np.repeat(np.array(known), lengths) for known in zip(*keys, strict=True))
        owners = {"migration": names, "repeat": repeats, "guest": guests}
        return owners | samples.to_columns(rows)

    def __repr__(self) -> str:
        state = "valid" if self.valid else "not valid"
        return f"<Run {printable(self.summary.scenario)}: {len(self.migrations)} migrations, {state}, in {self.path}>"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What the model says of each migration of a scenario; ``str()`` is what ``testbed predict`` says."""

    scenario: "Scenario"
    made: "list[Prediction]"

    @property
    def migrations(self) -> list[MigrationRecord]:
        """As a run would have them: figures, rounds with their decisions, and ``full_scale``."""
        return [each.record for each in self.made]

    @property
    def laws(self) -> list[Laws]:
        """The closed forms of each, at emulated size."""
        return [each.laws for each in self.made]

    @property
    def comparisons(self) -> list[ComparisonRecord]:
        """What was published beside what is predicted."""
        from testbed.runfiles.published import comparisons

        return comparisons(self.scenario.published, self.migrations)

    @property
    def feasibility(self) -> dict[str, list[dict[str, Any]]]:
        """By guest: for each link rate and downtime goal the times, None where it would never do; real-world size."""
        from testbed.report.words.forecasts import feasibility_tables

        return {table.name: [asdict(cell) for cell in table.cells] for table in feasibility_tables(self.made)}

    def __str__(self) -> str:
        from testbed.report.words.forecasts import show

        file = io.StringIO()
        title = f"{self.scenario.name}: {self.scenario.title}"
        show(title, self.made, self.scenario.published, Console(file=file, width=WIDE, highlight=False))
        return file.getvalue()

    def __repr__(self) -> str:
        return f"<Predictions of {self.scenario.name}: {len(self.made)} migrations>"


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Runs side by side; ``str()`` is what ``testbed compare`` says."""

    made: Comparison

    @property
    def lines(self) -> list[ComparisonLine]:
        """A line a figure of each group: ``values``, ``spread`` (median, mean, interval), ``difference``."""
        return self.made.lines

    @property
    def notes(self) -> list[str]:
        """What was left out, and at which size figures are."""
        return self.made.notes

    @property
    def not_comparable(self) -> list[str]:
        """Why these runs should not have been compared; empty unless ``anyway`` was given."""
        return self.made.reasons

    @property
    def data(self) -> dict[str, Any]:
        """As ``testbed compare --json``: seconds and bytes, verdicts in words."""
        return words.as_data(self.made)

    @property
    def charts(self) -> dict[str, Shown]:
        """By name, those of the page."""
        drawn = page.figures_of(self.made.lines)
        return {figure.name: Shown(figure.name, figure.title, figure.chart) for figure in drawn}

    def write_page(self, path: str | Path) -> Path:
        """A page of it, one file; returns its path."""
        file = Path(path)
        page.write(file, self.made)
        return file

    def __str__(self) -> str:
        file = io.StringIO()
        Console(file=file, width=WIDE, highlight=False).print(words.table(self.made.lines))
        told = [*sentences(self.made.lines), *file.getvalue().splitlines(), *self.notes]
        return "".join(f"{line}\n" for line in told)

    def __repr__(self) -> str:
        return f"<Compared: {len(self.made.runs)} runs, {len(self.lines)} lines>"

"""What ``testbed.predict`` and ``testbed.compare`` give: figures as values, and the commands' tables as text."""

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from testbed.core.records.migration import ComparisonRecord, MigrationRecord
from testbed.model.laws import Laws
from testbed.report.charts.shown import Shown
from testbed.report.side import page, words
from testbed.report.side.comparison import Comparison, ComparisonLine
from testbed.report.words.summary import WIDE

if TYPE_CHECKING:
    from testbed.report.words.forecasts import Prediction
    from testbed.scenario import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Of each migration of a scenario; ``str()`` is what ``testbed predict`` says."""

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
        show(self.scenario, self.made, Console(file=file, width=WIDE, highlight=False))
        return file.getvalue()

    def __repr__(self) -> str:
        return f"<Predictions of {self.scenario.name}: {len(self.made)} migrations>"


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Runs side by side; ``str()`` is the table of ``testbed compare``."""

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
        return file.getvalue() + "".join(f"{note}\n" for note in self.notes)

    def __repr__(self) -> str:
        return f"<Compared: {len(self.made.runs)} runs, {len(self.lines)} lines>"

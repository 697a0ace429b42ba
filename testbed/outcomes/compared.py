"""Runs side by side: what differs, and whether that is more than noise; as values, a table, charts and a page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.core.text.from_json import JsonObject
from testbed.exports.cells import CellKind, Column, Sheet, table
from testbed.outcomes import markup
from testbed.outcomes.table import RunTable
from testbed.report.drawing.shown import Shown
from testbed.report.side import page, series, words
from testbed.report.side.comparison import Comparison, ComparisonLine
from testbed.report.side.data import as_data, lines_as_data
from testbed.report.side.sentence import sentences
from testbed.report.words.tables import plain


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Runs side by side; ``str()`` is what ``testbed compare`` says.

    Attributes:
        made: the comparison, with its runs.

    Example:
        >>> testbed.compare("results/a", "results/b")
        <Compared: 2 runs, 10 lines>
    """

    made: Comparison

    @property
    def lines(self) -> list[ComparisonLine]:
        """A line a figure of each group: ``values``, ``spread`` (median, mean, interval), ``difference``,
        ``significant`` (after Holm's correction), and ``bound(0.05)`` for a check.

        Example:
            >>> [each.group for each in testbed.compare("results/a", "results/b").lines[:2]]
            ['goodput=900Mbit', 'goodput=300Mbit']
        """
        return self.made.lines

    @property
    def notes(self) -> list[str]:
        """What was left out, and at which size figures are.

        Example:
            >>> testbed.compare("results/a", "results/b").notes
            []
        """
        return self.made.notes

    @property
    def not_comparable(self) -> list[str]:
        """Why these runs should not have been compared; empty unless ``anyway`` was given.

        Example:
            >>> testbed.compare("results/a", "results/b").not_comparable
            []
        """
        return self.made.reasons

    @property
    def data(self) -> dict[str, Any]:
        """The comparison as ``testbed compare --json`` has it: sentences, then seconds and bytes, verdicts in words.

        Example:
            >>> testbed.compare("results/a", "results/b").data["lines"][1]["verdict"]
            'a model, no noise'
        """
        return as_data(self.made)

    @property
    def charts(self) -> dict[str, Shown]:
        """By name, those of the page: ``total-time-s``, ``downtime-s``, ...

        Example:
            >>> list(testbed.compare("results/a", "results/b").charts)[:2]
            ['total-time-s', 'downtime-s']
        """
        drawn = page.figures_of(self.made.lines)
        return {figure.name: Shown(figure.name, figure.title, figure.chart) for figure in drawn}

    def overlay(self, what: str = "throughput") -> Shown:
        """Several runs' time series over one another, from the moment when each migration was asked for.

        Args:
            what: ``throughput``, ``operations`` (of the guest) and ``latency`` (of the client) were sampled;
                ``bandwidth``, ``dirty_rate``, ``dirtied`` and ``throttle`` are of each round, and simulated runs have
                them, too. Without samples ``throughput`` is the rounds' bandwidth.

        Returns:
            The chart: a colour a group, up to six, a line a repeat.

        Raises:
            ScenarioError: there is no such series, no run has it, the runs' scales differ, or samples are damaged.

        Example:
            >>> testbed.compare("results/a", "results/b").overlay("dirty_rate")
            <chart overlay-dirty_rate: Dirty rate of each round>
        """
        drawn = series.overlay(self.made.runs, what)
        return Shown(drawn.name, drawn.title, drawn.chart)

    def table(self) -> RunTable:
        """A row a figure of each group, for pandas and polars: what ``data`` has, one value a cell.

        Returns:
            A mapping of columns, ``migration``, ``figure``, ``group``, ``n``, ``mean``, ``p_holm`` among them.

        Example:
            >>> testbed.compare("results/a", "results/b").table()["figure"][:2]
            ['total_time_s', 'total_time_s']
        """
        return RunTable(_sheet(self.made))

    def write_page(self, path: str | Path) -> Path:
        """Writes a page of it, one file that opens offline.

        Args:
            path: the file.

        Returns:
            Its path.

        Raises:
            TestbedError: the file cannot be written.

        Example:
            >>> testbed.compare("results/a", "results/b").write_page("comparison.html").name
            'comparison.html'
        """
        file = Path(path)
        page.write(file, self.made)
        return file

    def _repr_html_(self) -> str:
        lines = [f"not comparable: {reason}" for reason in self.not_comparable]
        lines += [*sentences(self.lines), *self.notes]
        return markup.block(page.title_of(self.lines), lines, [words.table(self.lines)], most=4 * markup.MOST)

    def __str__(self) -> str:
        console, file = plain()
        console.print(words.table(self.made.lines))
        told = [*sentences(self.made.lines), *file.getvalue().splitlines(), *self.notes]
        return "".join(f"{line}\n" for line in told)

    def __repr__(self) -> str:
        return f"<Compared: {len(self.made.runs)} runs, {len(self.lines)} lines>"


WORDS = ("migration", "figure", "unit", "size", "group", "difference_by", "verdict")
NUMBERS = (
    *("median", "mean", "mean_95_t_low", "mean_95_t_high", "difference_of_means"),
    *("difference_95_low", "difference_95_high", "smallest_difference", "p", "p_holm"),
)


def _sheet(made: Comparison) -> Sheet:
    """A row a line, its intervals in two columns each."""
    columns = [Column(name=name, kind=CellKind.TEXT) for name in WORDS]
    columns += [Column(name="n", kind=CellKind.INTEGER)]
    columns += [Column(name=name, kind=CellKind.NUMBER) for name in NUMBERS]
    columns += [Column(name="significant", kind=CellKind.TRUTH)]
    known = {column.name for column in columns}
    rows = list[JsonObject]()
    for line, said in zip(made.lines, lines_as_data(made), strict=True):
        row: JsonObject = {"unit": line.measure.unit}
        for name, value in said.items():
            ends = value if isinstance(value, list) and name != "values" else ()
            row |= dict(zip((f"{name}_low", f"{name}_high"), ends, strict=False))
            row |= {name: value} if name in known else {}
        rows.append(row)
    return table("figures", columns, [{name: row.get(name) for name in known} for row in rows])

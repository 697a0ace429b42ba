"""A sweep as values: its points with their runs, what each combination comes to, tables, and maps."""

from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.settings import Settings
from testbed.core.text.printable import printable
from testbed.outcomes import markup
from testbed.outcomes.run import Run
from testbed.outcomes.table import RunTable, chosen
from testbed.report.drawing.shown import Shown
from testbed.report.words.tables import plain
from testbed.sweeps.ended import LEFT, VALID
from testbed.sweeps.together import page, rows
from testbed.sweeps.together.cells import SweptCell, cells
from testbed.sweeps.whole import SweepDone

MOST_LINES, MOST_MAPS = 4, 2
"""Faults that a notebook is told of, and maps that it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """One point of a sweep: a combination of the axes, made once.

    Attributes:
        number: from 0, in the order in which they are made.
        settings: the axes' values by their paths, as they were given.
        repeat: which time it is, from 1.
        seed: its own.
        state: ``left``, ``valid``, ``not valid`` or ``refused``.
        reason: why it is not valid, or was refused; else empty.
        machine: which one made it; None for one that is left.
        path: its run's folder; None where there is none.

    Example:
        >>> swept = testbed.sweep("hello", axes={"vm.ram": ["256MB", "512MB"]}, engine="simulated", jobs=1)
        >>> sorted(each.settings["vm.ram"] for each in swept.points)
        ['256MB', '512MB']
    """

    number: int
    settings: Settings
    repeat: int
    seed: int
    state: str
    reason: str
    machine: str | None
    path: Path | None

    @property
    def run(self) -> Run:
        """Its run, read now.

        Raises:
            ScenarioError: there is none, or it cannot be read.

        Example:
            >>> swept = testbed.sweep("hello", axes={"vm.ram": ["256MB", "512MB"]}, engine="simulated", jobs=1)
            >>> len(swept.points[0].run.migrations)
            1
        """
        if self.path is None:
            why = f": {self.reason}" if self.reason else ""
            raise ScenarioError(f"point {self.number} has no run; it is {self.state}{why}")
        return Run(self.path)


class Swept:
    """A sweep's points and what they come to; ``str()`` is a table, a row a combination.

    Attributes:
        folder: where all of it lies: ``points/``, ``sweep.html``, ``results.csv``.
        engine: what made the points.
        points: each with its settings, state and run, by their numbers.
        cells: of each combination the figures: ``figures["total_time_s"].spread.mean``, in seconds, as emulated.
        drifts: what canaries have told.

    Example:
        >>> axes = {"network.vmotion.goodput": ["500Mbit", "900Mbit"]}
        >>> testbed.sweep("hello", axes=axes, repeats=2, engine="simulated", jobs=1)
        <Swept hello: 4 of 4 points, all valid, in results/hello-sweep>
    """

    def __init__(self, done: SweepDone) -> None:
        known, self._done = done.state, done
        self.folder: Path = done.folder.path
        self.engine: str = known.engine
        self.drifts: list[str] = known.drifts
        there = {point.number: kept.path for point, kept in done.done}
        self.points: list[SweepPoint] = [
            SweepPoint(
                number=each.number,
                settings=known.arms[each.arm].settings,
                repeat=each.repeat,
                seed=each.seed,
                state=each.state,
                reason=each.reason,
                machine=each.machine,
                path=there.get(each.number),
            )
            for each in known.points
        ]
        self.cells: list[SweptCell] = cells(done.done)

    @property
    def valid(self) -> bool:
        """Whether every point is there and valid.

        Example:
            >>> testbed.sweep("hello", axes={"vm.ram": ["256MB", "512MB"]}, engine="simulated", jobs=1).valid
            True
        """
        return all(each.state == VALID for each in self.points)

    def runs(self, settings: Settings | None = None) -> list[Run]:
        """The runs of some points, such as ``testbed.compare`` takes.

        Args:
            settings: what their axes are set to, as it was given; None: all runs that there are.

        Returns:
            Their runs, by their numbers.

        Raises:
            ScenarioError: there is no such axis or value, or a run cannot be read.

        Example:
            >>> axes = {"network.vmotion.goodput": ["500Mbit", "900Mbit"]}
            >>> swept = testbed.sweep("hello", axes=axes, repeats=2, engine="simulated", jobs=1)
            >>> slow, fast = (swept.runs({"network.vmotion.goodput": rate}) for rate in ("500Mbit", "900Mbit"))
            >>> str(testbed.compare(*slow, *fast)).partition(":")[0]
            'goodput=900Mbit is faster than goodput=500Mbit'
        """
        wanted = settings or {}
        for axis, value in wanted.items():
            values = [each.settings[axis] for each in self.points if axis in each.settings]
            if value not in values:
                there = ", ".join(dict.fromkeys(map(str, values))) or f"none, but of {', '.join(self._done.state.axes)}"
                raise ScenarioError(f"no point has {axis}={value}; there are {there}")
        return [
            each.run
            for each in self.points
            if each.path and all(each.settings.get(axis) == value for axis, value in wanted.items())
        ]

    def table(self, name: str = "results") -> RunTable:
        """A table of all points, for pandas, polars and whoever reads Arrow.

        Args:
            name: ``results``, as ``results.csv``: a row a migration, with ``axis.`` and the axis's path for a column;
                or ``cells``: a row a combination, with means, intervals and the model's word.

        Returns:
            A mapping of columns.

        Raises:
            ScenarioError: there is no such table.

        Example:
            >>> axes = {"network.vmotion.goodput": ["500Mbit", "900Mbit"]}
            >>> swept = testbed.sweep("hello", axes=axes, repeats=2, engine="simulated", jobs=1)
            >>> swept.table().rows, swept.table("cells")["axis.network.vmotion.goodput"]
            (4, ['500Mbit', '900Mbit'])
        """
        axes = self._done.state.axes
        return chosen([rows.sheet(self._done.done, axes), rows.of_cells(self.cells, axes)], name)

    @cached_property
    def charts(self) -> dict[str, Shown]:
        """Those of the page: over two axes that differ a map of each figure, over one dots.

        Example:
            >>> axes = {"network.vmotion.goodput": ["500Mbit", "900Mbit"]}
            >>> testbed.sweep("hello", axes=axes, engine="simulated", jobs=1).charts["map-1"]
            <chart map-1: Total time>
        """
        drawn = page.figures_of(self._done.state, self.cells)
        return {figure.name: Shown(figure.name, figure.title, figure.chart) for figure in drawn}

    def _faults(self) -> list[str]:
        bad = [each for each in self.points if each.state not in (VALID, LEFT)]
        told = [f"point {each.number}: {each.state}: {each.reason}" for each in bad[:MOST_LINES]]
        return told + ([f"and {len(bad) - MOST_LINES:,} more points"] if len(bad) > MOST_LINES else [])

    def _repr_html_(self) -> str:
        known = self._done.state
        lines = [*page.answers(known), *self._faults(), f"{self.engine} · {self.folder}"]
        maps = [_picture(each) for each in list(self.charts.values())[:MOST_MAPS]]
        tables = [page.table(self.cells)] if self.cells else []
        return markup.block(f"{known.name}: {known.title}", lines, tables) + "".join(maps)

    def __str__(self) -> str:
        console, file = plain()
        console.print(page.table(self.cells))
        lines = [*page.answers(self._done.state), *self._faults(), *file.getvalue().splitlines()]
        return "".join(f"{printable(line)}\n" for line in lines)

    def __repr__(self) -> str:
        there = sum(each.state != LEFT for each in self.points)
        bad = sum(each.state not in (VALID, LEFT) for each in self.points)
        state = f"{bad} not valid" if bad else "all valid"
        name = printable(self._done.state.name)
        return f"<Swept {name}: {there} of {len(self.points)} points, {state}, in {self.folder}>"


def _picture(chart: Any) -> str:
    """A chart as a picture by itself: what is in it meets nothing of the notebook's page."""
    drawn = b64encode(chart.svg().encode()).decode()
    return f'<img alt="{escape(printable(chart.title))}" src="data:image/svg+xml;base64,{drawn}">'

"""The page of a comparison: what it comes to first, the table, every repeat as a point."""

import re
from collections.abc import Sequence
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.report.charts.overlay import overlay_chart
from testbed.report.drawing import export
from testbed.report.page.figures import Figure
from testbed.report.page.html import render
from testbed.report.side import series, words
from testbed.report.side.comparison import Comparison, ComparisonLine
from testbed.report.side.sentence import sentences
from testbed.runfiles import files
from testbed.runfiles.folder import ANOTHER_FILE, RunFolder, put

PAIRED = "by pairs where seeds are the same, else by Welch's t"
UNPAIRED = "by Welch's t, unpaired as was asked for, whatever the seeds"
"""How differences are found, as the page says it."""


def write(file: Path, comparison: Comparison) -> None:
    """Raises ``TestbedError`` if it cannot be written."""
    put(file, html(comparison).encode(), ANOTHER_FILE)


def html(comparison: Comparison) -> str:
    """One file that opens offline."""
    with export.unchecked():
        over_time, untold = _over_time(comparison)
        drawn = figures_of(comparison.lines) + over_time
    first = 0 if any(line.migration for line in comparison.lines) else 1
    return render(
        "compare.html.j2",
        drawn,
        title=title_of(comparison.lines),
        runs=comparison.runs,
        reasons=comparison.reasons,
        notes=comparison.notes + untold,
        sentences=sentences(comparison.lines),
        by=PAIRED if comparison.paired else UNPAIRED,
        heads=words.HEADS[first:],
        rows=[row[first:] for row in words.rows(comparison.lines)],
        right=[index - first for index in (3, 4)],
        drawn=drawn,
    )


def _over_time(comparison: Comparison) -> tuple[list[Figure], list[str]]:
    """What was sampled over time, or each round left, and why a chart of it is missing."""
    sampled = any(files.there(RunFolder(run.path).samples) for run in comparison.runs)
    try:
        wanted = ("throughput", "operations") if sampled else ("dirtied",)
        return [series.overlay(comparison.runs, what) for what in wanted], []
    except ScenarioError as fault:
        return [], [f"nothing is drawn over time: {fault}"]


def figures_of(lines: Sequence[ComparisonLine]) -> list[Figure]:
    """A chart for each figure that somebody has; those of different sizes apart."""
    kinds: dict[tuple[str, bool], list[ComparisonLine]] = {}
    for line in lines:
        kinds.setdefault((line.measure.key, line.real), []).append(line)
    return [
        Figure(
            name=re.sub("[^a-z0-9]+", "-", key.lower()) + ("-real" if real else ""),
            title=_capital(words.figure(found[0])),
            caption=_caption(found),
            chart=overlay_chart(found),
        )
        for (key, real), found in kinds.items()
    ]


def _caption(lines: Sequence[ComparisonLine]) -> str:
    bar = ", the bar the 95 % interval of the mean" if any(line.spread.low is not None for line in lines) else ""
    return f"A dot is a repeat, the tick the median{bar}."


def title_of(lines: Sequence[ComparisonLine]) -> str:
    """Who is compared with whom."""
    groups = list(dict.fromkeys(line.group for line in lines))
    return " against ".join(groups) if len(groups) <= 3 else f"{groups[0]} against {len(groups) - 1} others"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

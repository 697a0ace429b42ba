"""Which charts a run has: each with the name of its file, a title that says what is seen, and a caption."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from testbed.core.records.claims import Unit
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.text.from_json import JsonObject
from testbed.report.axis.timeline import Timeline
from testbed.report.charts import sizes
from testbed.report.charts.grid import grid_chart
from testbed.report.charts.overview import bandwidth_chart, completion_chart, gaps_chart, halts_chart, lines_chart
from testbed.report.charts.published import published_chart
from testbed.report.charts.switchover import switchover_chart
from testbed.report.charts.timeline import timeline_chart
from testbed.report.drawing import export
from testbed.report.drawing.export import Chart
from testbed.report.drawing.theme import VegaLite
from testbed.report.page import captions
from testbed.runfiles.pages import Cells


@dataclass(frozen=True, eq=False, kw_only=True)
class Figure:
    """``name`` is that of the file in ``figures/`` and the element on the page. ``sizes``: what the chart is at the
    other size (``charts.sizes``); None where there is none. ``stays``: what of it has no real-world size.
    """

    name: str
    title: str
    caption: str
    chart: Chart
    sizes: JsonObject | None = None
    stays: str = ""

    @cached_property
    def spec(self) -> VegaLite:
        """The chart as Vega-Lite, made once for page and picture."""
        return export.spec(self.chart)

    def packed(self) -> VegaLite:
        """As a page has it: rows as columns, and beside them the other size."""
        made = export.packed(self.spec)
        return made if self.sizes is None else {**made, "usermeta": {"size": self.sizes}}


def of_run(summary: Summary, lines: Sequence[Timeline]) -> list[Figure]:
    """Side by side, where there is more than one migration: the article's figures 3, 4 and 5, from this run."""
    migrations = summary.migrations
    if len(migrations) < 2:
        return []
    others = _other_sizes(summary)
    stays = {"gaps": "Bars"} if others else {}
    figures = [
        Figure(name=name, title=title, caption=text, chart=chart, sizes=others.get(name), stays=stays.get(name, ""))
        for name, title, text, chart in _side_by_side(summary, lines)
        if chart
    ]
    return [*figures, *_halts(summary, lines)]


def _other_sizes(summary: Summary) -> dict[str, JsonObject]:
    """By the figure's name; none of a run that was not scaled."""
    migrations = summary.migrations
    if not sizes.is_scaled(migrations):
        return {}
    lines = sizes.of_lines(migrations)
    return {
        "completion": sizes.of_completion(migrations, summary.comparisons),
        "bandwidth": sizes.of_bandwidth(migrations),
        "throughput": lines,
        "operations": lines,
    }


def _side_by_side(summary: Summary, lines: Sequence[Timeline]) -> list[tuple[str, str, str, Chart | None]]:
    """Name, title, caption and chart; None for one that has nothing to show."""
    migrations, claims = summary.migrations, summary.comparisons
    third = captions.reproduces(claims, "total_time")
    fourth = "The article's Figure 4: b" if third else "B"
    return [
        (
            "completion",
            "The article's Figure 3: completion time" if third else "Completion time",
            captions.completion(claims),
            completion_chart(migrations, claims),
        ),
        (
            "bandwidth",
            f"{fourth}andwidth during pre-copy and at the switchover",
            captions.bandwidth(claims),
            bandwidth_chart(migrations),
        ),
        (
            "throughput",
            "Link throughput over time",
            f"{captions.THROUGHPUT}{captions.of_all(lines)}.",
            lines_chart(lines, "throughput", 1e-6, "MB/s"),
        ),
        (
            "operations",
            "What the guest got done over time",
            captions.operations(migrations, lines),
            lines_chart(lines, "operations", 1e-3, "1000 operations/s"),
        ),
        ("gaps", "How long the guest stood still", captions.GAPS, gaps_chart(migrations)),
    ]


def _halts(summary: Summary, lines: Sequence[Timeline]) -> Iterator[Figure]:
    """A figure for each service that any of the migrations had."""
    fifth = "The article's Figure 5: w" if captions.reproduces(summary.comparisons, "longest_halt") else "W"
    scaled = sizes.is_scaled(summary.migrations)
    curves = sizes.of_lines(summary.migrations) if scaled else None
    for service in dict.fromkeys(each.name for done in summary.migrations for each in done.services):
        chart = halts_chart(summary.migrations, lines, service)
        if chart is not None:
            yield Figure(
                name=f"halts-{service}",
                title=f"{fifth}hen {service} halts, and for how long",
                caption=captions.halts(summary.comparisons, lines),
                chart=chart,
                sizes=curves if any(line.rate_of(service) is not None for line in lines) else None,
                stays="Bars" if scaled else "",
            )


def of_published(summary: Summary) -> list[Figure]:
    """What was published beside what was measured, a chart a unit."""
    titles: dict[Unit, str] = {
        "share": "Reductions, beside those published",
        "bytes": "Bytes of each round, beside those published",
        "seconds": "Times, beside those published",
        "ratio": "How many times as large, beside what was expected",
    }
    captions = dict.fromkeys(titles, "Where both marks meet, they agree.") | {"ratio": "At least as far to the right."}
    charts = [(unit, published_chart(summary.comparisons, unit)) for unit in titles]
    return [
        Figure(name=f"published-{unit}", title=titles[unit], caption=captions[unit], chart=chart)
        for unit, chart in charts
        if chart is not None
    ]


def of_migration(record: MigrationRecord, line: Timeline, cells: Cells | None, name: str) -> Iterator[Figure]:
    """Its time axis, its switchover, its memory; ``cells``: as many as its page has room for."""
    scaled = sizes.is_scaled([record])
    if record.rounds:
        yield Figure(
            name=f"timeline-{name}",
            title="Rounds on one time axis",
            caption=captions.timeline(record, line),
            chart=timeline_chart(line, record),
            sizes=sizes.of_timeline(record, line) if scaled else None,
            stays="Latencies and shares" if scaled else "",
        )
    switchover = switchover_chart(record)
    if switchover:
        yield Figure(
            name=f"switchover-{name}",
            title="The switchover, in milliseconds",
            caption=captions.switchover(record),
            chart=switchover,
            sizes=sizes.of_switchover(record) if scaled else None,
        )
    if cells is not None:
        yield Figure(
            name=f"memory-{name}",
            title="The guest's memory, round by round",
            caption=captions.MEMORY.format(f"{cells.cell_pages:,}"),
            chart=grid_chart(cells),
        )


def names(migrations: Sequence[MigrationRecord]) -> list[str]:
    """A name for the files of each, of letters, digits and hyphens, no two the same."""
    given: list[str] = []
    for record in migrations:
        base = re.sub(r"[^A-Za-z0-9]+", "-", record.name).strip("-").lower()[:60] or "migration"
        name = base if record.repeat == 1 else f"{base}-r{record.repeat}"
        given.append(name if name not in given else f"{name}-{len(given) + 1}")
    return given

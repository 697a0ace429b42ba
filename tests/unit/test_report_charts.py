"""Every kind of chart: held against Vega-Lite's schema, drawn, its axes with units, its colours from the theme."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import pytest

from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import ComparisonRecord
from testbed.core.records.services import BlackoutRecord
from testbed.report.axis.timeline import Timeline, timeline
from testbed.report.charts.curves import RepeatLine, curves_chart
from testbed.report.charts.grid import MOST_POINTS, grid_chart, shown
from testbed.report.charts.overlay import overlay_chart
from testbed.report.charts.overview import bandwidth_chart, completion_chart, gaps_chart, lines_chart
from testbed.report.charts.published import published_chart
from testbed.report.charts.switchover import switchover_chart
from testbed.report.charts.timeline import timeline_chart
from testbed.report.drawing import export, theme
from testbed.report.side.comparison import ComparisonLine
from testbed.report.side.measures import MEASURES, Measure
from testbed.report.side.spread import spread
from testbed.runfiles import pages, samples
from testbed.runfiles.folder import RunFolder
from tests.unit.records import a_migration
from tests.unit.runs import KEPT


@pytest.fixture(scope="module")
def line() -> Timeline:
    return timeline(RunFolder(KEPT).read_summary().migrations[0], samples.read(KEPT / "samples.jsonl")[0])


def grid() -> Any:
    return grid_chart(pages.read(KEPT / "pages.jsonl")[MigrationKey(name="hello")])


def overlay(measure: Measure = MEASURES[1], **groups: list[float]) -> Any:
    known = groups or {"a": [0.02, 0.03], "b": [0.01]}
    return overlay_chart(
        [
            ComparisonLine(migration="", measure=measure, group=name, spread=spread(v), values=v)
            for name, v in known.items()
        ]
    )


CLAIM = ComparisonRecord(
    name="total_time", over="rate", a="10Gbit", b="40Gbit", reduction=0.8, measured=0.8, published=0.88, source="s"
)
PHASES = {"pause": 0.001, "last_round": 0.05, "resume": 0.002}
DONE = a_migration(downtime_phases_s=PHASES, guest_gap_s=0.06, client_blackout_s=1.5)
KINDS: dict[str, Callable[[Timeline], Any]] = {
    "timeline": lambda line: timeline_chart(line, DONE),
    "without samples": lambda _line: timeline_chart(timeline(DONE, None), DONE),
    "switchover": lambda _line: switchover_chart(DONE),
    "completion": lambda _line: completion_chart([DONE, a_migration(name="b")]),
    "bandwidth": lambda _line: bandwidth_chart([DONE, a_migration(name="b")]),
    "gaps": lambda _line: gaps_chart([DONE]),
    "lines": lambda line: lines_chart([line, line], "throughput", 1e-6, "MB/s"),
    "grid": lambda _line: grid(),
    "published": lambda _line: published_chart([CLAIM], "share"),
    "overlay": lambda _line: overlay(),
}


@pytest.mark.parametrize(
    ("measure", "value", "labels"),
    [
        (0, 2.6816, ["2.55", "2.60", "2.65", "2.70", "2.75", "2.80"]),
        (0, 12.0, ["11.4", "11.6", "11.8", "12.0", "12.2", "12.4", "12.6"]),
        (1, 0.01387, ["13.2", "13.4", "13.6", "13.8", "14.0", "14.2", "14.4"]),
        (1, 0.0, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]),
        (4, 301.67e6, ["290", "295", "300", "305", "310", "315"]),
        (5, 4.0, ["3", "4", "5"]),
    ],
)
def test_one_value_alone_stands_between_labels_that_are_right(measure: int, value: float, labels: list[str]) -> None:
    for groups in ({"a": [value]}, {"a": [value, value], "b": [value * (1 + 1e-9)]}):
        drawn = export.svg(export.spec(overlay(MEASURES[measure], **groups)))
        assert re.findall(r">([0-9.]+)</text>", drawn) == labels


def test_what_is_counted_has_no_label_between_whole_numbers() -> None:
    for least, most in ((4, 5), (3, 7)):
        drawn = export.svg(export.spec(overlay(MEASURES[5], a=[float(least), float(most)])))
        labels = [int(each) for each in re.findall(r">([0-9.]+)</text>", drawn)]
        assert labels == list(range(least - 1, most + 2))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_vega_lite_and_can_be_drawn(kind: str, line: Timeline) -> None:
    chart = KINDS[kind](line)
    chart.to_dict()  # raises what is not of the schema
    drawn = export.svg(export.spec(chart))
    assert drawn.startswith("<svg") and "NaN" not in drawn and "undefined" not in drawn
    assert export.png(drawn).startswith(b"\x89PNG")


def test_no_channel_is_a_bare_name(line: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each of those Altair looks through all its classes, which took most of what a chart cost."""
    monkeypatch.delattr(alt.SchemaBase, "from_dict")
    assert all(kind(line) is not None for kind in KINDS.values())
    assert curves_chart([RepeatLine(group="a", line="1", times=[0.0], values=[1.0], stepped=True)], "s") is not None


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("grid", "published")])
def test_axes_have_units(kind: str, line: Timeline) -> None:
    drawn = export.svg(export.spec(KINDS[kind](line)))
    assert any(unit in drawn for unit in ("seconds", "milliseconds", "MB/s", ", s", ", ms"))


def test_throttle_and_latency_have_their_panels_only_where_seen(line: Timeline) -> None:
    assert len(timeline_chart(line, DONE).to_dict(validate=False)["vconcat"]) == 2
    throttled = a_migration()
    throttled.rounds[1].throttle = 0.4
    assert len(timeline_chart(line, throttled).to_dict(validate=False)["vconcat"]) == 3
    assert len(timeline_chart(timeline(DONE, None), DONE).to_dict(validate=False)["vconcat"]) == 1


def test_the_waterfall_adds_up_to_the_downtime() -> None:
    chart = switchover_chart(a_migration(downtime_phases_s=PHASES, downtime_s=sum(PHASES.values())))
    assert chart is not None
    (rows,) = chart.to_dict(validate=False)["datasets"].values()
    phases, (down,) = [r for r in rows if r["kind"] == "phase"], [r for r in rows if r["kind"] == "seen"]
    assert phases[-1]["end"] == pytest.approx(down["end"])
    assert all(a["end"] == b["begin"] for a, b in pairwise(phases))


def test_nothing_seen_is_no_chart() -> None:
    nothing = a_migration(total_time_s=None, downtime_s=None, rounds=[])
    assert switchover_chart(nothing) is None and completion_chart([nothing]) is None
    assert published_chart([CLAIM], "bytes") is None
    assert bandwidth_chart([nothing]) is None and gaps_chart([nothing]) is None
    assert lines_chart([timeline(nothing, None)], "throughput", 1, "") is None


def test_a_grid_of_many_rounds_has_larger_cells() -> None:
    counts = np.ones((20, 1024), np.int64)
    cells = pages.Cells(pages=1024 * 8, cell_pages=8, rounds=list(range(1, 21)), sent=counts, dirtied=counts)
    for migrations in (20, 60):
        (rows,) = grid_chart(shown(cells, migrations)).to_dict(validate=False)["datasets"].values()
        assert len(rows) <= MOST_POINTS // migrations < counts.size


def contrast(a: str, b: str) -> float:
    """Of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_colours_stand_out_from_their_ground() -> None:
    """Three to one for what is drawn (WCAG 1.4.11); the lighter of the light theme's are for the fifth line on."""
    assert all(contrast(colour, "#FFFFFF") > 2.5 for colour in theme.LIGHT_COLOURS[:4])
    assert all(contrast(colour, "#14171A") > 3 for colour in theme.DARK_COLOURS)
    for dark, ground in ((False, "#FFFFFF"), (True, "#14171A")):
        assert contrast(theme.config(dark=dark)["axis"]["labelColor"], ground) > 4.5


def test_vega_is_bundled_whole_and_cannot_end_its_element(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    made = export.scripts()
    assert 500_000 < len(made) < 1_500_000 and "vegaEmbed" in made
    assert "</script" not in made and "<!--" not in made
    (kept,) = (tmp_path / "share" / "fast-motion").iterdir()
    assert kept.read_text(encoding="utf-8") == made == export.scripts()


def test_json_cannot_end_its_element() -> None:
    assert "<" not in export.embedded({"a": "</script><!--\u2028"})


@pytest.mark.parametrize("begin", [-1.1, -0.1, 0.0, 0.5])
def test_what_lies_beside_the_axis_of_the_switchover_has_a_bar_at_its_edge(begin: float) -> None:
    """As where a throttled guest kept its clients waiting long before it was stunned."""
    parts = {"before_switchover" if begin < 0 else "after_switchover": 0.2}
    done = a_migration(
        downtime_phases_s=PHASES,
        downtime_s=sum(PHASES.values()),
        guest_gap_s=0.2,
        guest_gap_begin_s=begin,
        client_blackout_s=0.2,
        blackout=BlackoutRecord(answers=9, median_interval_s=1e-3, begin_s=begin, parts=parts),
    )
    chart = switchover_chart(done)
    assert chart is not None
    made = export.spec(chart)
    (rows,) = made["datasets"].values()
    first, last = made["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert all(first <= row["left"] <= row["right"] <= last for row in rows)
    seen = [row for row in rows if row["kind"] != "phase" and row["what"] != "downtime (hypervisor)"]
    assert len(seen) == 3 and all(row["right"] - row["left"] >= 0.005 * (last - first) for row in seen)
    assert all(("◀" in row["label"] or "▶" in row["label"]) == (begin != 0.0 or row["end"] > last) for row in seen)

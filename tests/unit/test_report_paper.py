"""Figures for a paper: exactly as wide as its column, with type that can be read, fonts embedded, and no title."""

import re
from pathlib import Path

import altair as alt
import pytest

import testbed
from testbed.core.errors import ScenarioError, TestbedError
from testbed.report.drawing import paper
from testbed.report.drawing.shown import Shown
from tests.unit.runs import KEPT
from tests.unit.wheels import fonts, media_box

CHARTS = testbed.load(KEPT).charts
WIDTHS: list[tuple[str | float, float]] = [("column", 252), (5, 360), ("text", 515.52)]


@pytest.mark.parametrize(
    ("name", "width", "points"),
    [*((name, "acm-column", 239.76) for name in CHARTS), *(("timeline-hello", *each) for each in WIDTHS)],
)
def test_every_chart_fits_every_width(name: str, width: str | float, points: float) -> None:
    chart = CHARTS[name]
    assert media_box(chart.pdf(width))[:3] == pytest.approx([0, 0, points], abs=0.01)
    drawn = chart.svg(width)
    assert f'width="{points:g}pt"' in drawn[:400] and chart.title not in drawn
    box = re.search(r'viewBox="0 0 ([\d.]+) ', drawn)
    assert box and float(box[1]) == pytest.approx(points, rel=0.02), "type keeps its size: it is laid out, not scaled"
    sizes = {float(each) for each in re.findall(r'font-size="([\d.]+)px"', drawn)}
    assert sizes and sizes <= {7.0, 8.0}


def test_fonts_are_embedded_and_none_is_drawn_by_hand() -> None:
    assert fonts(CHARTS["timeline-hello"].pdf("column")) == {"TrueType, embedded"}


def test_what_has_only_long_names_fits_too() -> None:
    rows = [{"group": f"a very long name of a policy with many settings, the {i}th", "value": i} for i in range(3)]
    y = alt.Y("group:N", axis=alt.Axis(labelLimit=260))
    chart = Shown("x", "x", alt.Chart(alt.InlineData(values=rows)).mark_bar().encode(x="value:Q", y=y))
    assert media_box(chart.pdf(3.33))[2] == pytest.approx(239.76, abs=0.01)


def test_files_by_their_endings(tmp_path: Path) -> None:
    chart = CHARTS["switchover-hello"]
    assert chart.save(tmp_path / "a.pdf", width="column").read_bytes().startswith(b"%PDF")
    assert chart.save(tmp_path / "b.PDF").read_bytes().startswith(b"%PDF")
    assert 'width="252pt"' in chart.save(tmp_path / "c.svg", width="column").read_text(encoding="utf-8")
    pixels = chart.save(tmp_path / "d.png", width="column").read_bytes()
    assert int.from_bytes(pixels[16:20]) == 2100, "600 an inch"
    with pytest.raises(ScenarioError, match=r"'\.html' has no width of a paper"):
        chart.save(tmp_path / "e.html", width=3)
    for name in ("f.svg", "f.json"):
        with pytest.raises(TestbedError, match=r"cannot be written to .*nowhere: No such file.*; name another file"):
            chart.save(tmp_path / "nowhere" / name)


@pytest.mark.parametrize(
    ("width", "said"),
    [
        ("colum", "there is no width 'colum'; did you mean 'column'?"),
        (0, "1 to 40 inches wide, not 0"),
        (252, "1 to 40 inches wide, not 252"),
        (float("nan"), "not nan"),
        (True, "not True"),
    ],
)
def test_no_width_is_said(width: str | float, said: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(said)):
        paper.inches(width)

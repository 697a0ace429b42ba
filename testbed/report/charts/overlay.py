"""Repeats over one another: every value, the median and the interval of the mean, group by group."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from testbed.report.charts.theme import STUNNED
from testbed.report.side_by_side import Line

WIDTH, STEP = 640, 26
TITLES = {
    "total_time_s": "total time, s",
    "downtime_s": "downtime (hypervisor), ms",
    "guest_gap_s": "gap (guest), ms",
    "client_blackout_s": "blackout (client), ms",
    "bytes_sent": "sent, MB",
    "rounds": "rounds",
}


def overlay_chart(lines: Sequence[Line], figure: str) -> alt.TopLevelMixin | None:
    """A row a group; None where nobody has this figure."""
    found = [line for line in lines if line.figure == figure]
    if not found:
        return None
    factor = {"total_time_s": 1.0, "bytes_sent": 1e-6, "rounds": 1.0}.get(figure, 1e3)
    order = [_label(line) for line in found]
    y = alt.Y("group:N", sort=order, title=None, axis=alt.Axis(labelLimit=260, ticks=False, domain=False))
    x = alt.X("value:Q", title=TITLES[figure], scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=8))
    points = alt.Chart(alt.InlineData(values=[_point(line, value * factor) for line in found for value in line.values]))
    middles = alt.Chart(alt.InlineData(values=[_point(line, line.spread.median * factor) for line in found]))
    ranges = alt.Chart(alt.InlineData(values=[_range(line, factor) for line in found if line.spread.low is not None]))
    return alt.layer(
        ranges.mark_rule(strokeWidth=9, opacity=0.25).encode(x=x, x2="high:Q", y=y),
        middles.mark_tick(thickness=2, height={"band": 0.7}).encode(x=x, y=y),
        points.mark_point(filled=True, opacity=0.8, size=45).encode(
            x=x, y=y, color=alt.value(STUNNED), tooltip=["group:N", alt.Tooltip("value:Q", format=".5~g")]
        ),
    ).properties(width=WIDTH, height=alt.Step(STEP))


def _label(line: Line) -> str:
    return " ".join(part for part in (line.migration, line.group) if part)


def _point(line: Line, value: float) -> dict[str, Any]:
    return {"group": _label(line), "value": value}


def _range(line: Line, factor: float) -> dict[str, Any]:
    low, high = line.spread.low or 0.0, line.spread.high or 0.0
    return {"group": _label(line), "value": low * factor, "high": high * factor}

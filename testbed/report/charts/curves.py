"""Lines over one time axis: a colour a group, a line a repeat."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from testbed.report.charts.timeline import WIDTH
from testbed.report.drawing.constant import Constant

HEIGHT = 190
LONG = 44
"""Characters of a group's name: one that has more has a line of the legend to itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatLine:
    """One line: ``times`` in seconds from the migration's request, ``values`` in the axis's unit. ``stepped``: a value
    holds until the next.
    """

    group: str
    line: str
    times: list[float]
    values: list[float]
    stepped: bool


def curves_chart(curves: Sequence[RepeatLine], axis: str) -> alt.TopLevelMixin:
    """All of them over one another; more of a group are fainter."""
    groups = list(dict.fromkeys(each.group for each in curves))
    faint = 1.0 if len(curves) == len(groups) else 0.5
    layers = [
        _layer([each for each in curves if each.stepped is stepped], groups, axis, faint, stepped=stepped)
        for stepped in dict.fromkeys(each.stepped for each in curves)
    ]
    return alt.layer(*layers, width=WIDTH, height=HEIGHT)


def _layer(curves: Sequence[RepeatLine], groups: Sequence[str], axis: str, faint: float, *, stepped: bool) -> alt.Chart:
    rows = [
        {"t": t, "value": value, "group": each.group, "line": each.line}
        for each in curves
        for t, value in zip(each.times, each.values, strict=True)
    ]
    columns, limit = (2, 320) if max(map(len, groups)) <= LONG else (1, 620)
    legend = alt.Legend(columns=columns, symbolType="stroke", symbolOpacity=1, labelLimit=limit)
    mark = alt.Chart(Constant(values=rows)).mark_line(
        strokeWidth=1.5, opacity=faint, interpolate="step-after" if stepped else "linear"
    )
    made: alt.Chart = mark.encode(
        x=alt.X("t:Q", title="seconds since the migration was asked for", axis=alt.Axis(grid=False)),
        y=alt.Y("value:Q", title=axis, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5)),
        color=alt.Color("group:N", title=None, scale=alt.Scale(domain=list(groups)), legend=legend),
        detail=alt.Detail("line:N"),
        tooltip=[
            alt.Tooltip("group:N"),
            alt.Tooltip("t:Q", title="s", format=".3f"),
            alt.Tooltip("value:Q", format=".4~g"),
        ],
    )
    return made

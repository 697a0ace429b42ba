"""Repeats over one another: every value, the median and the interval of the mean, group by group."""

from collections.abc import Sequence
from math import ceil, floor

import altair as alt

from testbed.report.drawing.constant import Constant
from testbed.report.drawing.theme import STUNNED
from testbed.report.side.comparison import ComparisonLine
from testbed.report.words.digits import Unit

WIDTH, STEP, FEW, TICKS = 640, 26, 10, 8
AXES: dict[Unit, tuple[tuple[str, float], ...]] = {
    "s": (("s", 1.0), ("ms", 1e3)),
    "B": (("MB", 1e-6),),
    "": (("", 1.0),),
}
"""Units of an axis, the larger first: seconds where all values reach one."""
NEAR, AROUND = 1e-6, 0.05
"""Shares of a value: what is nearer to it is the same to the eye, and how far an axis goes where all are the same."""


def overlay_chart(lines: Sequence[ComparisonLine]) -> alt.TopLevelMixin:
    """A row a group; all lines of one figure, at one size."""
    (title, factor), (opacity, size) = _axis(lines), _dots(lines)
    order = [_label(line) for line in lines]
    y = alt.Y("group:N", sort=order, title=None, axis=alt.Axis(labelLimit=420, ticks=False, domain=False))
    x = alt.X("value:Q", title=title, scale=_scale(lines, factor), axis=_ticks(lines))
    points = alt.Chart(Constant(values=[_point(line, value * factor) for line in lines for value in line.values]))
    middles = alt.Chart(Constant(values=[_point(line, line.spread.median * factor) for line in lines]))
    layers = [
        middles.mark_tick(thickness=2, height={"band": 0.7}).encode(x=x, y=y),
        points.mark_point(filled=True, opacity=opacity, size=size).encode(
            x=x,
            y=y,
            color=alt.ColorValue(STUNNED),
            tooltip=[alt.Tooltip("group:N"), alt.Tooltip("value:Q", format=".5~g")],
        ),
    ]
    if rows := [row for line in lines for row in _range(line, factor)]:  # an empty layer has no extent, and says so
        ranges = alt.Chart(Constant(values=rows))
        layers.insert(0, ranges.mark_rule(strokeWidth=9, opacity=0.25).encode(x=x, x2=alt.X2("high:Q"), y=y))
    return alt.layer(*layers, width=WIDTH, height=alt.Step(STEP))


def _ticks(lines: Sequence[ComparisonLine]) -> alt.Axis:
    """Some eight; of what is counted none between two whole numbers."""
    values = [value for line in lines for value in line.values]
    least, most = floor(min(values)), ceil(max(values))
    if lines[0].measure.unit or most - least > TICKS:
        return alt.Axis(tickCount=TICKS)
    return alt.Axis(values=list(range(max(0, least - 1), most + 2)), format="d")


def _scale(lines: Sequence[ComparisonLine], factor: float) -> alt.Scale:
    """As wide as the values need. Where all are as good as one, some way to both sides of it: an axis of one value has
    one label, which would be rounded as if nothing lay near.
    """
    values = [value * factor for line in lines for value in line.values]
    least, most = min(values), max(values)
    if most - least > NEAR * abs(most):
        return alt.Scale(zero=False, nice=True, padding=8)
    aside = AROUND * abs(most) if lines[0].measure.unit and most else 1.0
    return alt.Scale(domain=[max(0.0, least - aside), most + aside], nice=False)


def _dots(lines: Sequence[ComparisonLine]) -> tuple[float, float]:
    """Opacity and size: many are small, and let each other and the interval be seen."""
    return (0.45, 14) if max(len(line.values) for line in lines) > FEW else (0.8, 45)


def shown_in(unit: Unit, least: float) -> tuple[str, float]:
    """The unit of an axis whose values reach down to ``least``, and what they are multiplied by."""
    return next((each for each in AXES[unit] if least >= 1 / each[1]), AXES[unit][-1])


def _axis(lines: Sequence[ComparisonLine]) -> tuple[str, float]:
    """Its title, and what values are multiplied by."""
    measure = lines[0].measure
    unit, factor = shown_in(measure.unit, min(value for line in lines for value in line.values))
    words = f"{measure.words} at real-world size" if lines[0].real else measure.words
    return f"{words}, {unit}" if unit else words, factor


def _label(line: ComparisonLine) -> str:
    return " ".join(part for part in (line.migration, line.group) if part)


def _point(line: ComparisonLine, value: float) -> dict[str, str | float]:
    return {"group": _label(line), "value": value}


def _range(line: ComparisonLine, factor: float) -> list[dict[str, str | float]]:
    low, high = line.spread.low, line.spread.high
    if low is None or high is None:
        return []
    return [{"group": _label(line), "value": low * factor, "high": high * factor}]

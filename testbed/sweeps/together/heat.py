"""A figure over two axes of a sweep as a heat map, over one as points: each with its interval, the model's word beside.

What other axes there are sets maps apart, one for each combination of their values.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import altair as alt

from testbed.core.text.label import label
from testbed.report.charts.overlay import shown_in
from testbed.report.drawing.constant import Constant
from testbed.report.page.figures import Figure
from testbed.report.side.measures import Measure
from testbed.report.words.digits import parted, quoted
from testbed.sweeps.together.cells import SHOWN, SweptCell, SweptFigure

CellRow: TypeAlias = dict[str, Any]
"""A cell, or a dot where there is one axis, as Vega-Lite takes it."""
MOST_APART, MOST_SIDE = 6, 40
"""Combinations of further axes that have maps of their own, and values of an axis of one."""
CELL, LINE, LINE_PX = 96, 52, 15


def figures(cells: Sequence[SweptCell], axes: dict[str, list[str]]) -> Iterator[Figure]:
    """The charts of a page; ``axes``: the labels of each axis's values in their order. None where nothing differs, and
    of very many maps the first of each measure (``unmapped``).
    """
    sides = _sides(axes)
    if sides is None:
        return
    number = 0
    for measure in SHOWN:
        for name, group in list(_apart(cells, sides).items())[:MOST_APART]:
            rows = [_row(cell, found, *sides) for cell in group if (found := cell.figures.get(measure.key))]
            if rows:
                number += 1
                yield _drawn(f"map-{number}", measure, name, rows, axes, *sides)


def unmapped(cells: Sequence[SweptCell], axes: dict[str, list[str]]) -> int:
    """How many combinations of further axes have no maps, since they are too many."""
    sides = _sides(axes)
    return max(0, len(_apart(cells, sides)) - MOST_APART) if sides else 0


def _sides(axes: dict[str, list[str]]) -> tuple[str, str | None] | None:
    """The axes that a map has across and down; None where nothing differs."""
    wide = [axis for axis, values in axes.items() if len(values) > 1]
    if not wide:
        return None
    return (wide[0], None) if len(wide) == 1 else (wide[1], wide[0])


def _apart(cells: Sequence[SweptCell], sides: tuple[str, str | None]) -> dict[str, list[SweptCell]]:
    """The cells of each map, by its name."""
    maps: dict[str, list[SweptCell]] = {}
    for cell in cells:
        others = [f"{axis}={label(value)}" for axis, value in cell.settings.items() if axis not in sides]
        maps.setdefault(" ".join([*others, cell.migration]).strip(), []).append(cell)
    return maps


def _drawn(
    element: str,
    measure: Measure,
    name: str,
    rows: list[CellRow],
    axes: dict[str, list[str]],
    across: str,
    down: str | None,
) -> Figure:
    title = measure.words[:1].upper() + measure.words[1:] + (f", {name}" if name else "")
    beside = ", below it what the model said before" if any(row["model"] for row in rows) else ""
    interval = "with the 95 % interval of the mean" if any(row["interval"] for row in rows) else "the mean"
    if down is None:
        chart = _points(rows, measure, across, axes[across])
        caption = f"A dot is a mean, the bar the 95 % interval of it, the tick what the model said. {_of(measure)}"
    else:
        chart = _map(rows, measure, (across, axes[across]), (down, axes[down]))
        empty = " An empty one has none." if len(rows) < len(axes[across]) * len(axes[down]) else ""
        caption = f"A cell is a combination: its figure, {interval}{beside}. {_of(measure)}{empty}"
    return Figure(name=element, title=title, caption=caption, chart=chart)


def _of(measure: Measure) -> str:
    return f"Emulated {measure.words}, of valid and completed migrations."


def _row(cell: SweptCell, found: SweptFigure, across: str, down: str | None) -> CellRow:
    spread, unit = found.spread, found.measure.unit
    text, interval = parted(unit, spread.mean, spread.low, spread.high)
    return {
        "x": label(cell.settings[across]),
        "y": "" if down is None else label(cell.settings[down]),
        "mean": spread.mean,
        "low": spread.mean if spread.low is None else spread.low,
        "high": spread.mean if spread.high is None else spread.high,
        "text": text,
        "interval": interval,
        "model": "" if found.predicted is None else f"model {quoted(unit, found.predicted)}",
        "predicted": found.predicted,
        "valid": f"{cell.valid} of {cell.ran}",
    }


TIPS = [
    alt.Tooltip("text:N", title="mean"),
    alt.Tooltip("interval:N", title="95 %"),
    alt.Tooltip("model:N", title="foreseen"),
    alt.Tooltip("valid:N", title="valid"),
]


def _map(
    rows: list[CellRow], measure: Measure, across: tuple[str, list[str]], down: tuple[str, list[str]]
) -> alt.TopLevelMixin:
    x, y = _x(*across), alt.Y("y:N", title=down[0], scale=alt.Scale(domain=down[1]))
    values = [row["mean"] for row in rows]
    middle = (min(values) + max(values)) / 2
    ink = alt.condition(f"datum.mean > {middle!r}", alt.value("#1B1F24"), alt.value("#FFFFFF"))
    base = alt.Chart(Constant(values=rows)).encode(x=x, y=y)
    title, labels = _scale(measure, min(values))
    legend = alt.Legend(title=title, labelExpr=labels)
    colour = alt.Color("mean:Q", legend=legend, scale=alt.Scale(scheme="viridis"))
    shades = base.mark_rect().encode(color=colour, tooltip=TIPS)
    shown = [of for of in ("text", "interval", "model") if any(row[of] for row in rows)]
    lines = [
        (of, LINE_PX * (place - (len(shown) - 1) / 2), 12 if of == "text" else 10) for place, of in enumerate(shown)
    ]
    words = [base.mark_text(dy=dy, fontSize=size).encode(text=f"{of}:N", color=ink) for of, dy, size in lines]
    return alt.layer(shades, *words).properties(
        width=CELL * min(MOST_SIDE, len(across[1])), height=LINE * min(MOST_SIDE, len(down[1]))
    )


def _points(rows: list[CellRow], measure: Measure, across: str, values: list[str]) -> alt.TopLevelMixin:
    x = _x(across, values)
    title, labels = _scale(measure, min(row["low"] for row in rows))
    base = alt.Chart(Constant(values=rows)).encode(x=x)
    low = alt.Y("low:Q", title=title, axis=alt.Axis(labelExpr=labels))
    bars = base.mark_rule(strokeWidth=2).encode(y=low, y2=alt.Y2("high:Q"))
    dots = base.mark_point(filled=True, size=70).encode(y=alt.Y("mean:Q", title=title), tooltip=TIPS)
    model = base.mark_tick(width=26).encode(y=alt.Y("predicted:Q", title=title))
    return alt.layer(bars, model, dots).properties(width=max(240, CELL * min(MOST_SIDE, len(values))), height=260)


def _x(title: str, values: list[str]) -> alt.X:
    """All values of the axis in their order, also those of which nothing is there."""
    return alt.X("x:N", title=title, scale=alt.Scale(domain=values), axis=alt.Axis(labelAngle=0))


def _scale(measure: Measure, least: float) -> tuple[str, str]:
    """Its title, and what turns a value into a label of it: in the unit of the cells' words."""
    unit, factor = shown_in(measure.unit, least)
    return f"{measure.words} ({unit})" if unit else measure.words, f"format(datum.value * {factor!r}, ',.4~r')"

"""Figures for a paper: as wide as its column, type in points, without a title, which is the caption's.

A chart that is only scaled down has type of four points. So it is laid out anew: its plots take what the labels leave
of the width, legends stand one below the other where they have no room, and a pixel of the chart is a point on paper.

IEEE 3.5 and 7.16 in (IEEEtran), ACM 3.33 and 7.0 in (acmart, sigconf), USENIX as ACM, LNCS 4.8 in (122 mm).
"""

import math
import re
from collections.abc import Iterator
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.text.nearest import nearest
from testbed.report.drawing import export
from testbed.report.drawing.theme import PRINT_FONT, VegaLite, config

POINTS, PIXELS, DOTS = 72, 96, 600
"""Of an inch: on paper, of an SVG, and of a PNG for a paper."""
INCHES = {
    "column": 3.5,
    "text": 7.16,
    "ieee-column": 3.5,
    "ieee-text": 7.16,
    "acm-column": 3.33,
    "acm-text": 7.0,
    "usenix-column": 3.33,
    "usenix-text": 7.0,
    "lncs-text": 4.8,
}
"""Widths by name; ``column`` and ``text`` are IEEE's."""
LEAST_IN, MOST_IN = 1.0, 40.0
TYPE, SMALL = 8, 7
"""Points of titles, and of labels."""
NARROW = 400
"""Points: below that legends stand one below the other."""
DATA = ("data", "datasets")
LEAST_PLOT, TRIES = 40.0, 4
"""Points that a plot has at least; how often the rest is measured and given to it."""


def inches(width: str | float) -> float:
    """The inches of a name, or as they are. Raises ``ScenarioError`` for what is no name, and no width of a paper."""
    if isinstance(width, str):
        if width not in INCHES:
            raise ScenarioError(f"there is no width '{width}'; {nearest(width, list(INCHES))}, or a number of inches")
        return INCHES[width]
    if isinstance(width, bool) or not LEAST_IN <= width <= MOST_IN:  # not a number is not either
        raise ScenarioError(f"a figure is {LEAST_IN:g} to {MOST_IN:g} inches wide, not {width}")
    return float(width)


def svg(made: VegaLite, width: str | float, unit: str = "pt") -> str:
    """The chart of that width, as SVG that says so itself, in points; with no ``unit`` in as many pixels, as a page in
    PDF is made of. Raises ``ScenarioError`` as ``inches`` does.
    """
    room = inches(width) * POINTS
    spec = {**_suited(made, room), "config": _config()}
    plots = [part for part in _parts(spec) if isinstance(part.get("width"), int | float)]
    drawn = export.drawn(spec)
    for _ in range(TRIES):
        over = _size(drawn)[0] - room
        if abs(over) < 0.5 or not plots:
            break
        for plot in plots:
            plot["width"] = max(LEAST_PLOT, plot["width"] - over)
        drawn = export.drawn(spec)
    return _sized(drawn, room, unit)


def _suited(made: Any, room: float) -> Any:
    """A copy without titles of the whole, with legends and axes that fit."""
    match made:
        case dict():
            known = {name: part if name in DATA else _suited(part, room) for name, part in made.items()}
            if isinstance(known.get("legend"), dict) and room < NARROW:
                known["legend"] |= {"columns": 1, "labelLimit": room - 40, "titleLimit": room - 20}
                known["legend"] |= {"gradientLength": room / 2} if "gradientLength" in known["legend"] else {}
            if isinstance(known.get("axis"), dict) and "labelLimit" in known["axis"]:
                known["axis"]["labelLimit"] = min(known["axis"]["labelLimit"], room * 0.36)
            return known
        case list():
            return [_suited(part, room) for part in made]
    return made


def _config() -> VegaLite:
    made = config(font=PRINT_FONT)
    made["axis"] |= {"labelFontSize": SMALL, "titleFontSize": TYPE, "labelColor": "#000000", "titleColor": "#000000"}
    made["axisY"] = {"minExtent": 0, "maxExtent": 120}
    made["legend"] |= {"labelFontSize": SMALL, "titleFontSize": SMALL, "symbolSize": 50, "offset": 6}
    made["text"] |= {"fontSize": SMALL}
    return {**made, "background": "#FFFFFF", "padding": 2}


def _parts(spec: Any) -> Iterator[dict[str, Any]]:
    """The spec and all specs within it."""
    if isinstance(spec, dict):
        yield spec
        for name in ("layer", "hconcat", "vconcat", "concat"):
            for part in spec.get(name, []):
                yield from _parts(part)
        yield from _parts(spec.get("spec"))


_ROOT = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)" height="([\d.]+)"')


def _size(drawn: str) -> tuple[float, float]:
    found = _ROOT.search(drawn)
    return (float(found[1]), float(found[2])) if found else (math.nan, math.nan)


def _sized(drawn: str, room: float, unit: str) -> str:
    """To the very width: what is left over, or too much, is a scale of a few per cent."""
    wide, high = _size(drawn)
    written = f'width="{room:g}{unit}" height="{high * room / wide:g}{unit}"'
    return drawn.replace(f'width="{wide:g}" height="{high:g}"', written, 1)

"""How charts look, on light and on dark ground. Colours after Okabe and Ito, told apart with any colour vision.

Charts name no colours of their own but for what is the same on both grounds: they take them from here, so that one
definition serves the page in either light, and print.
"""

from typing import Any, TypeAlias

VegaLite: TypeAlias = dict[str, Any]
"""A chart in Vega-Lite's JSON, as Altair writes it, or a part of one such as its config."""

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
PRINT_FONT = "DejaVu Sans, Liberation Sans, Arial, sans-serif"

LIGHT_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B58900", "#56B4E9"]
DARK_COLOURS = ["#56B4E9", "#E69F00", "#2BC49A", "#E39AC4", "#F0E442", "#7FA8FF"]
ROUND, STUNNED = "#8A8F98", "#D55E00"
"""Shades behind a time axis: rounds by turns, and where the guest stood still."""


def config(*, dark: bool = False, font: str = FONT) -> VegaLite:
    """The ``config`` that Vega-Lite draws a chart by."""
    ink, dim, line = ("#E8EAED", "#A8AEB8", "#3A3F47") if dark else ("#1B1F24", "#525A66", "#DDE1E6")
    return {
        "background": None,
        "font": font,
        "range": {"category": DARK_COLOURS if dark else LIGHT_COLOURS, "heatmap": {"scheme": "viridis"}},
        "view": {"stroke": None},
        # Thousands of marks with a label each are nothing to listen to: the tables say what there is.
        "mark": {"color": (DARK_COLOURS if dark else LIGHT_COLOURS)[0], "aria": False},
        "title": {
            "color": ink,
            "subtitleColor": dim,
            "anchor": "start",
            "fontSize": 13,
            "fontWeight": 600,
            "offset": 8,
        },
        "axis": {
            "labelColor": dim,
            "titleColor": dim,
            "titleFontWeight": 400,
            "gridColor": line,
            "domainColor": line,
            "tickColor": line,
            "labelFontSize": 11,
            "titleFontSize": 11,
        },
        "axisY": {"minExtent": 46, "maxExtent": 160},
        "legend": {"labelColor": ink, "titleColor": dim, "orient": "top", "titleFontWeight": 400, "labelFontSize": 11},
        "text": {"color": ink, "fontSize": 11},
        "rule": {"color": dim},
        "tick": {"color": ink, "thickness": 2},
    }

"""The live page as HTML: the report's looks, three charts that grow, and the buttons."""

from typing import Any

import altair as alt

from testbed.report.charts import export
from testbed.report.figures import Figure
from testbed.report.page_html import raw, render

WIDTH, HEIGHT = 640, 140
CHARTS = (
    ("link", "the vMotion link", "megabytes per second", "line"),
    ("guest", "the guest", "operations per second", "line"),
    ("rounds", "dirtied in each round, and sent", "megabytes per second", "point"),
)
"""Name, title, the unit of its axis, and its mark."""


def live_page(title: str, token: str) -> str:
    """Nothing in it is of this run but its title and its token: the rest comes as events."""
    with export.unchecked():
        figures = [
            Figure(name=f"live-{name}", title=heading, chart=_chart(unit, mark), caption="")
            for name, heading, unit, mark in CHARTS
        ]
        return render("live.html.j2", figures, title=title, token=token, charts_shown=figures, live=raw("live.js"))


def _chart(unit: str, mark: str) -> alt.Chart:
    """An empty chart of ``value`` over ``t``, coloured by ``what``; the page puts the rows in."""
    rows: list[dict[str, Any]] = [{"t": 0.0, "value": 0.0, "what": "-"}]
    base = alt.Chart(alt.InlineData(values=rows))
    marked = base.mark_line(interpolate="step-after") if mark == "line" else base.mark_line(point=True)
    made: alt.Chart = marked.encode(
        x=alt.X("t:Q", title="seconds since the migration began"),
        y=alt.Y("value:Q", title=unit),
        color=alt.Color("what:N", title=None),
    ).properties(width=WIDTH, height=HEIGHT)
    return made

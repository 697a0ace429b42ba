"""The live page as HTML: the report's looks, charts that grow on one axis, and the buttons."""

import altair as alt

from testbed.report.drawing import export
from testbed.report.drawing.export import Chart
from testbed.report.page.figures import Figure
from testbed.report.page.html import raw, render
from testbed.web.live.sections import FIGURES

WIDTH, HEIGHT = 640, 120
CHARTS = (
    ("left", "What is left to be sent, and how much the downtime goal allows", "MB"),
    ("link", "The vMotion link, and how fast memory is dirtied", "MB/s"),
    ("guest", "What the guest gets done", "1000 operations/s"),
    ("services", "What its services get done", "operations/s"),
    ("silence", "How long a client that asks every 1.9 ms went without an answer, at most", "ms"),
    ("throttle", "How far the guest was throttled", "%"),
)
"""Name, title, and the unit of its axis. Charts of which nothing was seen are not shown."""
DATA = "rows"
MARKS = {
    "phase": ("#8A8F98", [1, 0], "a phase begins"),
    "round": ("#8A8F98", [2, 3], "a round ends"),
    "cut": ("#D55E00", [1, 0], "the link is cut"),
    "mend": ("#009E73", [6, 3], "the link is mended"),
    "hand": ("#CC79A7", [1, 0], "anything else by hand, or a fault by plan"),
}
"""Lines across the charts: the colour, on either ground; how it is dashed; what it says."""


def live_page(title: str, token: str) -> str:
    """Nothing in it is of this run but its title and its token: the rest comes as events."""
    with export.unchecked():
        drawn = [
            Figure(name=f"live-{name}", title=heading, chart=_chart(unit), caption="") for name, heading, unit in CHARTS
        ]
        return render(
            "live.html.j2",
            drawn,
            title=title,
            token=token,
            drawn=drawn,
            heads=FIGURES,
            marks=MARKS,
            live=raw("live.js"),
        )


def _chart(unit: str) -> Chart:
    """Rows ``DATA`` that the page puts in: ``t``, ``value``, ``what``, and ``kind``: ``edge`` where a phase began, a
    round ended or somebody put a hand in, with its ``mark``, one of ``MARKS``; ``line`` for what was sampled and
    ``round`` for what is of a round.
    """
    base = alt.Chart(alt.NamedData(name=DATA))
    x = alt.X("t:Q", title="seconds since the migration began")
    y, colour = alt.Y("value:Q", title=unit), alt.Color("what:N", title=None, legend=alt.Legend(symbolType="stroke"))
    tips = [alt.Tooltip("what:N", title=" "), alt.Tooltip("value:Q", format=".4~g"), alt.Tooltip("t:Q", format=".2f")]
    colours, dashes, _ = zip(*MARKS.values(), strict=True)
    across = alt.Color("mark:N", scale=alt.Scale(domain=list(MARKS), range=list(colours)), legend=None)
    dashed = alt.StrokeDash("mark:N", scale=alt.Scale(domain=list(MARKS), range=list(dashes)), legend=None)
    wide = alt.condition(alt.FieldOneOfPredicate(field="mark", oneOf=["cut", "mend"]), alt.value(2.5), alt.value(1))
    edges = base.mark_rule().encode(
        x=x, color=across, strokeDash=dashed, size=wide, tooltip=[alt.Tooltip("what:N"), alt.Tooltip("t:Q")]
    )
    lines = base.mark_line(interpolate="step-before").encode(x=x, y=y, color=colour, tooltip=tips)
    made: Chart = (
        alt.layer(edges.transform_filter(alt.datum.kind == "edge"), lines.transform_filter(alt.datum.kind != "edge"))
        .resolve_scale(color="independent")
        .properties(width=WIDTH, height=HEIGHT)
    )
    return made

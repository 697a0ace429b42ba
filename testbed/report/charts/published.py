"""What was published and what this run measured, claim by claim, on one axis for each unit."""

from collections.abc import Sequence

import altair as alt

from testbed.core.records.claims import Unit
from testbed.core.records.migration import ComparisonRecord
from testbed.report.drawing.constant import Constant

WIDTH, STEP = 640, 24
MEASURED, PUBLISHED = "measured here", "published"
AXES: dict[Unit, tuple[str, float]] = {
    "share": ("reduction, %", 100),
    "bytes": ("MB, at real-world size", 1e-6),
    "seconds": ("seconds, at real-world size", 1),
    "ratio": ("times as large", 1),
}


def published_chart(comparisons: Sequence[ComparisonRecord], unit: Unit) -> alt.TopLevelMixin | None:
    """Both figures of each claim of this unit that was measured; None if none was."""
    title, factor = AXES[unit]
    rows = [
        {"claim": name(each), "value": value * factor, "which": which, "source": each.source}
        for each in comparisons
        if each.unit == unit and each.measured is not None
        for which, value in ((PUBLISHED, each.published), (MEASURED, each.measured))
        if value is not None
    ]
    if not rows:
        return None
    both = [MEASURED, PUBLISHED]
    order = list(dict.fromkeys(str(row["claim"]) for row in rows))
    made: alt.TopLevelMixin = (
        alt.Chart(Constant(values=rows))
        .mark_point(size=90, strokeWidth=2, opacity=0.9)
        .encode(
            x=alt.X("value:Q", title=title, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=8)),
            y=alt.Y("claim:N", sort=order, title=None, axis=alt.Axis(labelLimit=320, ticks=False, domain=False)),
            color=alt.Color("which:N", title=None, scale=alt.Scale(domain=both)),
            shape=alt.Shape("which:N", title=None, scale=alt.Scale(domain=both, range=["circle", "cross"])),
            tooltip=[
                alt.Tooltip("claim:N"),
                alt.Tooltip("which:N"),
                alt.Tooltip("value:Q", format=".5~g"),
                alt.Tooltip("source:N"),
            ],
        )
        .properties(width=WIDTH, height=alt.Step(STEP))
    )
    return made


def name(each: ComparisonRecord) -> str:
    """``total time vm.ram=128GiB, 10Gbit to 40Gbit``; ``round 2``."""
    figure = each.name.replace("_", " ", 1)
    return f"{figure}, {each.a} to {each.b}" if each.over else figure

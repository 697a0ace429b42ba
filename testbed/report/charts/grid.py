"""The guest's memory as a picture, a cell a run of pages: what each round found dirty and sent, with a slider."""

from math import isqrt

import altair as alt
import numpy as np

from testbed.report.drawing.constant import Constant
from testbed.runfiles.pages import Cells

DIRTIED, SENT, SO_FAR = "dirtied in this round", "sent in this round", "times sent so far"
MOST_POINTS = 98_304
"""Cells times rounds times migrations of a page, at most: with more of these the cells become larger."""
LEAST_CELLS, WIDTH, FLAT = 16, 760, 4
"""``FLAT``: how many times as wide as it is high the picture is."""


def grid_chart(cells: Cells) -> alt.TopLevelMixin:
    """Row by row from the lowest address. Drawn without a slider it shows how often each cell was sent in all."""
    columns = isqrt(FLAT * cells.sent.shape[1] - 1) + 1
    rows = -(-cells.sent.shape[1] // columns)
    first, last = cells.rounds[0], cells.rounds[-1]
    step = alt.binding_range(min=first, max=last, step=1, name="round ")
    index = alt.param("chosen", value=last, bind=step)
    show = alt.param("shown", value=SO_FAR, bind=alt.binding_select(options=[SO_FAR, DIRTIED, SENT], name="show "))
    most = float(np.ceil((cells.sent / cells.sizes).sum(axis=0).max()))
    top = alt.ExprRef(expr=f"shown == '{SO_FAR}' ? {max(1.0, most)} : 1")
    colour = alt.Color(
        "share:Q",
        title="times, or share of a cell's pages",
        scale=alt.Scale(scheme="viridis", domainMin=0, domainMax=top),
        legend=alt.Legend(gradientLength=240, titleLimit=240),
    )
    among = f"(datum.round == chosen || shown == '{SO_FAR}' && datum.round < chosen)"
    made: alt.TopLevelMixin = (
        alt.Chart(Constant(values=_rows(cells)))
        .transform_calculate(of=f"{among} ? (shown == '{DIRTIED}' ? datum.dirtied : datum.sent) : 0")
        .transform_aggregate(share="sum(of)", groupby=["cell"])
        .transform_calculate(column=f"datum.cell % {columns}", row=f"floor(datum.cell / {columns})")
        .mark_rect(stroke=None)
        .encode(
            x=alt.X("column:O", axis=None, scale=alt.Scale(domain=list(range(columns)), paddingInner=0.06)),
            y=alt.Y("row:O", axis=None, scale=alt.Scale(domain=list(range(rows)), paddingInner=0.06)),
            color=colour,
            tooltip=[alt.Tooltip("cell:Q"), alt.Tooltip("share:Q", format=".2f")],
        )
        .add_params(index, show)
        .properties(width=WIDTH, height=WIDTH * rows / columns)
    )
    return made


def shown(cells: Cells, migrations: int = 1) -> Cells:
    """As many cells as a picture has where a page has so many pictures, which share what it may hold."""
    return cells.coarser(max(LEAST_CELLS, MOST_POINTS // migrations // len(cells.rounds)))


def _rows(cells: Cells) -> list[dict[str, float]]:
    """Shares of each cell's pages, of two digits: no eye tells more colours apart. Every cell is in the first round, so
    that it is drawn.
    """
    sent, dirtied = cells.sent / cells.sizes, cells.dirtied / cells.sizes
    kept = (cells.sent > 0) | (cells.dirtied > 0)
    kept[0] = True
    return [
        {
            "cell": int(cell),
            "round": cells.rounds[row],
            "sent": float(f"{sent[row, cell]:.2g}"),
            "dirtied": float(f"{dirtied[row, cell]:.2g}"),
        }
        for row, cell in np.argwhere(kept)
    ]

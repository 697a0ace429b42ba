"""A migration on one time axis, rounds shaded: link and dirty rate, the guest and its services, throttle, clients."""

from collections.abc import Callable
from typing import TypeAlias

import altair as alt

from testbed.core.records.migration import MigrationRecord
from testbed.core.records.services import OrderRecord
from testbed.core.units import by_hand
from testbed.report.axis.bands import Band
from testbed.report.axis.timeline import Timeline
from testbed.report.drawing.constant import Constant
from testbed.report.drawing.theme import ROUND, STUNNED

WIDTH, HEIGHT, LOW = 760, 150, 85
MB = 1e6
LABEL_LINES = 4
"""What was done by hand in quick succession is named line below line."""
LINK, DIRTY, GUEST, THROTTLE, CLIENT = "sent on the link", "dirtied by the guest", "guest", "throttle", "client"
SERVICE = "service"
QUANTITIES = [LINK, DIRTY, GUEST, THROTTLE, CLIENT, SERVICE]
Rows: TypeAlias = list[dict[str, str | float]]
Title: TypeAlias = str | list[str]
Draw: TypeAlias = Callable[[alt.X], list[alt.Chart]]
Panel: TypeAlias = tuple[bool, Draw]
"""Whether what is on it scales as rates do, and who draws it."""


def timeline_chart(line: Timeline, record: MigrationRecord) -> alt.VConcatChart:
    """Panels one below the other; those of which nothing was seen are left out."""
    draws = _draws(line, record)
    panels = []
    for index, (_, draw) in enumerate(draws):
        x = _x(line, labelled=index == len(draws) - 1)
        layers = [_shades(line, x), *draw(x), *_orders(record, x, labelled=not index)]
        panels.append(alt.layer(*layers, width=WIDTH, height=LOW if index else HEIGHT))
    return alt.vconcat(*panels, spacing=4, resolve=alt.Resolve(scale=alt.ScaleResolveMap(x="shared")))


def scaled_panels(line: Timeline, record: MigrationRecord) -> list[bool]:
    """Whether each panel has rates, which scale; latencies and shares do not."""
    return [scaled for scaled, _ in _draws(line, record)]


def _draws(line: Timeline, record: MigrationRecord) -> list[Panel]:
    draws: list[Panel] = [(True, lambda x: _rates(line, record, x))]
    if line.operations:
        draws.append((True, _banded(line.operations, 1e-3, GUEST, ["guest, thousand", "operations/s"])))
    if any(each.throttle for each in record.rounds):
        draws.append((False, lambda x: [_stepped(_steps(record, "throttle", THROTTLE, 100), x, "throttle, %")]))
    for service in line.services:
        draws.append((True, _banded(service.rate, 1, SERVICE, [f"{service.name},", "operations/s"])))
        draws.append((False, _banded(service.latency, 1e3, SERVICE, [f"{service.name},", "latency, ms"])))
    if line.latency:
        draws.append((False, _banded(line.latency, 1e3, CLIENT, ["probe's", "latency, ms"])))
    return draws


def _banded(band: Band, factor: float, what: str, title: Title) -> Draw:
    """Draws a band; its rows are made when it is drawn, and not when it is only asked which panels there are."""
    return lambda x: banded(band_rows(band, factor, what), x, title)


def _rates(line: Timeline, record: MigrationRecord, x: alt.X) -> list[alt.Chart]:
    """What the samples say, or, where there are none, what the rounds do."""
    y = "MB/s"
    if line.throughput:
        layers = banded(band_rows(line.throughput, 1 / MB, LINK), x, y)
    else:
        layers = [_stepped(_steps(record, "bandwidth", LINK, 1 / MB), x, y)]
    layers.append(_stepped(_steps(record, "dirty_rate", DIRTY, 1 / MB, only="precopy"), x, y))
    if record.link.goodput:
        layers.append(_level(record.link.goodput / 8 / MB, level_words(record)))
    return layers


def band_rows(band: Band, factor: float, what: str) -> Rows:
    """A row a point."""
    columns = (band.times, band.low * factor, band.mean * factor, band.high * factor)
    return [
        {"t": t, "low": low, "mean": mean, "high": high, "what": what}
        for t, low, mean, high in zip(*(column.tolist() for column in columns), strict=True)
    ]


def banded(rows: Rows, x: alt.X, title: Title, colour: alt.Color | None = None) -> list[alt.Chart]:
    """What lies between the least and the most of a pixel column, and a line through the means."""
    base = alt.Chart(Constant(values=rows)).encode(x=x, color=colour or _colour())
    tips = [alt.Tooltip("what:N", title=" "), alt.Tooltip("t:Q", title="s", format=".3f"), _mean()]
    return [
        base.mark_area(opacity=0.25, clip=True).encode(y=_y(title, "low"), y2=alt.Y2("high:Q")),
        base.mark_line(strokeWidth=1.5, clip=True).encode(y=_y(title), tooltip=tips),
    ]


def _steps(record: MigrationRecord, field: str, what: str, factor: float, only: str = "") -> Rows:
    """A row a round, from its beginning to its end."""
    return [
        {"t": r.started_s, "end": r.started_s + r.duration_s, "mean": getattr(r, field) * factor, "what": what}
        for r in record.rounds
        if not only or r.kind == only
    ]


def _stepped(rows: Rows, x: alt.X, title: Title) -> alt.Chart:
    mark = alt.Chart(Constant(values=rows)).mark_rule(strokeWidth=3, clip=True)
    tips = [alt.Tooltip("what:N", title=" "), _mean()]
    made: alt.Chart = mark.encode(x=x, x2=alt.X2("end:Q"), y=_y(title), color=_colour(), tooltip=tips)
    return made


def level_words(record: MigrationRecord) -> str:
    """What the dashed line is: a model's link was not measured."""
    if record.link.drops is None:
        return "the goodput that the link's rate implies"
    return "the goodput proved on this link" if record.link.verified else "the goodput measured on this link"


def _level(value: float, what: str) -> alt.Chart:
    """What the rounds cannot exceed."""
    rows = [{"mean": value, "what": what}]
    tips = [alt.Tooltip("what:N", title=" "), _mean()]
    base = alt.Chart(Constant(values=rows)).mark_rule(strokeDash=[4, 4])
    made: alt.Chart = base.encode(y=alt.Y("mean:Q"), tooltip=tips)
    return made


def _shades(line: Timeline, x: alt.X) -> alt.Chart:
    """Rounds, every other one shaded; the stop-and-copy round stands out."""
    rows = [
        {"t": span.begin, "end": span.end, "round": span.label, "kind": _kind(index, span.stunned)}
        for index, span in enumerate(line.spans)
    ]
    scale = alt.Scale(domain=["odd", "even", "stunned"], range=[ROUND, "transparent", STUNNED])
    base = alt.Chart(Constant(values=rows)).mark_rect(opacity=0.18, clip=True)
    fill = alt.Fill("kind:N", scale=scale, legend=None)
    made: alt.Chart = base.encode(x=x, x2=alt.X2("end:Q"), fill=fill, tooltip=[alt.Tooltip("round:N")])
    return made


def _orders(record: MigrationRecord, x: alt.X, *, labelled: bool) -> list[alt.Chart]:
    """What somebody did by hand, and what broke by plan: a rule each, with its name in the first panel."""
    done = [(each.at_s, order_label(each)) for each in record.controls]
    done += [(each.at_s, str(each)) for each in record.faults if each.at_s is not None]
    rows = [
        {"t": at_s, "did": label, "line": 20 + 12 * (index % LABEL_LINES)} for index, (at_s, label) in enumerate(done)
    ]
    if not rows:
        return []
    base = alt.Chart(Constant(values=rows)).encode(x=x)
    made = [base.mark_rule(strokeDash=[2, 2], clip=True).encode(tooltip=[alt.Tooltip("did:N", title="done")])]
    if labelled:
        y = alt.Y("line:Q", scale=None, axis=None)
        made.append(base.mark_text(align="left", baseline="top", dx=3).encode(y=y, text=alt.Text("did:N")))
    return made


def order_label(each: OrderRecord) -> str:
    """``rate 2 Gbit/s``, ``throttle 50%``, ``cut (failed)``."""
    return by_hand(each.what, each.value) + (" (failed)" if each.fault else "")


def _kind(index: int, stunned: bool) -> str:
    return "stunned" if stunned else ("odd", "even")[index % 2]


def _x(line: Timeline, *, labelled: bool) -> alt.X:
    axis = alt.Axis(labels=labelled, ticks=labelled, grid=False)
    scale = alt.Scale(domain=[line.begin, line.end], nice=False)
    return alt.X("t:Q", title="seconds since the migration was asked for" if labelled else None, scale=scale, axis=axis)


def _y(title: Title, field: str = "mean") -> alt.Y:
    return alt.Y(f"{field}:Q", title=title, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4))


def _mean() -> alt.Tooltip:
    return alt.Tooltip("mean:Q", title="value", format=".4~g")


def _colour() -> alt.Color:
    legend = alt.Legend(values=[LINK, DIRTY], symbolType="square", symbolOpacity=1)
    return alt.Color("what:N", title=None, scale=alt.Scale(domain=QUANTITIES), legend=legend)

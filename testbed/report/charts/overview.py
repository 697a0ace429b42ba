"""All migrations of a run side by side: completion times, bandwidth over time, what the guest got done meanwhile.

In runs that reproduce the published article they are its figures 3, 4 and 5.
"""

from collections.abc import Sequence
from statistics import median
from typing import TypeAlias

import altair as alt

from testbed.core.records.migration import ComparisonRecord, MigrationRecord
from testbed.report.axis.bands import Band
from testbed.report.axis.timeline import Timeline
from testbed.report.charts.timeline import WIDTH, band_rows, banded
from testbed.report.drawing.constant import Constant
from testbed.report.drawing.theme import ROUND, STUNNED

Layers: TypeAlias = alt.LayerChart | alt.FacetChart
STEP, LANE, HEIGHT, MB = 22, 14, 190, 1e6
MOST = 6
"""Lines that can be told apart in one chart."""


def completion_chart(
    migrations: Sequence[MigrationRecord], claims: Sequence[ComparisonRecord] = ()
) -> alt.TopLevelMixin | None:
    """Total times at real-world size: a bar for the median of repeats, a mark for each, a cross where it would end by
    what was published; None if none completed.
    """
    rows = completion_rows(migrations, claims)
    if not rows:
        return None
    base = alt.Chart(Constant(values=rows)).encode(y=_names([done.name for done in migrations]))
    x = alt.X(
        "median(seconds):Q",
        title="total time at real-world size, s",
        scale=alt.Scale(zero=True),
        axis=alt.Axis(tickCount=8),
    )
    bars = base.mark_bar(height={"band": 0.65}).encode(x=x)
    ticks = base.mark_tick(thickness=2).encode(
        x=alt.X("seconds:Q"), tooltip=[alt.Tooltip("repeat:Q"), alt.Tooltip("seconds:Q", format=".4~g")]
    )
    layers = [bars, ticks]
    if any("published" in row for row in rows):
        crosses = base.mark_point(shape="cross", size=110, filled=True, color=STUNNED)
        layers.append(crosses.encode(x=alt.X("published:Q"), tooltip=[alt.Tooltip("published:Q", format=".4~g")]))
    return alt.layer(*layers, width=WIDTH - 100, height=alt.Step(STEP))


def completion_rows(
    migrations: Sequence[MigrationRecord], claims: Sequence[ComparisonRecord] = (), *, real: bool = True
) -> list[dict[str, str | float]]:
    """A row for each migration that completed, with its seconds at either size, and those that follow from what was
    published of it, where something was.
    """
    rows: list[dict[str, str | float]] = []
    for done in migrations:
        if done.total_time_s is None:
            continue
        rows.append({"name": done.name, "seconds": _total(done, real), "repeat": done.repeat})
        implied = _implied(done, migrations, claims, real) if done.repeat == 1 else None
        rows[-1] |= {} if implied is None else {"published": implied}
    return rows


def _implied(
    done: MigrationRecord, migrations: Sequence[MigrationRecord], claims: Sequence[ComparisonRecord], real: bool
) -> float | None:
    """What the total would be, were it less than that of the migration it is compared with by what was published."""
    for each in claims:
        figure, _, where = each.name.partition(" ")
        told = {f"{name}={value}" for name, value in done.settings.items()}
        if figure != "total_time" or each.unit != "share" or each.published is None:
            continue
        if done.settings.get(each.over) != each.b or not set(where.split()) <= told:
            continue
        before = {**done.settings, each.over: each.a}
        totals = [_total(m, real) for m in migrations if m.settings == before and m.total_time_s is not None]
        if totals:
            return (1 - each.published) * median(totals)
    return None


def _total(record: MigrationRecord, real: bool) -> float:
    return _real(record) if real else record.total_time_s or 0.0


def bandwidth_rows(migrations: Sequence[MigrationRecord]) -> list[dict[str, str | float]]:
    """A row a round of first repeats, in MB and MB/s."""
    return [
        {
            "name": done.name,
            "rate": r.bandwidth / MB,
            "round": r.index,
            "when": _when(r.kind),
            "sent": r.sent_bytes / MB,
        }
        for done in migrations
        if done.repeat == 1
        for r in done.rounds
        if r.sent_bytes
    ]


def bandwidth_chart(migrations: Sequence[MigrationRecord]) -> alt.TopLevelMixin | None:
    """Each round's bandwidth at emulated size; a migration has a lane for pre-copy, and one for the switchover."""
    rows = bandwidth_rows(migrations)
    if not rows:
        return None
    tips = [
        alt.Tooltip("round:Q"),
        alt.Tooltip("rate:Q", title="MB/s", format=".4~g"),
        alt.Tooltip("sent:Q", title="MB sent"),
    ]
    both = [_when("precopy"), _when("stop_and_copy")]
    scale = alt.Scale(domain=both)
    marks = alt.Chart(Constant(values=rows)).mark_point(filled=True, size=70, opacity=0.85)
    made: alt.TopLevelMixin = marks.encode(
        x=alt.X("rate:Q", title="bandwidth of each round, MB/s", axis=alt.Axis(tickCount=8)),
        y=_names([done.name for done in migrations]),
        yOffset=alt.YOffset("when:N", sort=both, scale=scale),
        color=alt.Color("when:N", title=None, scale=scale),
        shape=alt.Shape("when:N", title=None, scale=scale),
        tooltip=tips,
    ).properties(width=WIDTH - 100, height=alt.Step(LANE))
    return made


def lines_chart(lines: Sequence[Timeline], which: str, factor: float, title: str) -> alt.TopLevelMixin | None:
    """``which`` (a band of ``Timeline``) of up to six migrations over one another, all from their beginnings."""
    return _curves([(line.name, getattr(line, which)) for line in lines], factor, title)


def gaps_chart(migrations: Sequence[MigrationRecord]) -> alt.TopLevelMixin | None:
    """How long the guest stood still around the switchover, by its own log."""
    rows = [{"name": m.name, "gap": m.guest_gap_s * 1e3} for m in migrations if m.guest_gap_s is not None]
    if not rows:
        return None
    marks = alt.Chart(Constant(values=rows)).mark_bar(height={"band": 0.65})
    made: alt.TopLevelMixin = marks.encode(
        x=alt.X(
            "median(gap):Q", title="longest gap between operations at the switchover, ms", axis=alt.Axis(tickCount=8)
        ),
        y=_names([done.name for done in migrations]),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("median(gap):Q", title="ms", format=".4~g")],
    ).properties(width=WIDTH - 100, height=alt.Step(STEP))
    return made


def halts_chart(
    migrations: Sequence[MigrationRecord], lines: Sequence[Timeline], service: str
) -> alt.TopLevelMixin | None:
    """What a service got done in up to six migrations over one another, and below it for how long it halted at most:
    the article's Figure 5. None where nobody has that service.
    """
    rows = [
        {"name": done.name, "halt": each.longest_halt_s * 1e3}
        for done in migrations
        for each in done.services
        if each.name == service and each.longest_halt_s is not None
    ]
    if not rows:
        return None
    names = list(dict.fromkeys(str(row["name"]) for row in rows))
    curves = _curves([(line.name, line.rate_of(service)) for line in lines], 1, f"{service}, operations/s", least=1)
    coloured = [line.name for line in lines if line.rate_of(service) is not None][:MOST] or names[:MOST]
    colour = alt.Color("name:N", title=None, scale=alt.Scale(domain=coloured), legend=_legend() if curves else None)
    bars = alt.Chart(Constant(values=rows)).mark_bar(height={"band": 0.65})
    halts = bars.encode(
        x=alt.X(
            "median(halt):Q", title=f"longest time without an operation of {service}, ms", axis=alt.Axis(tickCount=8)
        ),
        y=_names(names),
        color=alt.condition(alt.FieldOneOfPredicate(field="name", oneOf=coloured), colour, alt.value(ROUND)),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("median(halt):Q", title="ms", format=".4~g")],
    ).properties(width=WIDTH, height=alt.Step(STEP))
    return halts if curves is None else alt.vconcat(curves, halts)


def _curves(bands: Sequence[tuple[str, Band | None]], factor: float, title: str, least: int = 2) -> Layers | None:
    """Up to six over one another, if there are as many as that; all from their beginnings."""
    drawn = [(name, each) for name, each in bands if each is not None][:MOST]
    if len(drawn) < least:
        return None
    rows = [row for name, each in drawn for row in band_rows(each, factor, name)]
    colour = alt.Color("what:N", title=None, scale=alt.Scale(domain=[name for name, _ in drawn]), legend=_legend())
    x = alt.X("t:Q", title="seconds since the migration was asked for", axis=alt.Axis(grid=False))
    return alt.layer(*banded(rows, x, title, colour), width=WIDTH, height=HEIGHT)


def _legend() -> alt.Legend:
    return alt.Legend(columns=2, symbolType="square", symbolOpacity=1, labelLimit=320)


def _names(names: Sequence[str]) -> alt.Y:
    order = list(dict.fromkeys(names))
    return alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=420, ticks=False, domain=False))


def _real(record: MigrationRecord) -> float:
    """At real-world size; the record says what that is, else the scale does."""
    total = record.full_scale.get("total_time_s")
    return total if total is not None else (record.total_time_s or 0.0) * record.scale["time"]


def _when(kind: str) -> str:
    return "pre-copy" if kind == "precopy" else "switchover"

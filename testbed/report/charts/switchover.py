"""The switchover in milliseconds: what the downtime was spent on, phase after phase, and what others saw of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import altair as alt

from testbed.core.records.migration import MigrationRecord
from testbed.report.drawing.constant import Constant

WIDTH, STEP = 640, 24
STUB, ROOM = 0.01, 0.14
"""Shares of the axis: what a bar that lies beside it takes, and what is left free for labels."""
DOWNTIME, GAP, BLACKOUT = "downtime (hypervisor)", "gap (guest)", "blackout (client)"
MEANING = {
    "pause": "until every thread of the guest stands still",
    "last_scan": "until the last dirty pages are known",
    "last_round": "until they have been received",
    "state": "until the guest is silent at the source, and its connections are on their way",
    "prepare": "until the destination says that it could run the guest",
    "commit": "until it has been told to",
    "resume": "until the guest has completed its first operation there",
    "announce": "until the guest's link is up there, and the network was told",
}
PARTS = {
    "last_answer": "running, since its last answer",
    "downtime": "the downtime, as far as no answer came in it",
    "next_request": "running, until it was asked again",
    "next_answer": "that answer on its way",
    "before_switchover": "before it: the guest was there, and slow to answer",
    "after_switchover": "after it: the guest was there, and slow to answer",
}
"""What a client's blackout is made of, in order."""


@dataclass(slots=True, kw_only=True)
class _Bar:
    """Milliseconds from the request to pause. ``left`` and ``right``: as far as it is drawn."""

    what: str
    begin: float
    end: float
    kind: str
    label: str
    note: str = ""
    left: float = 0.0
    right: float = 0.0


def switchover_chart(record: MigrationRecord) -> alt.TopLevelMixin | None:
    """A waterfall, with the three downtimes below it; None where there was no switchover."""
    rows, domain = switchover_rows(record)
    if not rows:
        return None
    order = list(dict.fromkeys(row["what"] for row in rows))
    base = alt.Chart(Constant(values=rows)).encode(
        y=alt.Y("what:N", sort=order, title=None, axis=alt.Axis(labelLimit=160, ticks=False, domain=False))
    )
    scale = alt.Scale(domain=domain, nice=False)
    x = alt.X("left:Q", title="milliseconds from the request to pause", scale=scale, axis=alt.Axis(tickCount=8))
    drawn = base.mark_bar(height={"band": 0.7}).encode(
        x=x,
        x2=alt.X2("right:Q"),
        color=alt.Color("kind:N", scale=alt.Scale(domain=["phase", "seen", "part"]), legend=None),
        tooltip=[alt.Tooltip("what:N", title=" "), alt.Tooltip("note:N", title=" "), alt.Tooltip("label:N", title=" ")],
    )
    labels = base.mark_text(align="left", dx=4).encode(x=alt.X("right:Q"), text=alt.Text("label:N"))
    return alt.layer(drawn, labels, width=WIDTH, height=alt.Step(STEP))


def switchover_rows(record: MigrationRecord) -> tuple[list[dict[str, Any]], list[float]]:
    """A row a bar, in milliseconds, and the ends of their axis."""
    bars = [*_phases(record), *_seen(record), *_parts(record)]
    if not bars:
        return [], []
    first, last = _shown(bars)
    _place(bars, first, last)
    room = ROOM * (2 if any(bar.end > last for bar in bars) else 1)
    return [asdict(bar) for bar in bars], [first, last + room * (last - first)]


def _shown(bars: list[_Bar]) -> tuple[float, float]:
    """All of it, unless what others saw is so much longer than the downtime that its phases could not be seen, as where
    a throttled guest kept its clients waiting: then as much before and after as the downtime lasted.
    """
    first, last = min(bar.begin for bar in bars), max(bar.end for bar in bars)
    down = max((bar.end for bar in bars if bar.kind == "phase"), default=last)
    return max(first, -down), min(last, 2 * down)


def _place(bars: list[_Bar], first: float, last: float) -> None:
    """Where each bar is drawn: as far as it lies on the axis. One that lies beside it is a stub at its edge; an arrow
    says that there is more to it, and where.
    """
    stub = STUB * (last - first)
    for bar in bars:
        bar.left = min(max(bar.begin, first), last - stub)
        bar.right = max(min(bar.end, last), bar.left)
        if bar.begin < bar.end <= first or last <= bar.begin < bar.end:
            bar.right = bar.left + stub
        if bar.begin < first:
            bar.label = f"◀ {bar.label}, from {_milliseconds(bar.begin)}"
        elif bar.end > last:
            bar.label += f", to {_milliseconds(bar.end)} ▶"


def _milliseconds(at: float) -> str:
    return f"{at:,.0f} ms" if abs(at) >= 100 else f"{at:.3g} ms"


def _phases(record: MigrationRecord) -> Iterable[_Bar]:
    return _chain(record.downtime_phases_s, 0.0, "phase", MEANING)


def _parts(record: MigrationRecord) -> list[_Bar]:
    """Those of the client's blackout that are no part of the downtime, each where it lay."""
    if record.blackout is None:
        return []
    bars = _chain(record.blackout.parts, record.blackout.begin_s, "part", PARTS)
    return [bar for bar in bars if bar.end > bar.begin and bar.what != "downtime"]


def _chain(lengths: Mapping[str, float], begin: float, kind: str, notes: Mapping[str, str]) -> Iterator[_Bar]:
    """One after the other."""
    for name, seconds in lengths.items():
        yield replace(_bar(name.replace("_", " "), begin, seconds, kind), note=notes.get(name, ""))
        begin += seconds


def _seen(record: MigrationRecord) -> list[_Bar]:
    """Each where it was seen; of a run that does not say where, from zero on."""
    blackout_from = record.blackout.begin_s if record.blackout else 0.0
    spans = (
        (DOWNTIME, 0.0, record.downtime_s),
        (GAP, record.guest_gap_begin_s or 0.0, record.guest_gap_s),
        (BLACKOUT, blackout_from, record.client_blackout_s),
    )
    return [_bar(text, begin, seconds, "seen") for text, begin, seconds in spans if seconds is not None]


def _bar(what: str, begin: float, seconds: float, kind: str) -> _Bar:
    label = f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
    return _Bar(what=what, begin=begin * 1e3, end=(begin + seconds) * 1e3, kind=kind, label=label)

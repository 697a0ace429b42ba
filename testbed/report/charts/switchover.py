"""The switchover in milliseconds: what the downtime was spent on, phase after phase, and what others saw of it."""

from typing import Any

import altair as alt

from testbed.core.record import MigrationRecord

WIDTH, STEP = 640, 24
SEEN = {"downtime_s": "downtime (hypervisor)", "guest_gap_s": "gap (guest)", "client_blackout_s": "blackout (client)"}
MEANING = {
    "pause": "until every thread of the guest stands still",
    "last_scan": "until the last dirty pages are known",
    "last_round": "until they have been received",
    "prepare": "until the destination says that it could run the guest",
    "commit": "until it has been told to",
    "resume": "until the guest has completed its first operation there",
}


def switchover_chart(done: MigrationRecord) -> alt.TopLevelMixin | None:
    """A waterfall, with the three downtimes below it; None where there was no switchover."""
    rows = _phases(done) + _seen(done)
    if not rows:
        return None
    order = [row["what"] for row in rows]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("what:N", sort=order, title=None, axis=alt.Axis(labelLimit=160, ticks=False, domain=False))
    )
    longest = max(row["end"] for row in rows)
    scale = alt.Scale(domain=[0, longest * 1.14])
    x = alt.X("begin:Q", title="milliseconds from the request to pause", scale=scale, axis=alt.Axis(tickCount=8))
    bars = base.mark_bar(height={"band": 0.7}).encode(
        x=x,
        x2="end:Q",
        color=alt.Color("kind:N", scale=alt.Scale(domain=["phase", "seen"]), legend=None),
        tooltip=[alt.Tooltip("what:N", title=" "), alt.Tooltip("note:N", title=" "), alt.Tooltip("label:N", title=" ")],
    )
    labels = base.mark_text(align="left", dx=4).encode(x="end:Q", text="label:N")
    return alt.layer(bars, labels).properties(width=WIDTH, height=alt.Step(STEP))


def _phases(done: MigrationRecord) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    begin = 0.0
    for name, seconds in done.downtime_phases_s.items():
        row = _row(name.replace("_", " "), begin, seconds, "phase")
        rows.append({**row, "note": MEANING.get(name, "")})
        begin += seconds
    return rows


def _seen(done: MigrationRecord) -> list[dict[str, Any]]:
    """Their lengths: the guest's and the client's clock do not say where on this axis they began."""
    lengths = {text: getattr(done, field) for field, text in SEEN.items()}
    return [_row(text, 0.0, seconds, "seen") for text, seconds in lengths.items() if seconds is not None]


def _row(what: str, begin: float, seconds: float, kind: str) -> dict[str, Any]:
    label = f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
    return {
        "what": what,
        "begin": begin * 1e3,
        "end": (begin + seconds) * 1e3,
        "kind": kind,
        "label": label,
        "note": "",
    }

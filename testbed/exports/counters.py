"""What a trace has as curves: bytes on the link, the guest's work, TCP's windows, rates round by round."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from testbed.core.records.migration import MigrationRecord
from testbed.report.axis.bands import Floats, operations, rate
from testbed.runfiles.samples import Columns, Recording


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Curve:
    """A curve: values of ``unit`` at times (s) of the trace's clock."""

    name: str
    unit: str
    times: Floats
    values: Floats


def counters(record: MigrationRecord, recording: Recording | None, origin: float) -> Iterator[Curve]:
    """Those of one migration; without a recording the ones that its rounds have."""
    yield from _of_rounds(record, origin)
    if recording is None:
        return
    yield from _of_connections(recording.columns("tcp"))
    link, guest, client = (recording.columns(kind) for kind in ("link", "guest", "client"))
    if {"t", "host", "interface", "tx_bytes"} <= link.keys():
        for where, rows in _groups(link, "host", "interface"):
            yield Curve(name=f"sent: {where}", unit="byte/s", **_pair(rate(rows["t"], rows["tx_bytes"])))
    yield Curve(name="guest", unit="operation/s", **_pair(operations(guest)))
    if {"t", "latency_s"} <= client.keys():
        yield _curve("client: slowest answer", "s", client, "latency_s")


def _of_rounds(record: MigrationRecord, origin: float) -> Iterator[Curve]:
    """Steps; 0 where the last of them ends."""
    if not record.rounds:
        return
    last = record.rounds[-1]
    times = np.array([each.started_s for each in record.rounds] + [last.started_s + last.duration_s]) + origin
    for name, unit in (("bandwidth", "byte/s"), ("dirty_rate", "byte/s"), ("throttle", "share")):
        values = np.array([float(getattr(each, name)) for each in record.rounds] + [0.0])
        yield Curve(name=f"rounds: {name}", unit=unit, times=times, values=values)


def _of_connections(tcp: Columns) -> Iterator[Curve]:
    if not {"t", "host", "port"} <= tcp.keys():
        return
    for where, rows in _groups(tcp, "host", "port"):
        for field, name, unit in (("cwnd", "window", "segment"), ("rtt_s", "round trip", "s")):
            if field in rows:
                yield _curve(f"{name}: {where}", unit, rows, field)


def _curve(name: str, unit: str, rows: Columns, field: str) -> Curve:
    """Without what is not known."""
    if rows[field].dtype.kind not in "if":
        return Curve(name=name, unit=unit, times=np.empty(0), values=np.empty(0))
    known = np.isfinite(rows[field])
    return Curve(name=name, unit=unit, times=rows["t"][known], values=rows[field][known])


def _groups(columns: Columns, *by: str) -> Iterator[tuple[str, Columns]]:
    """The rows of each host, or connection, apart, by what tells it."""
    names = np.array([" ".join(map(str, each)) for each in zip(*(columns[name] for name in by), strict=True)])
    for name in dict.fromkeys(names.tolist()):
        ours = names == name
        yield name, {field: values[ours] for field, values in columns.items()}


def _pair(series: tuple[Floats, Floats]) -> dict[str, Floats]:
    return {"times": series[0], "values": series[1]}

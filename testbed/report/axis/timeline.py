"""One migration on one time axis: from its record and its samples to what a chart draws. Times from "migrate"."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from testbed.core.records.migration import MigrationRecord
from testbed.core.records.services import ServiceRecord
from testbed.report.axis.bands import Band, Floats, band, completed, operations, throughput
from testbed.runfiles.samples import Columns, Recording

COLUMNS = 480
"""Points a series, at most: a chart is hardly wider than twice as many pixels."""
MARGIN = 0.15
"""Share of the migration's length that is shown before it and after it."""

CLIENT = "client"
"""The host of the guest's clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time that is shaded: a round, or the switchover."""

    label: str
    begin: float
    end: float
    stunned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """A service of the guest, as it or its clients saw it: operations/s, and the slowest of each sample in s."""

    name: str
    rate: Band
    latency: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What there is of: bytes/s on the link, operations/s of the guest, a client's latency in s."""

    name: str
    spans: list[Span]
    throughput: Band | None
    operations: Band | None
    latency: Band | None
    services: list[ServiceLine] = field(default_factory=list)

    def rate_of(self, service: str) -> Band | None:
        """What that service got done."""
        return next((each.rate for each in self.services if each.name == service), None)

    @property
    def begin(self) -> float:
        """Where the axis begins, in seconds."""
        shown = [each.times[0] for each in self._bands]
        return float(min([0.0, *shown]))

    @property
    def end(self) -> float:
        """Where the axis ends, in seconds; 1 where nothing is on it."""
        return float(max([span.end for span in self.spans] + [each.times[-1] for each in self._bands], default=1.0))

    @property
    def _bands(self) -> list[Band]:
        known = [each for each in (self.throughput, self.operations, self.latency) if each is not None]
        return known + [each.rate for each in self.services]


def timeline(record: MigrationRecord, recording: Recording | None, columns: int = COLUMNS) -> Timeline:
    """``recording`` is None where nothing was sampled: then the rounds are all there is."""
    spans = [
        Span(
            label=str(each.index),
            begin=each.started_s,
            end=each.started_s + each.duration_s,
            stunned=each.kind == "stop_and_copy",
        )
        for each in record.rounds
    ]
    bands = _bands(record, recording, columns) if recording else {}
    return Timeline(
        name=record.name,
        spans=spans,
        throughput=bands.get("throughput"),
        operations=bands.get("operations"),
        latency=bands.get("latency"),
        services=list(_services(record, recording, columns)) if recording else [],
    )


def _bands(record: MigrationRecord, recording: Recording, columns: int) -> dict[str, Band]:
    link, guest, client = (recording.columns(kind) for kind in ("link", "guest", "client"))
    origin, begin, end = _axis(record, recording)
    raw = {"throughput": throughput(link), "operations": operations(guest)}
    if {"t", "latency_s"} <= client.keys():
        raw["latency"] = (client["t"], client["latency_s"])
    bands = {}
    for name, (times, values) in raw.items():
        shown = _within(times - origin, values, begin, end)
        if len(shown[0]) > 1:
            bands[name] = band(*shown, columns)
    return bands


def _axis(record: MigrationRecord, recording: Recording) -> tuple[float, float, float]:
    """When (s, CLOCK_MONOTONIC) the migration was asked for, and from when to when after it is shown."""
    link, origin = recording.columns("link"), recording.mark("migrate")
    if origin is None:
        origin = float(link["t"][0]) if "t" in link else 0.0
    length = record.total_time_s or max((each.started_s + each.duration_s for each in record.rounds), default=0.0)
    margin = max(MARGIN * length, 0.2)
    margin = max([margin, *(phase.end_s - length for each in record.services for phase in each.phases)])
    return origin, -margin, length + margin if length else np.inf


def _services(record: MigrationRecord, recording: Recording, columns: int) -> Iterator[ServiceLine]:
    rows = recording.columns("service")
    if not {"t", "name", "host", "operations", "latency_s"} <= rows.keys():
        return
    origin, begin, end = _axis(record, recording)
    for service in record.services:
        log = _seen(rows, service)
        rates = _within(*_shifted(completed(log, columns), origin), begin, end)
        latencies = _within(log["t"] - origin, log["latency_s"], begin, end)
        if len(rates[0]) > 1:
            yield ServiceLine(name=service.name, rate=band(*rates, columns), latency=band(*latencies, columns))


def _seen(rows: Columns, service: ServiceRecord) -> Columns:
    """The samples of the log that the record's figures are from: the clients', or those of the guests at both hosts."""
    theirs = (rows["host"] == CLIENT) == (service.seen_by == "client")
    ours = (rows["name"] == service.name) & theirs
    return {name: column[ours] for name, column in rows.items()}


def _shifted(series: tuple[Floats, Floats], origin: float) -> tuple[Floats, Floats]:
    return series[0] - origin, series[1]


def _within(times: Floats, values: Floats, begin: float, end: float) -> tuple[Floats, Floats]:
    inside = (times >= begin) & (times <= end)
    return times[inside], values[inside]

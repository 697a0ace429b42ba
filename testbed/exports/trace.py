"""A run as a trace that Perfetto and chrome://tracing open: each migration a process, what happened in it its tracks.

    ui.perfetto.dev, "Open trace file"; nothing is uploaded

    hello                                    one clock: CLOCK_MONOTONIC, in microseconds
      migration   ├──────────────────────────────────────┤
      rounds      ├─ round 1 ─┤├─ round 2 ─┤├ stop-and-copy ┤       a slice's arguments are the record's own fields
      decisions               ▼            ▼
      downtime                              ├ pause ┤├ ... ┤
      throttle, stages, guest and client, services, orders and faults
      counters: bytes/s on the link, operations/s of the guest, windows, bandwidth and dirty rate of each round

The form is the Trace Event Format, as Perfetto documents it. A simulated run has no clock: all of its migrations
begin at one time. One of a real run that was not sampled has no place on the axis, and is left out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.records.rounds import RoundRecord
from testbed.exports.counters import counters
from testbed.runfiles import samples
from testbed.runfiles.samples import Recording

Event: TypeAlias = dict[str, Any]
TRACKS = (
    *("migration", "rounds", "decisions", "downtime", "throttle", "stages"),
    *("guest and client", "orders and faults"),
)
"""By their number, from 1; those of services come after them."""
LAST_OF_DOWNTIME = "last_round"
"""The phase of the downtime that ends as the last round does, by which the others have their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceSlice:
    """A stretch of time on a track, in seconds."""

    name: str
    begin: float
    end: float
    args: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A migration on the axis: the number of its process, and when it was asked for (s)."""

    pid: int
    record: MigrationRecord
    recording: Recording | None
    origin: float


def text(summary: Summary, recordings: Sequence[Recording]) -> tuple[str, list[MigrationKey]]:
    """The trace as JSON, and which migrations are not in it."""
    begins = [each.begin_s for done in summary.migrations for service in done.services for each in service.phases]
    first = -min(0.0, *begins) if begins else 0.0
    placed = [_placed(pid, each, recordings, first) for pid, each in enumerate(summary.migrations, 1)]
    lost = [each.key for each, there in zip(summary.migrations, placed, strict=True) if there is None]
    events = [event for each in placed if each is not None for event in _events(each)]
    clock = "CLOCK_MONOTONIC" if recordings else "each migration by itself"
    about = {"scenario": summary.scenario, "engine": summary.engine, "started_at": summary.started_at, "clock": clock}
    head = json.dumps({"displayTimeUnit": "ms", "otherData": about})[:-1]
    lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in events)
    return f'{head}, "traceEvents": [\n{lines}\n]}}\n', lost


def _placed(pid: int, record: MigrationRecord, recordings: Sequence[Recording], first: float) -> Placed | None:
    """None where it is not known when it was; without a clock all of them were at ``first``."""
    if not recordings:
        return Placed(pid=pid, record=record, recording=None, origin=first)
    found = samples.find(list(recordings), record)
    origin = found.mark("migrate") if found else None
    return None if origin is None else Placed(pid=pid, record=record, recording=found, origin=origin)


def _events(placed: Placed) -> Iterator[Event]:
    pid, record = placed.pid, placed.record
    yield _named(pid, 0, "process_name", str(record.key))
    yield {"ph": "M", "pid": pid, "tid": 0, "name": "process_sort_index", "args": {"sort_index": pid}}
    slices = [
        *([_whole(placed)], _rounds(record), [], _downtime(record), _throttled(record), _stages(placed)),
        *(_seen(record), []),
    ]
    names = [*TRACKS]
    for service in record.services:
        parts = [
            TraceSlice(name=each.phase, begin=each.begin_s, end=each.end_s, args=asdict(each))
            for each in service.phases
        ]
        throttled = [each for each in parts if each.name == "throttled"]
        names += [service.name, *([f"{service.name}, throttled"] if throttled else [])]
        slices += [[each for each in parts if each.name != "throttled"], *([throttled] if throttled else [])]
    for tid, (name, stretches) in enumerate(zip(names, slices, strict=True), 1):
        yield _named(pid, tid, "thread_name", name)
        yield {"ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index", "args": {"sort_index": tid}}
        yield from _chain(placed, tid, stretches)
    yield from _instants(placed)
    for counter in counters(record, placed.recording, placed.origin):
        for at, value in zip(counter.times, counter.values, strict=True):
            point = {"ts": _us(float(at)), "args": {counter.unit: float(value)}}
            yield {"ph": "C", "pid": pid, "tid": 0, "name": counter.name} | point


def _whole(placed: Placed) -> TraceSlice:
    record = placed.record
    ends = [each.started_s + each.duration_s for each in record.rounds]
    ended = placed.recording.mark("ended") if placed.recording else None
    last = ended - placed.origin if ended is not None else max(ends, default=0.0)
    known = ("name", "repeat", "settings", "outcome", "reason", "valid", "invalid_reasons", "bytes_sent", "downtime_s")
    args = {name: getattr(record, name) for name in known}
    end = record.total_time_s if record.total_time_s is not None else last
    return TraceSlice(name=record.outcome, begin=0.0, end=end, args=args)


def _rounds(record: MigrationRecord) -> list[TraceSlice]:
    return [
        TraceSlice(
            name="stop-and-copy" if each.kind == "stop_and_copy" else f"round {each.index}",
            begin=each.started_s,
            end=each.started_s + each.duration_s,
            args=asdict(each),
        )
        for each in record.rounds
    ]


def asked_to_pause(record: MigrationRecord) -> float | None:
    """When after the migration was asked for (s); None where there is no last round to tell it by."""
    last = next((each for each in record.rounds if each.kind == "stop_and_copy"), None)
    if last is None or LAST_OF_DOWNTIME not in record.downtime_phases_s:
        return None
    names = list(record.downtime_phases_s)
    before = names[: names.index(LAST_OF_DOWNTIME) + 1]
    return last.started_s + last.duration_s - sum(record.downtime_phases_s[name] for name in before)


def _downtime(record: MigrationRecord) -> list[TraceSlice]:
    at, found = asked_to_pause(record), list[TraceSlice]()
    if at is None:
        return found
    for name, seconds in record.downtime_phases_s.items():
        found.append(TraceSlice(name=name, begin=at, end=at + seconds, args={"seconds": seconds}))
        at += seconds
    return found


def _throttled(record: MigrationRecord) -> list[TraceSlice]:
    def args(each: RoundRecord) -> Event:
        return {"share": each.throttle, "dirty_rate": each.dirty_rate}

    return [
        TraceSlice(
            name=f"{each.throttle:.0%}", begin=each.started_s, end=each.started_s + each.duration_s, args=args(each)
        )
        for each in record.rounds
        if each.throttle > 0
    ]


def _stages(placed: Placed) -> list[TraceSlice]:
    """Each until the next began."""
    if placed.recording is None:
        return []
    begun = [
        (row["t"] - placed.origin, str(row.get("phase"))) for row in placed.recording.events if row["event"] == "phase"
    ]
    ends = [at for at, _ in [*begun[1:], *begun[-1:]]]
    return [TraceSlice(name=name, begin=at, end=end, args={}) for (at, name), end in zip(begun, ends, strict=True)]


def _seen(record: MigrationRecord) -> list[TraceSlice]:
    """How long nothing was completed: by the client, or, where nobody asked the guest, by its own log."""
    at, found = asked_to_pause(record), list[TraceSlice]()
    if at is None:
        return found
    if record.blackout is not None and record.client_blackout_s is not None:
        begin = at + record.blackout.begin_s
        args = {"seconds": record.client_blackout_s, **record.blackout.parts}
        found.append(TraceSlice(name="client: no answer", begin=begin, end=begin + record.client_blackout_s, args=args))
    elif record.guest_gap_s is not None and record.guest_gap_begin_s is not None:
        begin = at + record.guest_gap_begin_s
        args = {"seconds": record.guest_gap_s}
        found.append(TraceSlice(name="guest: no operation", begin=begin, end=begin + record.guest_gap_s, args=args))
    return found


def _instants(placed: Placed) -> Iterator[Event]:
    record = placed.record
    for each in record.rounds:
        yield _instant(placed, "decisions", each.started_s + each.duration_s, each.decision, {"round": each.index})
    for order in record.controls:
        yield _instant(placed, "orders and faults", order.at_s, f"order: {order.what}", asdict(order))
    for fault in record.faults:
        if fault.at_s is not None:
            yield _instant(placed, "orders and faults", fault.at_s, f"fault: {fault}", asdict(fault))


def _instant(placed: Placed, track: str, at: float, name: str, args: Event) -> Event:
    where = {"pid": placed.pid, "tid": TRACKS.index(track) + 1}
    return {"ph": "i", "s": "t", **where, "name": name, "ts": _us(placed.origin + at), "args": args}


def _chain(placed: Placed, tid: int, stretches: Sequence[TraceSlice]) -> Iterator[Event]:
    """None goes on after the next has begun: two edges that are one may differ in their last digit."""
    ordered = sorted(stretches, key=lambda each: each.begin)
    begins = [_us(placed.origin + each.begin) for each in ordered]
    for index, each in enumerate(ordered):
        end = _us(placed.origin + each.end)
        end = min([end, *begins[index + 1 : index + 2]])
        lasted = {"ts": begins[index], "dur": round(max(end - begins[index], 0.0), 3), "args": each.args}
        yield {"ph": "X", "pid": placed.pid, "tid": tid, "name": each.name} | lasted


def _named(pid: int, tid: int, what: str, name: str) -> Event:
    return {"ph": "M", "pid": pid, "tid": tid, "name": what, "args": {"name": name}}


def _us(seconds: float) -> float:
    """Microseconds, to the nanosecond."""
    return float(np.round(seconds * 1e6, 3))

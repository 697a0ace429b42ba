"""What a service got done, and how slowly, in each stretch of a migration: from its log of starts and ends.

    running ─before─ migrate ─round 1─ round 2 ... ─ asked ─switchover─ first step ─after─ cooled
                               └──────throttled──────┘

An operation belongs to the stretch in which it was completed: one that was held up by a stretch and ended after it
is the next one's slowest. A halt is a time without a completed operation, cut at the stretch's own edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from testbed.core.records.services import ServicePhaseRecord, ServiceRecord
from testbed.findings.guest_log import Times
from testbed.findings.rows import END, NS, START, Rows

SWITCHOVER = "switchover"
TOGETHER_S = 1e-3
"""Throttled rounds no further apart are one stretch: a scan, or a decision, lies between them."""

ENOUGH = 10
"""Operations that were to be expected, before their absence says something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A round, or the ``switchover`` (asked to first step): seconds of CLOCK_MONOTONIC."""

    name: str
    begin: float
    end: float
    throttled: bool = False


def describe(
    name: str,
    seen_by: Literal["guest", "client"],
    rows: Rows,
    stretches: Sequence[Stretch],
    edges: tuple[float, float, float, float],
) -> ServiceRecord:
    """The figures of one service, without a verdict.

    ``rows``: the log of the service or of its clients, shape (n, 4), at both hosts, in any order. ``stretches``: rounds
    in order, then the switchover if there was one. ``edges``: running, migrate, ended, cooled, in seconds of
    CLOCK_MONOTONIC. Times in the record count from ``migrate``.
    """
    running, migrate, ended, cooled = edges
    log = _Log.of(rows)
    stunned, back = _away(stretches, ended)
    before = log.phase("before", [(running, migrate)], migrate)
    throttled = _throttled(log, stretches, migrate)
    after = log.phase("after", [(back, cooled)], migrate)
    return ServiceRecord(
        name=name,
        seen_by=seen_by,
        operations=len(log.ends),
        operation_bytes=None,
        rate_before=_rate(before),
        rate_during=_rate(log.phase("during", [(migrate, stunned)], migrate)),
        rate_throttled=_rate(throttled),
        rate_after=_rate(after),
        longest_halt_s=log.halt(migrate, cooled) if cooled > migrate else None,
        phases=[before, *_named(log, stretches, throttled, migrate), after],
    )


def fell_silent(record: ServiceRecord, grace_s: float) -> str | None:
    """What is to be said of a service that did something before the migration and nothing after it, though by its rate
    before it should have, once its clients had ``grace_s`` to come back; else None.
    """
    after, rate = record.phases[-1], record.rate_before or 0.0
    lasted = after.end_s - after.begin_s
    if after.operations or rate * (lasted - grace_s) < ENOUGH:
        return None
    return f"it completed nothing in the {lasted:.1f} s after the migration, and {rate:,.0f} operations/s before it"


@dataclass(frozen=True, slots=True, eq=False)
class _Log:
    """``ends`` in seconds, rising; ``latencies`` in seconds, in the same order."""

    ends: Times
    latencies: Times

    @classmethod
    def of(cls, rows: Rows) -> "_Log":
        starts, ends = rows[:, START].astype(np.int64), rows[:, END].astype(np.int64)
        if (np.diff(ends) < 0).any():
            order = np.argsort(ends, kind="stable")
            starts, ends = starts[order], ends[order]
        return cls(ends / NS, np.maximum(ends - starts, 0) / NS)

    def phase(self, name: str, parts: Sequence[tuple[float, float]], origin: float) -> ServicePhaseRecord:
        """One stretch of time, that may have gaps between its parts."""
        spans = [self._between(begin, end) for begin, end in parts]
        latencies = np.concatenate([self.latencies[span] for span in spans])
        lasts = sum(max(0.0, end - begin) for begin, end in parts)
        middle, high, higher, most = _percentiles(latencies)
        return ServicePhaseRecord(
            phase=name,
            begin_s=parts[0][0] - origin,
            end_s=parts[-1][1] - origin,
            operations=len(latencies),
            rate=len(latencies) / lasts if lasts > 0 else 0.0,
            latency_p50_s=middle,
            latency_p95_s=high,
            latency_p99_s=higher,
            latency_max_s=most,
            longest_halt_s=max(self.halt(begin, end) for begin, end in parts),
        )

    def halt(self, begin: float, end: float) -> float:
        """The longest time between these without a completed operation."""
        if end <= begin:
            return 0.0
        inside = self.ends[self._between(begin, end)]
        return float(np.diff(np.concatenate(([begin], inside, [end]))).max())

    def _between(self, begin: float, end: float) -> slice:
        return slice(*np.searchsorted(self.ends, (begin, max(begin, end))).tolist())


def _away(stretches: Sequence[Stretch], ended: float) -> tuple[float, float]:
    """When the guest left and was back; without a switchover both are the migration's end."""
    switchover = next((each for each in stretches if each.name == SWITCHOVER), None)
    return (switchover.begin, switchover.end) if switchover else (ended, ended)


def _throttled(log: _Log, stretches: Sequence[Stretch], origin: float) -> ServicePhaseRecord | None:
    """All throttled rounds as one phase."""
    slowed = _together([each for each in stretches if each.throttled])
    return log.phase("throttled", slowed, origin) if slowed else None


def _named(
    log: _Log, stretches: Sequence[Stretch], throttled: ServicePhaseRecord | None, origin: float
) -> list[ServicePhaseRecord]:
    """A phase for each stretch; what was throttled stands before the switchover, or last."""
    phases = [log.phase(each.name, [(each.begin, each.end)], origin) for each in stretches]
    at = next((index for index, each in enumerate(stretches) if each.name == SWITCHOVER), len(phases))
    return [*phases[:at], *([throttled] if throttled else []), *phases[at:]]


def _percentiles(latencies: Times) -> tuple[float | None, ...]:
    """The 50th, 95th, 99th, and the largest."""
    if not len(latencies):
        return None, None, None, None
    return tuple(np.percentile(latencies, (50, 95, 99, 100)).tolist())


def _together(stretches: Sequence[Stretch]) -> list[tuple[float, float]]:
    """Where they are, those that touch as one."""
    parts: list[tuple[float, float]] = []
    for each in stretches:
        if parts and each.begin - parts[-1][1] <= TOGETHER_S:
            parts[-1] = parts[-1][0], max(parts[-1][1], each.end)
        else:
            parts.append((each.begin, each.end))
    return parts


def _rate(phase: ServicePhaseRecord | None) -> float | None:
    """None for a stretch that has no length, in which nothing can be said."""
    return phase.rate if phase and phase.end_s > phase.begin_s else None

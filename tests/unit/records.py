"""A summary for tests of reports: one migration of five rounds, as the published table has them."""

from itertools import accumulate
from typing import Any

from testbed.core.records.link import LinkRecord, StreamRecord
from testbed.core.records.migration import (
    AccountingRecord,
    ComparisonRecord,
    CpuRecord,
    GuestRecord,
    MemoryRecord,
    MigrationRecord,
    PredictionEnd,
    PredictionRecord,
    Summary,
    ThrottleRecord,
    VmRecord,
)
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import (
    BlackoutRecord,
    ConnectionsRecord,
    IdentityRecord,
    ServicePhaseRecord,
    ServiceRecord,
)

MB = 10**6
SENT = (2048, 512, 128, 32, 8)
DIRTIED = (512, 128, 32, 8, 0)
TOTAL_S = 21.4


def a_round(index: int, sent: int, dirtied: int, started_s: float = 1.0, longer: float = 1.0) -> RoundRecord:
    duration = sent / 128 * longer
    return RoundRecord(
        index=index,
        kind="precopy" if index < len(SENT) else "stop_and_copy",
        started_s=started_s,
        duration_s=duration,
        sent_bytes=sent * MB,
        dirtied_bytes=dirtied * MB,
        bandwidth=sent * MB / duration,
        dirty_rate=dirtied * MB / duration,
        throttle=0.0,
        decision=f"went on after round {index}",
    )


def rounds_of(total_time_s: float | None) -> list[RoundRecord]:
    """Five that fit into this time, one after the other."""
    longer = min(1.0, (total_time_s or TOTAL_S) / TOTAL_S)
    begins = accumulate((sent / 128 * longer for sent in SENT), initial=0.0)
    return [a_round(i, s, d, at, longer) for i, (s, d, at) in enumerate(zip(SENT, DIRTIED, begins, strict=False), 1)]


def a_prediction() -> PredictionRecord:
    """Of opvizor, had chance a hand in it: total and downtime intervals, rounds missed, bytes to a rounding."""
    low = PredictionEnd(total_time_s=21.0, downtime_s=0.00095, bytes_sent=2728 * MB, rounds=6)
    high = PredictionEnd(total_time_s=21.9, downtime_s=0.06, bytes_sent=2730 * MB, rounds=7)
    return PredictionRecord(
        total_time_s=21.31, downtime_s=0.05, bytes_sent=2728 * MB, rounds=6, low=low, high=high, replicas=60, alike=55
    )


def a_migration(**changes: Any) -> MigrationRecord:
    """One that agrees with itself, but for the changes."""
    sent = sum(SENT) * MB
    known: dict[str, Any] = {
        "name": "opvizor",
        "settings": {},
        "repeat": 1,
        "scale": {"size": 1.0, "time": 1.0},
        "outcome": "completed",
        "reason": "stopped after round 4",
        "vm": VmRecord(ram_bytes=2048 * MB, workload="sequential", working_set_bytes=None, write_rate=32e6),
        "link": LinkRecord(
            rate=None, goodput=1.02e9, expected_goodput=1.024e9, rtt_s=1e-4, drops=0, mtu=1500, verified=True
        ),
        "total_time_s": TOTAL_S if changes.get("outcome", "completed") == "completed" else None,
        "downtime_s": 0.07,
        "bytes_sent": sum(SENT) * MB,
        "streams": [StreamRecord(index=0, page_bytes=sent, socket_bytes=sent + 9, retransmits=0, congestion="cubic")],
        "cpu": CpuRecord(source_s=1.0, destination_s=2.0, guest_s=None),
        "rounds": rounds_of(changes.get("total_time_s", TOTAL_S)),
        "throttle": ThrottleRecord(policy="plain"),
        "memory": MemoryRecord(match=True, method="frozen source", pages_compared=499_993, pages_replayed=7),
        "accounting": AccountingRecord(page_bytes=sent, socket_bytes=sent + 9, link_bytes=sent + 99, consistent=True),
        "guest": GuestRecord(operations=9),
        "predicted": PredictionRecord(total_time_s=21.31, downtime_s=0.06, bytes_sent=2728 * MB, rounds=5),
        "valid": True,
    }
    return MigrationRecord(**(known | changes))


def a_summary(*migrations: MigrationRecord, comparisons: tuple[ComparisonRecord, ...] = ()) -> Summary:
    return Summary(
        testbed_version="0.1.0",
        scenario="opvizor",
        engine="native",
        started_at="2026-01-01T00:00:00+00:00",
        seed=1,
        valid=all(each.valid for each in migrations),
        invalid_reasons=[],
        environment={"kernel": "6.12"},
        migrations=list(migrations or [a_migration()]),
        comparisons=list(comparisons),
    )


def a_phase(phase: str, begin: float, end: float, operations: int, latency: float | None = 1e-3) -> ServicePhaseRecord:
    return ServicePhaseRecord(
        phase=phase,
        begin_s=begin,
        end_s=end,
        operations=operations,
        rate=operations / (end - begin),
        latency_p50_s=latency,
        latency_p95_s=latency,
        latency_p99_s=latency,
        latency_max_s=latency,
        longest_halt_s=0.01,
    )


def a_service(**changes: Any) -> ServiceRecord:
    known: dict[str, Any] = {
        "name": "iometer",
        "seen_by": "guest",
        "operations": 12_345,
        "operation_bytes": 4096,
        "rate_before": 1000.0,
        "rate_during": 400.0,
        "rate_throttled": 12.5,
        "rate_after": 998.0,
        "longest_halt_s": 1.25,
        "phases": [
            a_phase("before", -1.0, 0.0, 1000),
            a_phase("round 1", 0.0, 16.0, 8000),
            a_phase("throttled", 16.0, 20.0, 50, 0.7),
            a_phase("switchover", 20.0, 20.07, 0, None),
            a_phase("after", 20.07, 22.07, 1996),
        ],
        "verified": True,
        "lost": 0,
        "doubled": 0,
        "method": "every operation once",
    }
    return ServiceRecord(**known | changes)


PARTS = {"last_answer": 0.0012, "downtime": 0.07, "next_request": 0.0003, "next_answer": 0.0004}


def a_networked_migration(**changes: Any) -> MigrationRecord:
    """With a service, an identity that moved, connections and a client that saw it all."""
    known: dict[str, Any] = {
        "services": [a_service()],
        "identity": IdentityRecord(
            mac="02:00:0a:00:02:64",
            ip="10.0.2.100",
            forwarding_before="esx1",
            forwarding_after="esx2",
            announcements=4,
        ),
        "connections": ConnectionsRecord(mechanism="tcp_repair", moved=10),
        "downtime_phases_s": {"pause": 0.01, "last_round": 0.04, "state": 0.005, "announce": 0.005, "resume": 0.01},
        "guest_gap_s": 0.0705,
        "guest_gap_begin_s": -0.0005,
        "client_blackout_s": sum(PARTS.values()),
        "blackout": BlackoutRecord(answers=1300, median_interval_s=0.0015, begin_s=-0.0012, parts=PARTS),
    }
    return a_migration(**known | changes)

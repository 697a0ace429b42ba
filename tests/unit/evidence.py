"""The evidence of a migration without fault, on a clock that is easy to reckon with.

    100 ── warm-up ── 102 ── round 1 ── 106.5 ── round 2, throttled ── 108.5 ──── 109 ─ switchover ─ 109.125 ─ 110 ─ 111
    running           migrate                                              asked            announced   ended  cooled

The guest does 1,000 operations/s, 500 of them while it is throttled, and none from 109 to 109.25.
"""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from guest_agent.client.conversation import ClientFinished
from testbed.core.agents.told import ConnectionFacts, DestinationFinished, SourceFacts, StreamFacts, ThrottleFacts
from testbed.core.network.frames import TCP_FRAME_BYTES
from testbed.core.plan import CrossTrafficPlan, GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MemoryRecord
from testbed.core.records.sampler import SamplerReport
from testbed.core.records.stamps import Stamps
from testbed.core.records.verdict import Verdict
from testbed.core.rounds import Action, Decision, Round, RoundKind
from testbed.findings.accounting import CrossCount, LinkCount
from testbed.findings.ended import DESTINATION, Ended
from testbed.findings.evidence import Condition, Evidence
from testbed.findings.guest_log import GuestLog
from testbed.findings.identity import NetworkEvidence
from testbed.findings.marks import Mark, Marks
from testbed.findings.record import judged
from testbed.findings.rows import Rows
from testbed.findings.services import ServiceFacts

RATE = 1000.0
"""The guest's operations per second."""
PAGE_BYTES, FRAMING_BYTES, CHANNEL_BYTES = 53_248_000, 1500, 20_000
PAYLOAD, PACKETS = PAGE_BYTES + FRAMING_BYTES + CHANNEL_BYTES, 1000
CROSS_RATE = 3_000_000.0
"""Bytes per second of payload, where there is cross traffic."""

STAMPS = Stamps(
    asked=109.0, paused=109.015625, scanned=109.03125, received=109.0625, sent=109.078125, prepared=109.09375,
    handed=109.1015625, first_step=109.109375, announced=109.125,
)  # fmt: skip
ROUND_1 = Round(
    index=1, kind=RoundKind.PRECOPY, started_s=0.5, duration_s=4.0, sent_bytes=40_960_000, dirtied_bytes=8_192_000
)
ROUND_2 = Round(
    index=2, kind=RoundKind.PRECOPY, started_s=4.5, duration_s=2.0, sent_bytes=8_192_000, dirtied_bytes=4_096_000,
    throttle=0.5,
)  # fmt: skip
ROUND_3 = Round(
    index=3, kind=RoundKind.STOP_AND_COPY, started_s=7.03125, duration_s=0.03125, sent_bytes=4_096_000, dirtied_bytes=0
)
GO_ON, SWITCH_OVER = (Decision(action=action, reason=action.value) for action in (Action.GO_ON, Action.SWITCH_OVER))
ROUNDS = ((ROUND_1, GO_ON), (ROUND_2, SWITCH_OVER), (ROUND_3, None))
STREAMS = (
    StreamFacts(page_bytes=40_000_000, framing_bytes=1000, retransmits=3, mss=1448, congestion="cubic"),
    StreamFacts(page_bytes=13_248_000, framing_bytes=500, retransmits=1, mss=1000, congestion="cubic"),
)
SAID = ClientFinished(sent=9, answered=9, errors=0, reconnects=0)
VERDICT = Verdict(ok=True, method="every operation once", operations=9)
LINK = LinkRecord(
    rate=1e9, goodput=9.4e8, expected_goodput=9.4e8, rtt_s=1e-4, drops=0, mtu=1500, verified=True, available=8e8
)
MEMORY = MemoryRecord(match=True, method="page by page", pages_compared=16_000)
UNCOMPARED = MemoryRecord(match=None, method="not compared")


def a_plan(*, cross: Literal["", "udp", "tcp"] = "", **migration: Any) -> Plan:
    """A guest that writes 1,000 pages a second; ``cross``: beside cross traffic by that."""
    return Plan(
        name="test",
        network=NetworkPlan(
            vmotion=LinkPlan(rate=1e9),
            cross_traffic=CrossTrafficPlan(rate=8 * CROSS_RATE, protocol=cross) if cross else None,
        ),
        guest=GuestPlan(
            ram_bytes=64 << 20, workload={"name": "sequential", "working_set": 32 << 20, "write_rate": 4096 * RATE}
        ),
        migration=MigrationPlan(policy={"name": "plain"}),
        **migration,
    )


def the_facts(**changes: Any) -> SourceFacts:
    """What the source agent said."""
    known: dict[str, Any] = {
        "asked": 102.0,
        "released": 109.5,
        "stamps": STAMPS,
        "streams": STREAMS,
        "channel_bytes": CHANNEL_BYTES,
        "connections": ConnectionFacts(mechanism="tcp_repair", moved=4),
        "throttle": ThrottleFacts(mechanism="auto_converge", install_s=0.25),
        "cpu_s": 3.5,
    }
    return SourceFacts(**known | changes)


def the_end(**changes: Any) -> Ended:
    """It completed."""
    known: dict[str, Any] = {
        "outcome": "completed",
        "reason": "the guest runs at the destination",
        "runs_at": DESTINATION,
        "rounds": ROUNDS,
        "facts": the_facts(),
        "destination": DestinationFinished(outcome="completed", reason="", cpu_s=2.5),
        "announced": 4,
    }
    return Ended(**known | changes)


def a_mark(at: float, *, packets: int = 0, payload: int = 0, guest_cpu_s: float = 0.0, operations: int = 0) -> Mark:
    """``payload`` bytes went over the link in so many ``packets``."""
    link = LinkCount(sent_bytes=payload + TCP_FRAME_BYTES * packets, sent_packets=packets)
    return Mark(at=at, link=link, guest_cpu_s=guest_cpu_s, operations=operations)


def the_marks(*, more_payload: int = 0) -> Marks:
    """``more_payload``: bytes on the link beside the migration's own."""
    return Marks(
        running=a_mark(100.0),
        migrate=a_mark(102.0, packets=500, payload=9000, guest_cpu_s=2.0, operations=2000),
        ended=a_mark(110.0, packets=500 + PACKETS, payload=9000 + PAYLOAD + more_payload, guest_cpu_s=7.5),
        cooled=a_mark(111.0, packets=9999, guest_cpu_s=9.0, operations=9850),
    )


def the_log() -> GuestLog:
    """Eight entries a second, but for the time in which the guest stood still."""
    before = np.arange(100.0, 109.0 + 0.125, 0.125)
    throttled = np.clip(before - 106.5, 0.0, 2.0)
    after = np.arange(109.25, 111.0, 0.125)
    operations = np.concatenate([RATE * (before - 100.0 - throttled / 2), 8100 + RATE * (after - 109.25)])
    return GuestLog(np.concatenate([before, after]), operations.astype(np.int64))


def log_of(operations: Iterable[tuple[float, float]]) -> Rows:
    """Operations from when to when, in seconds, as a log has them."""
    rows = [[round(begin * 1e9), round(end * 1e9), number, 0] for number, (begin, end) in enumerate(operations)]
    return np.array(rows, np.uint64).reshape(-1, 4)


def regular(begin: float, end: float, every: float, latency: float) -> Iterable[tuple[float, float]]:
    """Operations that end at regular times, the first at ``begin``, none at ``end``."""
    return [(float(at) - latency, float(at)) for at in np.arange(begin, end, every)]


def probed() -> Rows:
    """The probe's log: answers within 1/1024 s, asked for every 1/512 s; the last one just before 109, the next at
    109.25, asked for at 109.125.
    """
    every, latency = 1 / 512, 1 / 1024
    return log_of(
        [*regular(108.0, 109.0, every, latency), (109.125, 109.25), *regular(109.25 + every, 111.0, every, latency)]
    )


def the_network(**changes: Any) -> NetworkEvidence:
    """The guest's network, on which it was found where it was to be."""
    known: dict[str, Any] = {
        "mac": "02:00:0a:00:02:64",
        "ip": "10.0.2.100",
        "forwarding_before": "esx1",
        "forwarding_after": "esx2",
        "probe": probed(),
        "probe_finished": True,
        "probe_share": 0.0625,
    }
    return NetworkEvidence(**known | changes)


def a_service(**changes: Any) -> ServiceFacts:
    """With clients whose requests end sixteen times a second, each an eighth of a second after it began."""
    rows = log_of([*regular(100.0, 109.0, 1 / 16, 1 / 8), *regular(109.25, 111.0, 1 / 16, 1 / 8)])
    known: dict[str, Any] = {
        "name": "echo",
        "clients": True,
        "operation_bytes": 512,
        "logs": (log_of([]), log_of([])),
        "lost_rows": 0,
        "client": rows,
        "said": SAID,
        "verdict": VERDICT,
    }
    return ServiceFacts(**known | changes)


def the_evidence(**changes: Any) -> Evidence:
    """All of it."""
    known: dict[str, Any] = {
        "plan": a_plan(),
        "link": LINK,
        "ended": the_end(),
        "tracker": "soft_dirty",
        "tracker_reason": "it is there",
        "marks": the_marks(),
        "log": the_log(),
        "memory": MEMORY,
        "memory_overhead": 7 << 20,
        "sampler": SamplerReport(taken=500, lost=5, cpu_s=0.5, elapsed_s=8.0),
        "condition": Condition(errors=0, fault=None),
        "network": the_network(),
        "services": (a_service(),),
    }
    return Evidence(**known | changes)


def beside_cross_traffic(share: float = 1.0, by: Literal["udp", "tcp"] = "udp", **changes: Any) -> Evidence:
    """The same beside cross traffic that reached this ``share`` of its rate in the migration's eight seconds."""
    payload = round(8 * CROSS_RATE * share)
    cross = CrossCount(payload=payload, slack=100_000, rate=share * CROSS_RATE)
    known: dict[str, Any] = {"plan": a_plan(cross=by), "marks": the_marks(more_payload=payload), "cross": cross}
    return the_evidence(**known | changes)


def sentences(evidence: Evidence) -> list[str]:
    """Why its record is not believed."""
    record = judged(evidence)
    assert record.valid == (not record.invalid_reasons)
    return record.invalid_reasons

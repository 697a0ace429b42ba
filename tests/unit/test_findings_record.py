"""The record as soon as the end is decided: what the agents said is in it, and what nobody said is missing."""

import json
from dataclasses import asdict

import pytest

from testbed.core.agents.told import SourceFacts, StreamFacts, ThrottleFacts
from testbed.core.records.migration import LinkRecord, MigrationRecord, StreamRecord
from testbed.core.records.services import ControlRecord
from testbed.core.records.stamps import PHASES, Stamps
from testbed.core.rounds import Round, RoundKind
from testbed.core.text.from_json import built
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.findings.record import UNCHECKED, decided
from tests.unit.plans import plan, writes

LINK = LinkRecord(
    rate=1e10, goodput=9.4e9, expected_goodput=9.4e9, rtt_s=1e-4, drops=0, mtu=1500, verified=True, available=8e9
)
STAMPS = Stamps(
    asked=10.0, paused=10.5, scanned=11.5, received=13.0, sent=13.25, prepared=13.5, handed=14.0, first_step=14.5,
    announced=15.0,
)  # fmt: skip
STREAMS = tuple(
    StreamFacts(page_bytes=size, framing_bytes=100, retransmits=3, mss=1448, congestion="cubic")
    for size in (4096, 8192)
)
FACTS = SourceFacts(
    asked=1.0, released=16.0, stamps=STAMPS, streams=STREAMS, channel_bytes=500,
    connections=None, throttle=ThrottleFacts(), cpu_s=0.5,
)  # fmt: skip
FIRST = Round(index=1, kind=RoundKind.PRECOPY, started_s=0.0, duration_s=2.0, sent_bytes=10**9, dirtied_bytes=4096)
LAST = Round(
    index=2, kind=RoundKind.STOP_AND_COPY, started_s=9.0, duration_s=0.5, sent_bytes=2288, dirtied_bytes=0
)  # fmt: skip
CUT = ControlRecord(at_s=0.5, what="cut")
COMPLETED = Ended(
    outcome="completed", reason="the guest runs at the destination", runs_at=DESTINATION,
    rounds=((FIRST, None), (LAST, None)), facts=FACTS, controls=(CUT,),
)  # fmt: skip


def recorded(ended: Ended) -> MigrationRecord:
    """As it is written, and read again."""
    made = decided(plan(1, writes(1.0)), LINK, ended, tracker="soft-dirty", tracker_reason="it is there")
    assert built(MigrationRecord, json.loads(json.dumps(asdict(made)))) == made
    return made


def test_a_completed_migration_is_what_its_source_said() -> None:
    made = recorded(COMPLETED)
    assert (made.total_time_s, made.downtime_s, made.bytes_sent) == (15.0, 5.0, 10**9 + 2288)
    assert list(made.downtime_phases_s) == list(PHASES)
    assert sum(made.downtime_phases_s.values()) == pytest.approx(made.downtime_s)
    assert made.retransmits == 6
    assert made.streams == [
        StreamRecord(index=index, page_bytes=size, socket_bytes=size + 100, retransmits=3, congestion="cubic")
        for index, size in enumerate((4096, 8192))
    ]
    assert [each.overhead_s for each in made.rounds] == [pytest.approx(1.0), pytest.approx(0.5, abs=1e-5)]
    assert (made.controls, made.runs_at, made.tracker) == ([CUT], DESTINATION, "soft-dirty")
    assert made.invalid_reasons == [UNCHECKED] and not made.valid


def test_a_source_that_died_leaves_gaps_and_no_guesses() -> None:
    made = recorded(
        Ended(outcome="completed", reason="it died after commit", runs_at=DESTINATION, rounds=((FIRST, None),))
    )
    assert (made.total_time_s, made.downtime_s, made.retransmits) == (None, None, None)
    assert (made.downtime_phases_s, made.streams, len(made.rounds)) == ({}, [], 1)


@pytest.mark.parametrize(
    ("stamps", "downtime_s"), [(Stamps(), None), (Stamps(asked=10.0), None), (Stamps(asked=10.0, announced=11.0), 1.0)]
)
def test_a_switchover_that_was_not_seen_whole_has_no_phases(stamps: Stamps, downtime_s: float | None) -> None:
    facts = SourceFacts(
        asked=1.0, released=16.0, stamps=stamps, streams=(), channel_bytes=0,
        connections=None, throttle=ThrottleFacts(), cpu_s=0.0,
    )  # fmt: skip
    made = recorded(Ended(outcome="aborted", reason="it broke", runs_at=SOURCE, facts=facts))
    assert (made.total_time_s, made.downtime_s, made.downtime_phases_s) == (None, downtime_s, {})

"""A record as soon as its end is decided, and once all is known: what nobody said is missing, nothing is guessed."""

import json
from dataclasses import asdict, replace

import pytest

from testbed.core.plan import GuestPlan
from testbed.core.records.link import StreamRecord
from testbed.core.records.migration import MigrationRecord, VmRecord
from testbed.core.records.services import CaptureRecord, OrderRecord
from testbed.core.records.stamps import PHASES, Stamps
from testbed.core.text.from_json import built
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.findings.record import UNCHECKED, decided, judged
from testbed.model.full_scale import full_scale
from tests.unit.evidence import (
    LINK,
    MEMORY,
    ROUNDS,
    a_plan,
    the_end,
    the_evidence,
    the_facts,
)

CUT = OrderRecord(at_s=0.5, what="cut")


def written(record: MigrationRecord) -> MigrationRecord:
    """As it is written, and read again."""
    assert built(MigrationRecord, json.loads(json.dumps(asdict(record)))) == record
    return record


def at_its_end(ended: Ended) -> MigrationRecord:
    return written(decided(a_plan(), LINK, ended, tracker="soft_dirty", tracker_reason="it is there"))


def test_a_completed_migration_is_what_its_source_said() -> None:
    record = at_its_end(the_end(controls=(CUT,)))
    assert (record.total_time_s, record.downtime_s) == (109.5 - 102.0, 109.125 - 109.0)
    assert record.bytes_sent == 40_960_000 + 8_192_000 + 4_096_000
    assert record.retransmits == 3 + 1
    assert record.streams == [
        StreamRecord(index=0, page_bytes=40_000_000, socket_bytes=40_001_000, retransmits=3, congestion="cubic"),
        StreamRecord(index=1, page_bytes=13_248_000, socket_bytes=13_248_500, retransmits=1, congestion="cubic"),
    ]
    assert (record.controls, record.runs_at, record.interrupted) == ([CUT], DESTINATION, False)
    assert (record.tracker, record.tracker_reason) == ("soft_dirty", "it is there")
    assert record.invalid_reasons == [UNCHECKED] and not record.valid


def test_the_downtime_is_all_of_its_phases() -> None:
    assert at_its_end(the_end()).downtime_phases_s == {
        "pause": 0.015625,
        "last_scan": 0.015625,
        "last_round": 0.03125,
        "state": 0.015625,
        "prepare": 0.015625,
        "commit": 0.0078125,
        "resume": 0.0078125,
        "announce": 0.015625,
    }
    assert tuple(at_its_end(the_end()).downtime_phases_s) == PHASES


def test_what_was_asked_for_is_in_it() -> None:
    plan = replace(a_plan(repeat=2, settings={"vm.ram": "64MiB"}), name="other")
    record = written(decided(plan, LINK, the_end()))
    assert (record.name, record.repeat, record.settings) == ("other", 2, {"vm.ram": "64MiB"})
    assert record.scale == {"size": 1.0, "time": 1.0} and record.link == LINK
    assert record.vm == VmRecord(
        ram_bytes=64 << 20, workload="sequential", working_set_bytes=32 << 20, write_rate=4_096_000.0
    )


def test_a_guest_that_writes_nothing_has_no_write_rate() -> None:
    plan = replace(a_plan(), guest=GuestPlan(ram_bytes=1 << 20, workload={"name": "idle"}))
    vm = decided(plan, LINK, the_end()).vm
    assert (vm.working_set_bytes, vm.write_rate, vm.achieved_write_rate) == (None, None, None)


def test_what_a_round_took_beside_its_bytes_is_known_by_what_the_link_has_for_it() -> None:
    sent_s = [bytes_sent / 1e8 for bytes_sent in (40_960_000, 8_192_000, 4_096_000)]
    took_s = [4.0, 2.0, 0.03125]
    overheads = [took - sent for took, sent in zip(took_s, sent_s, strict=True)]
    assert [round.overhead_s for round in at_its_end(the_end()).rounds] == pytest.approx(overheads)
    unmeasured = decided(a_plan(), replace(LINK, available=None), the_end())
    assert [round.overhead_s for round in unmeasured.rounds] == [None, None, None]


def test_each_round_has_the_decision_that_followed_it() -> None:
    decisions = [round.decision for round in at_its_end(the_end()).rounds]
    assert decisions == ["go on", "switch over", "the guest stood still: the last round"]


def test_a_source_that_died_leaves_gaps_and_no_guesses() -> None:
    record = at_its_end(
        Ended(outcome="completed", reason="it died after commit", runs_at=DESTINATION, rounds=ROUNDS[:1])
    )
    assert (record.total_time_s, record.downtime_s, record.retransmits) == (None, None, None)
    assert (record.downtime_phases_s, record.streams, len(record.rounds)) == ({}, [], 1)


@pytest.mark.parametrize(
    ("stamps", "downtime_s"), [(Stamps(), None), (Stamps(asked=10.0), None), (Stamps(asked=10.0, announced=11.0), 1.0)]
)
def test_a_switchover_that_was_not_seen_whole_has_no_phases(stamps: Stamps, downtime_s: float | None) -> None:
    facts = the_facts(stamps=stamps, streams=())
    record = at_its_end(Ended(outcome="aborted", reason="it broke", runs_at=SOURCE, facts=facts, interrupted=True))
    assert (record.total_time_s, record.downtime_s, record.downtime_phases_s) == (None, downtime_s, {})
    assert (record.retransmits, record.interrupted, record.runs_at) == (None, True, SOURCE)


def test_what_is_found_out_later_changes_nothing_that_was_decided() -> None:
    early = asdict(at_its_end(the_end()))
    late = asdict(written(judged(the_evidence())))
    unknown: tuple[object, ...] = (None, [], {}, False, [UNCHECKED])
    kept = {name for name, value in early.items() if value not in unknown} - {"vm"}
    assert {name: late[name] for name in kept} == {name: early[name] for name in kept}


def test_what_else_was_kept_is_in_the_record() -> None:
    capture = CaptureRecord(file="packets/01-1.pcap", packets=9, dropped=0)
    record = written(judged(the_evidence(capture=capture)))
    assert (record.capture, record.memory) == (capture, MEMORY)
    assert record.full_scale == full_scale(record) and record.full_scale["total_time_s"] == 7.5
    assert record.valid and record.invalid_reasons == []


def test_the_applications_are_in_the_record() -> None:
    record = written(judged(the_evidence()))
    assert record.client_blackout_s == 0.25 + 1 / 512 and record.blackout is not None
    assert sum(record.blackout.parts.values()) == record.client_blackout_s
    assert record.identity is not None and record.identity.forwarding_after == "esx2"
    assert record.connections is not None and record.connections.moved == 4
    assert [service.name for service in record.services] == ["echo"]


def test_a_guest_without_a_network_has_no_applications() -> None:
    record = written(judged(the_evidence(network=None, services=())))
    assert (record.client_blackout_s, record.blackout, record.identity, record.connections) == (None,) * 4
    assert record.services == []


def test_a_migration_that_was_interrupted_is_said_to_be() -> None:
    assert judged(the_evidence(ended=the_end(interrupted=True))).interrupted

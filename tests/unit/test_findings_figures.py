"""Every figure that a record has of counters, clocks and logs, from evidence that was reckoned by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.agents.told import ThrottleFacts
from testbed.core.plan import GuestPlan
from testbed.core.records.link import CrossTrafficRecord
from testbed.core.records.migration import AccountingRecord, CpuRecord, GuestRecord, MemoryRecord, ThrottleRecord
from testbed.core.records.stamps import Stamps
from testbed.findings import figures
from testbed.findings.evidence import Condition
from testbed.findings.guest_log import GuestLog
from testbed.findings.record import judged
from testbed.model.full_scale import full_scale
from tests.unit.evidence import (
    CROSS_RATE,
    ROUND_1,
    ROUND_2,
    ROUND_3,
    ROUNDS,
    a_plan,
    beside_cross_traffic,
    the_end,
    the_evidence,
    the_facts,
    the_log,
)

NOTHING = GuestLog(np.empty(0), np.empty(0, np.int64))


def test_counters_are_counted_between_their_marks() -> None:
    record = judged(the_evidence())
    assert record.wire_bytes == 53_269_500 + 66 * 1000
    assert record.memory_overhead_bytes == 7 << 20
    assert record.cpu == CpuRecord(
        source_s=3.5, destination_s=2.5, guest_s=5.5, sampler_s=0.5, sampler_share=0.0625, probe_share=0.0625
    )


def test_processor_time_that_nobody_counted_is_not_known() -> None:
    record = judged(the_evidence(ended=the_end(facts=None, destination=None), network=None))
    assert record.cpu == CpuRecord(
        source_s=None, destination_s=None, guest_s=5.5, sampler_s=0.5, sampler_share=0.0625, probe_share=None
    )


def test_every_byte_is_accounted_for() -> None:
    assert judged(the_evidence()).accounting == AccountingRecord(
        page_bytes=53_248_000, socket_bytes=53_249_500, link_bytes=53_335_500, consistent=True
    )


@pytest.mark.parametrize("changes", [{"outcome": "aborted"}, {"outcome": "failed"}, {"facts": None}])
def test_a_stream_that_was_cut_is_not_accounted_for(changes: dict[str, Any]) -> None:
    assert judged(the_evidence(ended=the_end(**changes))).accounting is None


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_cross_traffic_is_recorded_as_it_arrived(share: float) -> None:
    record = judged(beside_cross_traffic(share, "tcp"))
    assert record.cross_traffic == CrossTrafficRecord(protocol="tcp", rate=CROSS_RATE, achieved_rate=share * CROSS_RATE)
    assert record.accounting is not None and record.accounting.consistent


def test_real_world_size_is_reckoned_with_what_tcp_got() -> None:
    record = judged(beside_cross_traffic(0.4, "tcp"))
    assert record.full_scale == full_scale(record) and record.link.goodput is not None
    assert record.full_scale["goodput"] == (record.link.goodput - 0.4 * CROSS_RATE * 8) * record.scale["size"]


def test_without_cross_traffic_there_is_no_record_of_it() -> None:
    assert judged(the_evidence()).cross_traffic is None
    assert judged(the_evidence(cross=beside_cross_traffic().cross)).cross_traffic is None
    assert judged(the_evidence(plan=a_plan(cross="tcp"))).cross_traffic is None


def test_the_guest_is_as_its_own_log_has_it() -> None:
    record = judged(the_evidence())
    # From 102.5, when the first round began, to 109: 6.5 s of which 2 were half as fast.
    assert record.guest == GuestRecord(
        operations=9850,
        lost=0,
        errors=0,
        longest_gap_s=0.25,
        rate_before=1000.0,
        rate_during=5500 / 6.5,
        rate_after=1000.0,
    )
    assert (record.guest_gap_s, record.guest_gap_begin_s) == (0.25, 0.0)


def test_a_guest_that_never_left_is_slowed_by_rounds_alone() -> None:
    end = the_end(outcome="aborted", facts=the_facts(stamps=Stamps()))
    record = judged(the_evidence(ended=end))
    assert record.guest is not None
    # Until 110, where the migration ended: 7.5 s, from 2,500 to 8,850 operations.
    assert record.guest.rate_during == 6350 / 7.5
    assert record.guest.rate_after == 1000.0
    assert (record.guest_gap_s, record.guest_gap_begin_s) == (None, None)


def test_how_the_guest_was_found_is_in_its_record() -> None:
    condition = Condition(errors=None, fault="the guest was dead at the end")
    guest = judged(the_evidence(condition=condition)).guest
    assert guest is not None and (guest.errors, guest.fault) == (None, "the guest was dead at the end")


@pytest.mark.parametrize(("match", "lost"), [(True, 0), (False, None), (None, None)])
def test_nothing_is_lost_only_where_memory_was_compared(match: bool | None, lost: int | None) -> None:
    record = judged(the_evidence(memory=MemoryRecord(match=match, method="m")))
    assert record.guest is not None and record.guest.lost == lost
    assert record.memory is not None and record.memory.match is match


def test_a_guest_that_logged_nothing_has_no_rates() -> None:
    record = judged(the_evidence(log=NOTHING))
    assert record.guest == GuestRecord(operations=9850, lost=0, errors=0)
    assert (record.guest_gap_s, record.guest_gap_begin_s, record.vm.achieved_write_rate) == (None, None, None)


def test_the_throttle_is_as_long_as_its_rounds_and_costs_what_the_guest_did_not_do() -> None:
    assert judged(the_evidence()).throttle == ThrottleRecord(
        policy="plain",
        mechanism="auto_converge",
        active_s=2.0,
        peak=0.5,
        guest_slowdown=0.5,
        dirty_rate=2_048_000.0,
        install_s=0.25,
    )


def test_throttled_rounds_are_taken_together() -> None:
    slowed = replace(ROUND_1, throttle=0.25, unsent_bytes=192_000)
    end = the_end(rounds=((slowed, ROUNDS[0][1]), (ROUND_2, ROUNDS[1][1]), (ROUND_3, None)))
    throttle = judged(the_evidence(ended=end)).throttle
    assert throttle is not None and (throttle.active_s, throttle.peak) == (6.0, 0.5)
    assert throttle.dirty_rate == (8_000_000 + 4_096_000) / 6.0
    # From 102.5 to 108.5 it did 5,000 operations instead of 6,000.
    assert throttle.guest_slowdown == pytest.approx(1 / 6)


def test_a_guest_that_was_not_throttled_lost_nothing_by_it() -> None:
    end = the_end(rounds=((ROUND_1, None),), facts=the_facts(throttle=ThrottleFacts()))
    assert judged(the_evidence(ended=end)).throttle == ThrottleRecord(policy="plain")


def test_how_far_it_was_slowed_is_not_known_without_its_log() -> None:
    throttle = judged(the_evidence(log=NOTHING)).throttle
    assert throttle is not None and (throttle.active_s, throttle.guest_slowdown) == (2.0, None)


def test_its_pace_is_what_it_was_asked_for() -> None:
    assert figures.pace(the_evidence()) == 1.0
    assert judged(the_evidence()).vm.achieved_write_rate == 4_096_000.0


@given(share=st.floats(0.25, 4.0))
def test_a_pace_is_a_share_whatever_it_is(share: float) -> None:
    log = the_log()
    paced = GuestLog(log.times, np.round(log.operations * share).astype(np.int64))
    assert figures.pace(the_evidence(log=paced)) == pytest.approx(share, rel=1e-3)


def test_a_pace_that_changes_is_asked_for_in_its_parts() -> None:
    """500 operations at 1,000/s and 1,500 at 2,000/s are due in 1.25 s, and took the guest 2 s."""
    parts = [
        {"name": "sequential", "working_set": 1 << 20, "write_rate": rate, "duration": duration}
        for rate, duration in ((4_096_000.0, 0.5), (8_192_000.0, 60.0))
    ]
    workload: dict[str, Any] = {"name": "phases", "phases": parts}
    plan = replace(a_plan(), guest=GuestPlan(ram_bytes=64 << 20, workload=workload))
    assert figures.pace(the_evidence(plan=plan)) == pytest.approx(1.25 / 2)

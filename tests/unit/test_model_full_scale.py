"""The migration that an emulated one stands for: every moment and every figure of it, by one rule."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.records.migration import MigrationRecord
from testbed.core.records.services import OrderRecord
from testbed.model.full_scale import at_real_size, clock, full_scale
from tests.unit.records import a_migration, a_networked_migration

SCALES = st.fixed_dictionaries({"size": st.floats(1, 256), "time": st.floats(1, 64)})
LENGTHS = st.lists(st.tuples(st.floats(1e-3, 60), st.integers(0, 10**9), st.floats(0, 1)), min_size=1, max_size=8)


def scaled(size: float = 32.0, time: float = 8.0) -> MigrationRecord:
    return a_migration(scale={"size": size, "time": time})


@given(SCALES, LENGTHS)
def test_the_clock_agrees_with_the_total(scale: dict[str, float], rounds: list[tuple[float, int, float]]) -> None:
    """What rounds take at real-world size, and what lies between, add up to the total time at real-world size."""
    record, at = a_migration(scale=scale), 0.0
    some = record.rounds[0]
    record.rounds = []
    for index, (length, sent, pause) in enumerate(rounds, 1):
        at += pause
        record.rounds.append(replace(some, index=index, started_s=at, duration_s=length, sent_bytes=sent))
        at += length
    record.total_time_s = at + 0.25
    assert clock(record).at(record.total_time_s) == pytest.approx(full_scale(record)["total_time_s"], rel=1e-6)


@given(SCALES, st.lists(st.floats(-5, 40), min_size=2, max_size=20))
def test_a_clock_never_goes_back(scale: dict[str, float], moments: list[float]) -> None:
    made = clock(a_migration(scale=scale))
    shown = [made.at(each) for each in sorted(moments)]
    assert all(later >= before - 1e-9 for before, later in pairwise(shown))
    assert made.at(-2.0) == pytest.approx(-2.0)


def test_rounds_are_sent_longer_and_what_is_fixed_is_not() -> None:
    record = scaled()
    record.rounds[0].sent_bytes = int(record.rounds[0].duration_s / 2 * (record.link.goodput or 0) / 8)  # half of it
    real = at_real_size(record)
    assert real.rounds[0].duration_s == pytest.approx(record.rounds[0].duration_s * (0.5 * 8 + 0.5))
    assert real.rounds[0].sent_bytes == record.rounds[0].sent_bytes * 256
    assert real.rounds[0].dirty_rate == record.rounds[0].dirty_rate * 32
    assert real.rounds[1].started_s >= real.rounds[0].started_s + real.rounds[0].duration_s - 1e-9
    assert real.rounds[0].throttle == record.rounds[0].throttle


def test_it_has_the_figures_of_full_scale_and_none_where_there_are_none() -> None:
    record = scaled()
    real, full = at_real_size(record), full_scale(record)
    assert (real.total_time_s, real.downtime_s) == (full["total_time_s"], full["downtime_s"])
    assert real.vm.ram_bytes == full["ram_bytes"] and real.bytes_sent == full["bytes_sent"]
    assert real.guest_gap_s is None and real.client_blackout_s is None and real.blackout is None
    assert record.vm.ram_bytes == 2048 * 10**6  # the record itself is as it was


def test_the_phases_of_the_downtime_still_add_up() -> None:
    phases = {"pause": 0.002, "last_scan": 0.001, "last_round": 0.06, "resume": 0.007}
    real = at_real_size(replace(scaled(), downtime_phases_s=phases))
    assert sum(real.downtime_phases_s.values()) == pytest.approx(real.downtime_s)
    assert real.downtime_phases_s["resume"] == 0.007


def test_services_do_more_in_a_second_and_their_halts_have_no_size() -> None:
    record = a_networked_migration(scale={"size": 4.0, "time": 2.0})
    real = at_real_size(record)
    for before, after in zip(record.services, real.services, strict=True):
        assert after.longest_halt_s is None and after.rate_before == (before.rate_before or 0) * 4
        assert [each.rate for each in after.phases] == [each.rate * 4 for each in before.phases]


def test_orders_by_hand_are_where_they_were_given() -> None:
    orders = [OrderRecord(at_s=20.0, what="rate", value=1e9), OrderRecord(at_s=1.0, what="throttle", value=0.5)]
    record = replace(scaled(), controls=orders)
    rate, throttle = at_real_size(record).controls
    assert rate.value == 32e9 and rate.at_s == clock(record).at(20.0) and throttle.value == 0.5


def test_at_scale_one_it_is_the_same() -> None:
    record = scaled(1.0, 1.0)
    real = at_real_size(record)
    assert real.total_time_s == pytest.approx(record.total_time_s)
    assert [each.duration_s for each in real.rounds] == pytest.approx([each.duration_s for each in record.rounds])

"""A service's figures follow from its rows: rates, latencies and halts of each stretch, as a slow count has them."""

import itertools
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.ring import Rows
from testbed.core.records.services import ServicePhaseRecord, ServiceRecord
from testbed.findings.brownout import Stretch, describe, fell_silent

EDGES = (100.0, 102.0, 108.0, 110.0)
STRETCHES = [
    Stretch(name="round 1", begin=102.0, end=105.0),
    Stretch(name="round 2", begin=105.0, end=106.0, throttled=True),
    Stretch(name="round 3", begin=106.0005, end=107.0, throttled=True),
    Stretch(name="switchover", begin=107.0, end=107.5),
]


def log(ends: list[float], latency: float = 0.001) -> Rows:
    at = np.round(np.array(ends) * 1e9).astype(np.uint64)
    return np.stack([at - np.uint64(latency * 1e9), at, np.arange(len(at), dtype=np.uint64), at * 0], axis=1)


def every(step: float, begin: float, end: float) -> list[float]:
    return np.arange(begin + step / 2, end, step).tolist()


def browned() -> ServiceRecord:
    """100 a second, 50 in round 1, then 10 under the throttle, then none until 7.7 s; 98 a second afterwards."""
    ends = every(0.01, 100, 102) + every(0.02, 102, 105) + every(0.1, 105, 107) + every(1 / 98, 107.7, 110)
    return describe("iometer", "guest", log(ends), STRETCHES, EDGES)


def by_name(made: ServiceRecord) -> dict[str, ServicePhaseRecord]:
    return {phase.phase: phase for phase in made.phases}


def test_phases_stand_in_order() -> None:
    names = [phase.phase for phase in browned().phases]
    assert names == ["before", "round 1", "round 2", "round 3", "throttled", "switchover", "after"]


def test_rates_before_during_throttled_and_after() -> None:
    made = browned()
    assert made.rate_before == pytest.approx(100)
    assert made.rate_throttled == pytest.approx(10, rel=0.01)
    assert made.rate_during == pytest.approx((150 + 20) / 5, rel=0.02)
    assert made.rate_after == pytest.approx(98 * 2.3 / 2.5, rel=0.02)
    assert by_name(made)["round 1"].rate == pytest.approx(50)


def test_a_halt_is_cut_at_the_stretch_and_whole_in_the_record() -> None:
    made, phases = browned(), by_name(browned())
    assert made.longest_halt_s == pytest.approx(0.75, abs=0.02)
    assert phases["switchover"].longest_halt_s == pytest.approx(0.5)
    assert phases["after"].longest_halt_s == pytest.approx(0.2, abs=0.02)
    assert phases["before"].longest_halt_s == pytest.approx(0.01)


def test_what_was_not_completed_has_no_latency() -> None:
    phase = by_name(browned())["switchover"]
    assert (phase.operations, phase.rate, phase.latency_p50_s, phase.latency_max_s) == (0, 0.0, None, None)


def test_times_count_from_the_migrations_beginning() -> None:
    phases = by_name(browned())
    assert (phases["before"].begin_s, phases["before"].end_s) == (-2.0, 0.0)
    assert (phases["throttled"].begin_s, phases["throttled"].end_s) == (3.0, 5.0)
    assert (phases["after"].begin_s, phases["after"].end_s) == (5.5, 8.0)


def test_throttled_stretches_that_lie_apart_are_not_joined_by_what_is_between() -> None:
    apart = [
        Stretch(name="round 1", begin=102, end=103, throttled=True),
        Stretch(name="round 2", begin=103, end=106),
        Stretch(name="round 3", begin=106, end=107, throttled=True),
    ]
    made = describe("x", "client", log(every(0.1, 102, 103) + every(0.1, 106, 107)), apart, EDGES)
    assert made.rate_throttled == pytest.approx(10)
    assert by_name(made)["throttled"].longest_halt_s < 0.2 and made.longest_halt_s == pytest.approx(3.1, abs=0.06)


def test_a_migration_that_broke_has_no_switchover_and_goes_on_from_its_end() -> None:
    made = describe("x", "guest", log(every(0.01, 100, 110)), STRETCHES[:1], EDGES)
    assert [phase.phase for phase in made.phases] == ["before", "round 1", "after"]
    assert made.rate_throttled is None and made.rate_after == pytest.approx(100)
    assert made.rate_during == pytest.approx(100)


def test_without_any_row_it_halted_all_the_time() -> None:
    made = describe("x", "guest", np.empty((0, 4), np.uint64), STRETCHES, EDGES)
    assert made.longest_halt_s == 8.0 and made.rate_before == 0.0 and made.operations == 0


@given(
    ends=st.lists(st.floats(min_value=99, max_value=111), max_size=80),
    latency=st.floats(min_value=0, max_value=2),
)
def test_it_is_what_a_slow_count_gives(ends: list[float], latency: float) -> None:
    rows = log(ends, latency)
    made = describe("x", "client", rows, STRETCHES, EDGES)
    for phase in made.phases:
        if phase.phase == "throttled":
            continue
        begin, end = phase.begin_s + EDGES[1], phase.end_s + EDGES[1]
        inside = sorted(at for at in (rows[:, 1] / 1e9).tolist() if begin <= at < end)
        assert phase.operations == len(inside)
        points = [begin, *inside, end]
        longest = max(later - earlier for earlier, later in itertools.pairwise(points))
        assert phase.longest_halt_s == pytest.approx(longest, abs=1e-6)
        if inside and phase.latency_p50_s is not None and phase.latency_max_s is not None:
            assert phase.latency_p50_s <= (phase.latency_p99_s or 0) <= phase.latency_max_s
            assert phase.latency_max_s == pytest.approx(latency, abs=1e-6)


def test_a_million_rows_cost_little_more_than_sorting_them() -> None:
    """A ratio, no time: the same machine, the same process."""
    rows = log(np.sort(np.random.default_rng(1).uniform(100, 110, 1_000_000)).tolist())
    sorting, describing = (
        _lasts(lambda: np.sort(rows, axis=0)),
        _lasts(lambda: describe("x", "guest", rows, STRETCHES, EDGES)),
    )
    assert describing < 20 * sorting


def _lasts(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


@pytest.mark.parametrize(
    ("before", "after", "grace_s", "silent"),
    [(0.01, None, 0.5, True), (0.01, 2.0, 0.5, False), (0.01, None, 2.45, False), (1.0, None, 0.5, False)],
)
def test_a_service_that_does_nothing_any_more_is_told_where_it_had_time_for_ten_operations(
    before: float, after: float | None, grace_s: float, silent: bool
) -> None:
    ends = every(before, 100, 107) + (every(after, 107.5, 110) if after else [])
    said = fell_silent(describe("iometer", "guest", log(ends), STRETCHES, EDGES), grace_s)
    assert (said is not None) == silent
    assert (
        said is None or said == "it completed nothing in the 2.5 s after the migration, and 100 operations/s before it"
    )

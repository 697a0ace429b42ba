"""The fluid guest against guests that really write pages, one by one, drawn from the same laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guest_agent.memory.hashing import mix
from guest_agent.workloads import build, pace, size_in_pages
from testbed.core.errors import ScenarioError
from testbed.core.rounds import Throttle
from testbed.core.units import PAGE_SIZE
from testbed.model.closed_forms import distinct
from testbed.model.guest import FluidGuest

PAGES = 20_000
RAM = (PAGES + 1) * PAGE_SIZE
RATE = PAGES * PAGE_SIZE / 10.0
"""A sweep takes ten seconds."""


def workload(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, "working_set": None, "write_rate": RATE, **parameters}


LAWS = [
    workload("sequential"),
    workload("uniform"),
    workload("uniform", working_set=5000 * PAGE_SIZE),
    workload("hot-cold", hot_share=0.1, hot_rate_share=0.9),
    workload("zipf", exponent=1.0),
    workload("zipf", exponent=0.6),
    workload("zipf", exponent=1.4),
]
PHASED = {
    "name": "phases",
    "phases": [
        {**workload("uniform", working_set=8000 * PAGE_SIZE), "duration": 3.0},
        {"name": "idle", "duration": 2.0},
        {**workload("uniform", working_set=15000 * PAGE_SIZE), "duration": 4.0},
    ],
}


def counted(spec: dict[str, Any], begin: float, seconds: float) -> int:
    """Bytes that the real workload dirties between two times, by counting pages; page 0 included."""
    guest = build(spec)
    times, operation = 0.0, 0
    dirty = np.zeros(PAGES, bool)
    while times < begin + seconds:
        rate, changes = pace(guest, operation)
        until = begin if times < begin else begin + seconds
        count = max(1, min(round((until - times) * rate), (changes or 10**12) - operation))
        if times >= begin - 1e-9:
            numbers = np.arange(operation, operation + count, dtype=np.uint64)
            pages = guest.pages(numbers, mix(numbers, 5), size_in_pages(guest, PAGES))
            dirty[pages[pages < PAGES].astype(np.int64)] = True
        operation, times = operation + count, times + count / rate
    return int(dirty.sum() + 1) * PAGE_SIZE


@pytest.mark.parametrize("spec", LAWS, ids=lambda s: "-".join(str(v) for v in s.values()))
@pytest.mark.parametrize("seconds", [0.1, 1.0, 5.0, 25.0])
def test_it_dirties_what_a_real_guest_does(spec: dict[str, Any], seconds: float) -> None:
    fluid = FluidGuest(spec, RAM)
    fluid.run(seconds)
    # A few hundred draws scatter by themselves: three deviations of a count, or 2 %.
    real = counted(spec, 0.0, seconds)
    assert fluid.collect() == pytest.approx(real, rel=0.02, abs=3 * (real * PAGE_SIZE) ** 0.5)


@pytest.mark.parametrize(("begin", "seconds"), [(0.0, 2.0), (0.0, 8.0), (2.0, 3.0), (4.0, 6.0), (0.0, 40.0)])
def test_phases_carry_on_from_round_to_round(begin: float, seconds: float) -> None:
    fluid = FluidGuest(PHASED, RAM)
    fluid.run(begin)
    fluid.collect()
    fluid.run(seconds)
    assert fluid.collect() == pytest.approx(counted(PHASED, begin, seconds), rel=0.03)


def test_uniform_is_exact_to_the_page() -> None:
    fluid = FluidGuest(workload("uniform", working_set=100 * PAGE_SIZE, write_rate=50 * PAGE_SIZE), RAM)
    fluid.run(1.0)
    assert fluid.collect() == (round(100 * (1 - 0.99**50)) + 1) * PAGE_SIZE
    assert distinct(100 * PAGE_SIZE, 50 * PAGE_SIZE) == pytest.approx(100 * (1 - 0.99**50) * PAGE_SIZE)


def test_idle_touches_its_own_page_alone() -> None:
    fluid = FluidGuest({"name": "idle"}, RAM)
    assert fluid.collect() == 0, "before it has run"
    fluid.run(5.0)
    assert fluid.collect() == PAGE_SIZE
    assert fluid.collect() == 0, "what was collected is clean"


def test_a_full_memory_is_not_overfull() -> None:
    fluid = FluidGuest(workload("sequential"), RAM)
    fluid.run(1000.0)
    assert fluid.collect() == RAM


@given(st.sampled_from([*LAWS, PHASED]), st.lists(st.floats(0.001, 3), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_time_may_be_cut_in_any_way(spec: dict[str, Any], parts: list[float]) -> None:
    whole, cut = FluidGuest(spec, RAM), FluidGuest(spec, RAM)
    whole.run(sum(parts))
    for part in parts:
        cut.run(part)
    assert cut.operations == pytest.approx(whole.operations)
    assert cut.collect() == pytest.approx(whole.collect(), abs=2 * PAGE_SIZE)


@given(
    st.sampled_from([*LAWS, PHASED]), st.floats(0.01, 2.0), st.sampled_from(["sdps", "dirty_limit"]), st.floats(0.05, 9)
)
@settings(max_examples=60, deadline=None)
def test_a_cap_holds_the_dirty_rate(spec: dict[str, Any], share: float, kind: str, seconds: float) -> None:
    cap = share * RATE
    held, free = FluidGuest(spec, RAM), FluidGuest(spec, RAM)
    held.run(seconds, Throttle(kind=kind, dirty_rate=cap))
    free.run(seconds)
    dirty = held.collect()
    assert dirty <= cap * seconds + 3 * PAGE_SIZE
    assert dirty <= free.collect() + PAGE_SIZE
    assert held.operations <= held.wanted * (1 + 1e-9) or spec is PHASED


def test_a_cap_is_reached_where_the_guest_would_exceed_it() -> None:
    fluid = FluidGuest(workload("uniform"), RAM)
    fluid.run(2.0, Throttle(kind="sdps", dirty_rate=RATE / 3))
    assert fluid.collect() == pytest.approx(2.0 * RATE / 3, rel=0.001)


def test_a_cap_lets_rewrites_pass_and_a_share_of_cpu_does_not() -> None:
    """The claim for SDPS: a guest that only rewrites hot pages within a round is hardly slowed."""
    hot = workload("uniform", working_set=100 * PAGE_SIZE)
    capped, slowed = FluidGuest(hot, RAM), FluidGuest(hot, RAM)
    capped.run(5.0, Throttle(kind="sdps", dirty_rate=RATE / 10))
    slowed.run(5.0, Throttle(kind="auto_converge", level=0.9))
    assert capped.operations > 0.9 * capped.wanted
    assert slowed.operations == pytest.approx(0.1 * slowed.wanted)


def test_less_cpu_is_less_writes_for_the_same_law() -> None:
    slowed, other = FluidGuest(workload("uniform"), RAM), FluidGuest(workload("uniform", write_rate=RATE * 0.7), RAM)
    slowed.run(4.0, Throttle(kind="auto_converge", level=0.3))
    other.run(4.0)
    assert slowed.collect() == pytest.approx(other.collect(), abs=PAGE_SIZE)


def test_a_cap_of_nothing_stops_first_writes() -> None:
    fluid = FluidGuest(workload("uniform"), RAM)
    fluid.run(1.0, Throttle(kind="sdps", dirty_rate=0.0))
    assert fluid.collect() <= 2 * PAGE_SIZE


@pytest.mark.parametrize("pages", [1, 2, 3])
@pytest.mark.parametrize("name", ["sequential", "uniform", "hot-cold", "zipf"])
def test_a_working_set_of_a_few_pages(name: str, pages: int) -> None:
    extra = {"hot-cold": {"hot_share": 0.5, "hot_rate_share": 0.9}, "zipf": {"exponent": 1.0}}.get(name, {})
    fluid = FluidGuest(workload(name, working_set=pages * PAGE_SIZE, **extra), RAM)
    fluid.run(1.0)
    assert fluid.collect() == (pages + 1) * PAGE_SIZE
    fluid.run(1.0, Throttle(kind="sdps", dirty_rate=1e6))
    assert fluid.collect() == (pages + 1) * PAGE_SIZE


def test_a_workload_without_a_model_is_refused() -> None:
    with pytest.raises(ScenarioError, match="no model of the workload 'mine'"):
        FluidGuest(workload("mine"), RAM)


# ---- What an early look leaves ---------------------------------------------------------------------------------------


def test_what_was_not_sent_joins_what_was_dirtied_and_is_counted_once() -> None:
    """Drawn: of a working set that is all of memory, half is sent; then as many writes as pages, uniformly."""
    fluid = FluidGuest(workload("uniform"), RAM)
    fluid.run(10.0)
    fluid.collect()
    fluid.run(10.0)
    taken = fluid.collect()  # 1 - 1/e of the pages, anywhere
    fluid.run(10.0)
    both = fluid.collect(unsent=taken // 2)
    chance = np.random.default_rng(7)
    first = np.zeros(PAGES, bool)
    first[chance.integers(0, PAGES, PAGES)] = True
    left = np.flatnonzero(first)[: taken // 2 // PAGE_SIZE]
    again = np.zeros(PAGES, bool)
    again[left] = True
    again[chance.integers(0, PAGES, PAGES)] = True
    assert both == pytest.approx(again.sum() * PAGE_SIZE, rel=0.02)


def test_the_full_copy_leaves_what_lies_last_which_the_guest_does_not_write() -> None:
    fluid = FluidGuest(workload("uniform", working_set=5000 * PAGE_SIZE), RAM)
    fluid.run(100.0)
    unsent = 10_000 * PAGE_SIZE
    written = 5000 * PAGE_SIZE
    assert fluid.collect(unsent) == pytest.approx(unsent + written, rel=1e-3)
    assert fluid.collect(unsent) == pytest.approx(unsent, rel=1e-3), "and is still left if nothing was sent"
    assert fluid.collect() == 0


@given(
    st.sampled_from(["uniform", "sequential"]),
    st.lists(st.tuples(st.floats(0.01, 5), st.floats(0, 1)), min_size=1, max_size=8),
)
def test_together_they_are_never_less_than_either_nor_more_than_both(
    name: str, rounds: list[tuple[float, float]]
) -> None:
    looked, whole = FluidGuest(workload(name), RAM), FluidGuest(workload(name), RAM)
    pending = RAM
    for seconds, share in rounds:
        unsent = int(pending * share) // PAGE_SIZE * PAGE_SIZE
        looked.run(seconds)
        whole.run(seconds)
        pending, dirtied = looked.collect(unsent), whole.collect()
        assert max(unsent, dirtied) - 3 * PAGE_SIZE <= pending <= min(RAM, unsent + dirtied + 3 * PAGE_SIZE)

"""Workloads: pure, within their working set, the distribution they say, and one small file each."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.memory.hashing import NOWHERE, Numbers, below, mix, mix_one, share
from guest_agent.workloads import Workload, build, pace, registry, size_in_pages
from testbed.core.errors import ScenarioError
from testbed.core.parameters import parameters_of
from testbed.core.units import PAGE_SIZE, Dimension

SIMPLE = ["sequential", "uniform", "hot-cold", "zipf"]
PHASES = {
    "name": "phases",
    "phases": [
        {"name": "uniform", "write_rate": 40 * PAGE_SIZE, "duration": 0.5},
        {"name": "idle", "duration": "10ms"},
        {"name": "sequential", "write_rate": 10 * PAGE_SIZE, "working_set": 5 * PAGE_SIZE, "duration": 1.0},
    ],
}


def pages_of(workload: Workload, first: int, count: int, size: int, seed: int = 1) -> Numbers:
    operations = np.arange(first, first + count, dtype=np.uint64)
    return workload.pages(operations, mix(operations, mix_one(seed)), size)


def spec(name: str) -> dict[str, Any]:
    return PHASES if name == "phases" else {"name": name}


def test_all_that_were_promised_are_there() -> None:
    assert list(registry.items()) == ["hot-cold", "idle", "phases", "sequential", "uniform", "zipf"]


@given(
    name=st.sampled_from([*SIMPLE, "phases"]),
    first=st.integers(0, 2**60),
    count=st.integers(1, 300),
    size=st.integers(1, 2**32 - 1),
    seed=st.integers(0, 2**63 - 1),
)
def test_pages_stay_within_the_working_set(name: str, first: int, count: int, size: int, seed: int) -> None:
    pages = pages_of(build(spec(name)), first, count, size, seed)
    assert pages.shape == (count,) and pages.dtype == np.uint64
    assert bool(((pages < size) | (pages == NOWHERE)).all())


@given(
    name=st.sampled_from([*SIMPLE, "phases", "idle"]),
    first=st.integers(0, 2**40),
    counts=st.lists(st.integers(1, 100), min_size=1, max_size=5),
    size=st.integers(1, 10_000),
)
def test_a_page_depends_on_nothing_but_the_operation(name: str, first: int, counts: list[int], size: int) -> None:
    workload, start = build(spec(name)), first
    parts = []
    for count in counts:
        parts.append(pages_of(workload, start, count, size))
        start += count
    assert np.array_equal(np.concatenate(parts), pages_of(workload, first, sum(counts), size))


def test_sequential_writes_every_page_once_before_any_twice() -> None:
    assert pages_of(build({"name": "sequential"}), 70, 100, 100).tolist() == [*range(70, 100), *range(70)]


def test_uniform_writes_each_page_about_equally_often() -> None:
    counts = np.bincount(pages_of(build({"name": "uniform"}), 0, 100_000, 10).astype(int), minlength=10)
    assert counts.min() > 9_500 and counts.max() < 10_500


def test_hot_cold_gives_the_hot_pages_their_share() -> None:
    workload = build({"name": "hot-cold", "hot_share": 0.2, "hot_rate_share": 0.7})
    pages = pages_of(workload, 0, 100_000, 1000)
    assert np.mean(pages < 200) == pytest.approx(0.7, abs=0.01)
    assert len(np.unique(pages)) == 1000


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.2, 2.0])
def test_zipf_follows_its_law(exponent: float) -> None:
    pages = pages_of(build({"name": "zipf", "exponent": exponent}), 0, 400_000, 1000)
    edges = np.arange(1.0, 1002.0)
    law = np.log(edges) if exponent == 1 else (edges ** (1 - exponent) - 1) / (1 - exponent)
    measured = np.cumsum(np.bincount(pages.astype(int), minlength=1000)) / len(pages)
    assert np.abs(measured - law[1:] / law[-1]).max() < 0.005


def test_phases_change_over_at_a_counted_operation() -> None:
    workload = build(PHASES)
    assert [pace(workload, n) for n in (0, 19, 20, 29, 30, 39, 40)] == [
        (40.0, 20), (40.0, 20), (1000.0, 30), (1000.0, 30), (10.0, 40), (10.0, 40), (40.0, 60),
    ]  # fmt: skip
    pages = pages_of(workload, 0, 40, 100)
    assert bool((pages[20:30] == NOWHERE).all()) and pages[30:].tolist() == [0, 1, 2, 3, 4] * 2


def test_phases_have_the_mean_rate_and_the_largest_working_set() -> None:
    workload = build(PHASES)
    assert workload.write_rate == pytest.approx(30 * PAGE_SIZE / 1.51)
    assert workload.working_set is None
    assert build({"name": "phases", "phases": PHASES["phases"][1:]}).working_set == 5 * PAGE_SIZE


def test_idle_beats_and_writes_no_page() -> None:
    workload = build({"name": "idle"})
    assert pace(workload, 0) == (1000.0, None) and bool((pages_of(workload, 0, 9, 9) == NOWHERE).all())


def test_quantities_are_read_with_their_units() -> None:
    workload = build({"name": "uniform", "working-set": "64MiB", "write_rate": "14.1Gbit"})
    assert (workload.working_set, workload.write_rate) == (64 << 20, 14.1e9 / 8)
    assert isinstance(workload.working_set, int)


def test_what_parameters_count_is_read_off_their_types() -> None:
    assert {name: each.dimension for name, each in parameters_of(registry.get("hot-cold")).items()} == {
        "working_set": Dimension.SIZE,
        "write_rate": Dimension.BYTE_RATE,
        "hot_share": Dimension.NUMBER,
        "hot_rate_share": Dimension.NUMBER,
    }


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "unifrom"}, "did you mean 'uniform'"),
        ({}, "no workload is called ''"),
        ({"name": "uniform", "write_rat": 1}, "did you mean 'write_rate'"),
        ({"name": "idle", "write_rate": 1}, "workload 'idle' has no parameter 'write_rate'; there are: none"),
        ({"name": "uniform", "write_rate": 0}, "write_rate must be above 0"),
        ({"name": "uniform", "write_rate": "fast"}, "write_rate: expected a rate"),
        ({"name": "uniform", "working_set": "3bananas"}, "working_set: expected a size"),
        ({"name": "hot-cold", "hot_share": 1.5}, "hot_share must lie between 0 and 1"),
        ({"name": "hot-cold", "hot_share": "much"}, "workload 'hot-cold'"),
        ({"name": "zipf", "exponent": 0}, "exponent must lie between"),
        ({"name": "phases"}, "at least one workload"),
        ({"name": "phases", "phases": [{"name": "uniform"}]}, "expected a time"),
        ({"name": "phases", "phases": [{"name": "uniform", "duration": 0}]}, "duration"),
        ({"name": "phases", "phases": [{"name": "nothing", "duration": 1}]}, "no workload is called 'nothing'"),
        ({"name": "phases", "phases": [PHASES]}, "cannot stand inside phases"),
        ({"name": "phases", "phases": ["uniform"]}, "each phase"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError, match=says) as caught:
        build(wrong)
    assert "\n" not in str(caught.value)


def test_a_working_set_is_whole_pages_and_at_least_one() -> None:
    sizes = [size_in_pages(build({"name": "uniform", "working_set": size}), 100) for size in (1, 8191, 8192, 10**9)]
    assert sizes == [1, 1, 2, 100] and size_in_pages(build({"name": "uniform"}), 7) == 7


def test_one_workload_costs_less_than_twenty_lines() -> None:
    for name in ("uniform", "sequential"):
        assert len(inspect.getsource(registry.get(name)).splitlines()) < 20


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_hash_of_one_number_is_that_of_an_array(number: int, start: int) -> None:
    assert int(mix(np.array([number], np.uint64), start)[0]) == mix_one(number, start)


def test_the_hash_is_splitmix64() -> None:
    # The first outputs of splitmix64.c from state 0.
    assert [mix_one(n) for n in range(3)] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_draws_use_the_upper_half_alone() -> None:
    random = np.array([0, 2**32 - 1, 2**63, 2**64 - 1], np.uint64)
    assert below(random, 10).tolist() == [0, 0, 5, 9]
    assert share(random, 0.5).tolist() == [True, True, False, False]
    assert share(random, 1.0).all() and not share(random, 0.0).any()

"""The laws against the tables of shared knowledge: each number here was published or derived before this code."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.units import PAGE_SIZE
from testbed.model import closed_forms as law

MB = 1e6


@pytest.mark.parametrize(
    ("rho", "sets"),
    [(0.1, 1.10), (0.25, 1.29), (0.5, 1.74), (0.7, 2.36), (0.8, 2.90), (0.9, 3.91), (0.95, 4.99), (1.0, 9.42)],
)
def test_what_a_finite_working_set_costs(rho: float, sets: float) -> None:
    assert law.resent(rho) == pytest.approx(sets, abs=0.006)


def test_at_rho_one_it_takes_197_rounds_to_a_hundredth() -> None:
    assert law.resent(1.0, most=197) == pytest.approx(law.resent(1.0), abs=0.011)
    assert law.resent(1.0, most=190) < law.resent(1.0)


@pytest.mark.parametrize(
    ("rho", "share"), [(1.05, 0.094), (1.1, 0.176), (1.25, 0.371), (1.5, 0.583), (2, 0.797), (3, 0.940)]
)
def test_the_plateau(rho: float, share: float) -> None:
    assert law.plateau(rho) == pytest.approx(share, abs=0.0006)


@given(st.floats(1.0001, 500))
def test_the_plateau_stays_where_it_is(rho: float) -> None:
    x = law.plateau(rho)
    assert 0 < x <= 1
    assert -math.expm1(-rho * x) == pytest.approx(x, abs=1e-9)


@given(st.floats(0, 1))
def test_below_one_there_is_none(rho: float) -> None:
    assert law.plateau(rho) == 0


def test_opvizor() -> None:
    memory, goodput, writes = 2048 * MB, 128 * MB, 32 * MB
    assert law.total_time(memory, goodput, writes) == pytest.approx(21.333, abs=0.001)
    assert law.rounds(memory, goodput, writes, goal=0.1) == 4
    assert law.downtime(memory, goodput, writes, goal=0.1) == pytest.approx(0.0625)
    assert law.rounds(memory, goodput, writes, goal=0.5) == 3, "the half second of vMotion stops one pass earlier"
    assert law.downtime(memory, goodput, writes, goal=0.5) == pytest.approx(0.25)


@pytest.mark.parametrize("rho", [1.0, 1.5])
def test_what_never_ends_has_no_time(rho: float) -> None:
    assert law.total_time(1e9, 1e6, rho * 1e6) is None
    assert law.rounds(1e9, 1e6, rho * 1e6, 0.5) is None
    assert law.downtime(1e9, 1e6, rho * 1e6, 0.5) is None


def test_a_guest_so_small_that_one_round_is_enough() -> None:
    assert law.rounds(1e6, 1e9, 2e9, goal=1) == 1


def test_uniform_writes_over_opvizors_memory_do_not_give_its_table() -> None:
    assert law.distinct(2048 * MB, 512 * MB) == pytest.approx(453 * MB, rel=0.001)


@given(st.integers(1, 10**7), st.floats(0, 100))
def test_distinct_bytes_lie_between_none_and_all(pages: int, sweeps: float) -> None:
    size = pages * PAGE_SIZE
    dirty = law.distinct(size, sweeps * size)
    assert 0 <= dirty <= size
    assert dirty <= sweeps * size * (1 + 1e-9)

"""How much later bytes are through where TCP begins with few of them and doubles: by the formula, and step by step."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.model.link import first_window, slow_start_s
from tests.unit.plans import IDLE, plan

FIRST = 14480.0
LINKS = {"goodput": st.floats(1e5, 1e10), "rtt_s": st.floats(1e-5, 1.0)}


def doubled(size: float, goodput: float, rtt_s: float) -> float:
    """Seconds until all is sent: a window a round trip, twice as large each time, until the link is full."""
    window, at, left = FIRST, 0.0, size
    while window < goodput * rtt_s and left > window:
        at, left, window = at + rtt_s, left - window, window * 2
    return at + (left / goodput if window >= goodput * rtt_s else rtt_s * left / window)


@given(size=st.floats(1e3, 1e12), **LINKS)
def test_it_is_what_doubling_takes_to_a_third_of_a_round_trip(size: float, goodput: float, rtt_s: float) -> None:
    late = slow_start_s(size, goodput, rtt_s, FIRST)
    assert late == pytest.approx(doubled(size, goodput, rtt_s) - size / goodput, abs=rtt_s / 3)


@given(**LINKS)
def test_a_link_that_holds_no_more_than_the_first_window_makes_nothing_late(goodput: float, rtt_s: float) -> None:
    assert slow_start_s(1e9, goodput, rtt_s, goodput * rtt_s) == slow_start_s(1e9, goodput, 0.0, FIRST) == 0.0


@given(size=st.floats(1e3, 1e12), more=st.floats(1, 4), **LINKS)
def test_it_is_never_less_than_nothing_and_more_with_a_longer_round_trip(
    size: float, more: float, goodput: float, rtt_s: float
) -> None:
    late = slow_start_s(size, goodput, rtt_s, FIRST)
    assert -1e-9 * size / goodput <= late <= slow_start_s(size, goodput, rtt_s * more, FIRST) * (1 + 1e-9) + 1e-9


def test_a_round_trip_of_a_tenth_of_a_second_at_100_mbit_is_half_a_second_late() -> None:
    """As a real stream was, at 50 ms each way: its window was 10 segments, 40 after 0.24 s, 160, 688."""
    assert slow_start_s(32e6, 12.5e6, 0.1, FIRST) == pytest.approx(0.544, abs=0.001)


def test_each_stream_begins_with_ten_segments() -> None:
    asked = plan(1, IDLE)
    assert first_window(asked) == 10 * (asked.network.vmotion.mtu - 52)
    assert first_window(replace(asked, migration=replace(asked.migration, streams=4))) == 4 * first_window(asked)

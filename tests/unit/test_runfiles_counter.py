"""What a counter's samples tell of the time between them, against every way in which it may have gone there."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.runfiles.counter import GAP_S, SampledCounter

GAPS = st.lists(st.floats(0.15, 2.0), min_size=1, max_size=8)


def counter(*samples: tuple[float, float]) -> SampledCounter:
    times, counts = np.array(samples, dtype=np.float64).T
    return SampledCounter(times, counts)


def test_in_a_gap_all_may_have_come_at_its_begin_or_at_its_end() -> None:
    seen = counter((1.0, 10), (2.0, 50))
    assert (seen.least(1.5), seen.at(1.5), seen.most(1.5)) == (10, 30, 50)
    assert seen.gained(1.2, 1.8) == (0, 40)
    assert seen.gained(0.9, 2.1) == (40, inf)


def test_without_a_gap_it_is_taken_to_go_on_evenly() -> None:
    seen = counter((1.0, 10), (1.0 + GAP_S / 2, 50))
    assert seen.least(1.0 + GAP_S / 4) == seen.most(1.0 + GAP_S / 4) == pytest.approx(30)


def test_nothing_is_known_after_its_last_sample_and_little_before_its_first() -> None:
    seen = counter((1.0, 10), (1.05, 50))
    assert (seen.least(0.5), seen.most(0.5)) == (0, 10)
    assert (seen.least(9.0), seen.most(9.0)) == (50, inf)


def test_what_lies_between_two_samples_is_open_however_near_they_are() -> None:
    seen = counter((1.0, 10), (1.0 + GAP_S / 2, 50))
    assert seen.left_open(1.0 + GAP_S / 4) == 40
    assert seen.left_open(0.5) == seen.left_open(9.0) == inf


@given(GAPS, st.data())
def test_no_way_in_which_it_may_have_gone_leaves_its_bounds(gaps: list[float], data: st.DataObject) -> None:
    """The truth rises at moments of its own; samples are read of it."""
    times = np.cumsum(gaps)
    rises = data.draw(st.lists(st.tuples(st.floats(0, float(times[-1])), st.integers(0, 100)), max_size=20))

    def truth(time: float) -> float:
        return float(sum(size for at, size in rises if at <= time))

    seen = SampledCounter(times, np.array([truth(float(each)) for each in times]))
    begin, end = sorted(data.draw(st.tuples(st.floats(0, 20), st.floats(0, 20))))
    if len(times) > 1:
        least, most = seen.gained(begin, end)
        assert least <= truth(end) - truth(begin) <= most


@pytest.mark.parametrize("rows", [[], [(1.0, {"count": 3})], [(1.0, {"count": 3}), (2.0, {"count": None}), (3.0, {})]])
def test_of_fewer_than_two_samples_there_is_none(rows: list[tuple[float, dict[str, object]]]) -> None:
    assert SampledCounter.read(rows, "count") is None

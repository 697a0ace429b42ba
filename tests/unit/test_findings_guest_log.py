"""The guest's own log: both hosts' are one, and what it says between two instants is exact."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.findings.guest_log import GuestLog
from testbed.findings.marks import Marks
from tests.unit.evidence import PAYLOAD, a_mark, the_log, the_marks

EMPTY = GuestLog(np.empty(0), np.empty(0, np.int64))


def test_both_hosts_logs_are_one() -> None:
    source = np.array([1.0, 2.0, 3.0]), np.array([10, 20, 30])
    destination = np.array([3.5, 4.0]), np.array([31, 40])
    log = GuestLog.joined(destination, source)
    assert log.times.tolist() == [1.0, 2.0, 3.0, 3.5, 4.0]
    assert log.operations.tolist() == [10, 20, 30, 31, 40]


@pytest.mark.parametrize(
    ("begin", "end", "rate"),
    [
        (100.0, 102.0, 1000.0),
        (106.5, 108.5, 500.0),
        (106.0, 107.0, 750.0),
        (109.0, 109.25, 100 / 0.25),
        (109.01, 109.26, None),
        (200.0, 300.0, None),
        (102.0, 100.0, None),
    ],
)
def test_a_rate_is_between_the_first_and_the_last_entry(begin: float, end: float, rate: float | None) -> None:
    assert the_log().rate(begin, end) == rate


def test_entries_of_one_instant_have_no_rate() -> None:
    assert GuestLog(np.array([1.0, 1.0]), np.array([1, 2])).rate(0.0, 2.0) is None


@pytest.mark.parametrize(
    ("begin", "end", "gap_s"), [(100.0, 111.0, 0.25), (100.0, 109.0, 0.125), (109.1, 109.3, None), (0.0, 1.0, None)]
)
def test_the_longest_gap_is_between_two_entries(begin: float, end: float, gap_s: float | None) -> None:
    assert the_log().longest_gap(begin, end) == gap_s


def test_the_gap_around_a_switchover_begins_where_it_does() -> None:
    log = the_log()
    assert (log.gap_around(109.0, 109.109375), log.gap_begin_around(109.0, 109.109375)) == (0.25, 109.0)
    assert (log.gap_around(104.0, 104.0), log.gap_begin_around(104.0, 104.0)) == (0.125, 103.0)


def test_a_gap_that_is_farther_off_is_not_the_switchovers() -> None:
    log = GuestLog(np.array([0.0, 5.0, 5.5, 6.0, 6.25]), np.arange(5))
    assert (log.gap_around(6.0, 6.0), log.gap_begin_around(6.0, 6.0)) == (0.5, 5.0)


def test_nothing_logged_says_nothing() -> None:
    assert EMPTY.rate(0, 1) is EMPTY.longest_gap(0, 1) is EMPTY.gap_begin_around(0, 1) is None


@given(
    times=st.lists(st.integers(0, 10_000), max_size=50),
    begin=st.integers(0, 10_000),
    length=st.integers(0, 10_000),
    cut=st.integers(0, 50),
)
def test_whatever_is_logged_wherever(times: list[int], begin: int, length: int, cut: int) -> None:
    parts = (
        (np.array(times[:cut], np.float64), np.arange(len(times[:cut]))),
        (
            np.array(times[cut:], np.float64),
            np.arange(len(times[cut:])),
        ),
    )
    log = GuestLog.joined(*parts)
    inside = sorted(at for at in times if begin <= at <= begin + length)
    gaps = [after - before for before, after in itertools.pairwise(inside)]
    assert log.longest_gap(begin, begin + length) == (max(gaps) if gaps else None)


def test_marks_are_in_the_order_of_time_and_count_between_themselves() -> None:
    marks = the_marks(more_payload=5)
    assert marks.edges == (100.0, 102.0, 110.0, 111.0) and marks.window == (102.0, 110.0)
    assert (marks.link.payload, marks.link.sent_packets) == (PAYLOAD + 5, 1000)


def test_marks_before_anything_was_sent_count_nothing() -> None:
    marks = Marks(running=a_mark(1), migrate=a_mark(2), ended=a_mark(3), cooled=a_mark(4))
    assert (marks.link.sent_bytes, marks.link.payload) == (0, 0)

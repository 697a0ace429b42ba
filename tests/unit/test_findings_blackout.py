"""The client's blackout is the longest time between two answers, and its parts are all of it, in order."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guest_agent.ring import Rows
from testbed.findings.blackout import blackout

ASKED, STEP = 100.0, 100.02
WHEN = st.floats(min_value=98.5, max_value=102.0)


def log(*answers: tuple[float, float]) -> Rows:
    """Requests and their answers, in seconds."""
    rows = [[round(sent * 1e9), round(came * 1e9), number, 0] for number, (sent, came) in enumerate(answers)]
    return np.array(rows, np.uint64).reshape(-1, 4)


def steady(begin: float, end: float, latency: float = 0.0002) -> list[tuple[float, float]]:
    return [(at - latency, at) for at in np.arange(begin, end, 0.0015).tolist()]


def test_it_is_longer_than_the_downtime_by_what_lies_before_and_after() -> None:
    gap, record = blackout(log(*steady(99, 99.9995), (100.021, 100.0213), *steady(100.0228, 101)), ASKED, STEP)
    assert gap is not None and record is not None
    assert list(record.parts) == ["last_answer", "downtime", "next_request", "next_answer"]
    assert record.parts["downtime"] == pytest.approx(0.02)
    assert record.parts["next_request"] == pytest.approx(0.001, abs=1e-6)
    assert record.parts["next_answer"] == pytest.approx(0.0003, abs=1e-6)
    assert record.begin_s == pytest.approx(-record.parts["last_answer"])
    assert record.median_interval_s == pytest.approx(0.0015, abs=1e-6) and record.answers > 1000


EIGHTH = 0.125
BEFORE = [(at - EIGHTH / 2, at) for at in np.arange(99.0, 100.0, EIGHTH).tolist()]
"""Answers of 62.5 ms, every 125 ms, the last one at 99.875."""


@pytest.mark.parametrize(
    ("after", "gap_s", "parts"),
    [
        ([(100.5, 101.0)], 1.125, {"last_answer": 0.125, "downtime": 0.25, "next_request": 0.25, "next_answer": 0.5}),
        ([(100.25, 100.5)], 0.625, {"last_answer": 0.125, "downtime": 0.25, "next_request": 0, "next_answer": 0.25}),
        ([(99.875, 100.5)], 0.625, {"last_answer": 0.125, "downtime": 0.25, "next_request": 0, "next_answer": 0.25}),
        ([(100.25, 100.25)], 0.375, {"last_answer": 0.125, "downtime": 0.25, "next_request": 0, "next_answer": 0}),
        (
            [(99.9375, 100.125), (100.5, 100.625)],
            0.5,
            {"last_answer": 0, "downtime": 0.125, "next_request": 0.25, "next_answer": 0.125},
        ),
        ([(99.9375, 100.25), (100.5, 101.0)], 0.75, {"after_switchover": 0.75}),
    ],
)
def test_its_parts_are_exact(after: list[tuple[float, float]], gap_s: float, parts: dict[str, float]) -> None:
    found_s, record = blackout(log(*BEFORE, *after), 100.0, 100.25)
    assert (found_s, record and record.parts) == (gap_s, parts)


@pytest.mark.parametrize(
    ("answers", "inside", "median_s"),
    [
        ([*BEFORE, (100.5, 101.0)], 9, 0.125),
        ([(98.0, 98.5), (101.5, 102.0)], 0, 3.5),
        ([(98.0, 98.5), (100.5, 101.0), (101.75, 102.0)], 1, 2.5),
        ([(98.0, 98.5), (99.5, 100.0), (100.5, 101.0)], 2, 1.0),
        ([(98.0, 99.0), (100.5, 101.25)], 2, 2.5),
    ],
)
def test_how_dense_its_answers_are(answers: list[tuple[float, float]], inside: int, median_s: float) -> None:
    _, record = blackout(log(*answers), 100.0, 100.25)
    assert record is not None and (record.answers, record.median_interval_s) == (inside, median_s)


@pytest.mark.parametrize(
    ("answered", "gap_s"),
    [((99.25, 100.5, 100.75), 1.25), ((90.0, 98.5, 100.5), 2.0), ((98.5, 100.5, 102.0, 110.0), 2.0)],
)
def test_it_is_looked_for_from_the_last_answer_before_to_the_first_after(
    answered: tuple[float, ...], gap_s: float
) -> None:
    assert blackout(log(*((at, at) for at in answered)), 100.0, 100.25)[0] == gap_s


def test_an_answer_that_left_after_the_pause_was_asked_for_makes_it_shorter_than_the_downtime() -> None:
    gap, record = blackout(log(*steady(99, 100.004), *steady(STEP + 0.0001, 101, latency=0.01)), ASKED, STEP)
    assert gap is not None and record is not None and gap < 0.02
    assert record.parts["last_answer"] == 0 and record.begin_s > 0
    assert record.parts["next_request"] == 0, "it had been asked before the first step"


def test_one_that_lies_elsewhere_in_the_window_has_no_part_of_the_downtime() -> None:
    quick = [*steady(99, 100.2), *steady(100.5, 101)]
    gap, record = blackout(log(*quick), ASKED, STEP)
    assert gap == pytest.approx(0.3, abs=0.01) and record is not None
    assert record.parts == {"after_switchover": gap}
    slow = [*steady(99, 99.3), *steady(99.8, 101)]
    gap, record = blackout(log(*slow), ASKED, STEP)
    assert record is not None and record.parts == {"before_switchover": gap}


def test_it_may_be_longer_than_the_window() -> None:
    gap, record = blackout(log(*steady(90, 98), *steady(105, 106)), ASKED, STEP)
    assert gap == pytest.approx(7, abs=0.01) and record is not None and record.answers == 0


@pytest.mark.parametrize("answers", [[], steady(99, 100), steady(100.1, 101), [(100, 100.01)]])
def test_without_an_answer_on_both_sides_nobody_saw_it(answers: list[tuple[float, float]]) -> None:
    assert blackout(log(*answers), ASKED, STEP) == (None, None)


def test_a_clock_that_says_an_answer_came_before_its_request_breaks_nothing() -> None:
    gap, record = blackout(log((99.9, 99.9), (100.05, 100.049), (100.06, 100.06)), ASKED, STEP)
    assert record is not None and sum(record.parts.values()) == pytest.approx(gap)
    assert min(record.parts.values()) >= 0


@given(answers=st.lists(st.tuples(WHEN, st.floats(min_value=-1e-5, max_value=0.5)), min_size=1, max_size=60))
def test_its_parts_add_up_and_are_never_negative(answers: list[tuple[float, float]]) -> None:
    rows = log(*((sent, sent + latency) for sent, latency in answers))
    gap, record = blackout(rows, ASKED, STEP)
    if gap is None or record is None:
        return
    ends = sorted((rows[:, 1] / 1e9).tolist())
    assert min(record.parts.values()) >= 0
    assert sum(record.parts.values()) == pytest.approx(gap, abs=1e-9)
    near = [b - a for a, b in itertools.pairwise(ends) if b > ASKED - 1 and a < STEP + 1]
    assert gap == pytest.approx(max(near, default=0.0), abs=1e-6)

"""Waiting: what lies in a pipe is read before anybody is judged, and time in which one was stopped oneself is not held
against the other side.
"""

import itertools
import os
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.linux.processes.lines import Lines
from testbed.linux.processes.waiting import SLICE_S, Patience, readable


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


class Clock:
    """Shows what a test sets it to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.floats(0, 1e6), max_size=50))
def test_time_that_ran_away_between_two_looks_counts_as_two_slices_at_most(steps: list[float]) -> None:
    clock = Clock()
    patience = Patience(20.0, clock)
    for looks, step in enumerate(steps, 1):
        clock.now += step
        assert not patience.over() or looks * 2 * SLICE_S > 20.0


def test_who_is_silent_while_one_listens_is_found_out() -> None:
    clock = Clock()
    patience = Patience(20.0, clock)
    looks = 0
    while not patience.over():
        clock.now += SLICE_S
        looks += 1
    assert looks == pytest.approx(20.0 / SLICE_S, abs=2)
    patience.anew()
    assert not patience.over()
    patience.anew(0.1)
    clock.now += SLICE_S
    assert patience.over()


def test_what_is_there_is_read_though_the_time_was_over_before_it_was_looked_at(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after SIGCONT: the first select has slept its time away and says nothing."""
    os.write(pipe[1], b"there\n")
    real, calls = select.select, itertools.count()

    def woken_late(*asked: Any) -> Any:
        return ([], [], []) if next(calls) == 0 else real(*asked)

    monkeypatch.setattr(select, "select", woken_late)
    with os.fdopen(os.dup(pipe[0]), "rb") as end:
        assert Lines(end).next(0.0) == b"there\n"


def test_lines_end_with_what_is_left_and_then_with_nothing() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as end:
        lines = Lines(end)
        assert lines.next(0.0) is None
        os.write(writing, b"one\ntwo\nhal")
        os.close(writing)
        assert [lines.next(1) for _ in range(5)] == [b"one\n", b"two\n", b"hal", b"", b""]


def test_progress_is_no_silence(pipe: tuple[int, int]) -> None:
    """Nothing comes for four times as long as is allowed, but the other side gets on; then it does not."""
    seen = itertools.chain(range(5), itertools.repeat(5))
    asked: list[int] = []

    def progress() -> int:
        asked.append(next(seen))
        return asked[-1]

    assert readable([pipe[0]], SLICE_S, progress) == []
    assert asked == [0, 1, 2, 3, 4, 5, 5]


def test_nothing_is_waited_for_that_is_there(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"x")
    assert readable([pipe[0]], 3600.0) == [pipe[0]]


def test_it_waits_until_it_comes(pipe: tuple[int, int]) -> None:
    threading.Timer(2.5 * SLICE_S, os.write, (pipe[1], b"x")).start()
    assert readable([pipe[0]], 3600.0) == [pipe[0]]

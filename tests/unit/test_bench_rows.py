"""A figure of ``bench`` is a median of several, and says between which it lies."""

import pytest

from testbed.bench import rows
from testbed.bench.guest import Slowdown
from testbed.bench.rows import Several


def test_the_median_and_both_ends_are_told() -> None:
    seen = Several((1.4, 1.2, 1.31))
    assert seen.median == 1.31
    assert seen.words("{:.2f}".format) == "1.31 (1.20 to 1.40 in 3)"


def test_it_is_measured_as_often_as_said() -> None:
    asked = iter([3.0, 1.0, 2.0, 9.0])
    assert Several.of(lambda: next(asked), 3).values == (3.0, 1.0, 2.0)


def test_one_that_is_off_does_not_decide_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = iter([0.001, 0.1, 0.002])
    monkeypatch.setattr(rows, "scan_cost", lambda: next(costs))
    row = rows._scan()
    assert row.figure == "2.00 (1.00 to 100.00 in 3) ms" and row.met


def test_a_slowdown_tells_its_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([0.02, 0.09, 0.03])
    made = lambda: Slowdown(share=next(shares), rate=1.0)  # noqa: E731
    monkeypatch.setattr(rows, "slowdown", made)
    row = rows._slowdown()
    assert row.figure == "3.0% (2.0% to 9.0% in 3), rate held: 100.0%" and row.met

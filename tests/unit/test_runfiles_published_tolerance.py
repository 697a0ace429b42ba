"""A claim with a tolerance is met or not: in points for reductions, in shares for figures."""

import pytest

from testbed.core.records.claims import Claim
from testbed.runfiles.published import comparisons
from tests.unit.records import a_migration


@pytest.mark.parametrize(("within", "met"), [(None, None), (0.004, False), (0.005, True)])
def test_a_figure(within: float | None, met: bool | None) -> None:
    (held,) = comparisons([Claim(figure="total_time", published=21.31, source="s", within=within)], [a_migration()])
    assert (held.within, held.met) == (within, met)


@pytest.mark.parametrize(("within", "met"), [(0.02, True), (0.005, False)])
def test_a_reduction(within: float, met: bool) -> None:
    done = [a_migration(settings={"r": 1}, total_time_s=100.0), a_migration(settings={"r": 2}, total_time_s=13.0)]
    claim = Claim(figure="total_time", published=0.88, source="s", over="r", a=1, b=2, within=within)
    (held,) = comparisons([claim], done)
    assert held.reduction == pytest.approx(0.87) and held.met is met


def test_what_was_not_measured_is_neither() -> None:
    claim = Claim(figure="downtime", published=0.1, source="s", within=0.1)
    (held,) = comparisons([claim], [a_migration(downtime_s=None)])
    assert held.measured is held.met is None

"""Measured against predicted: intervals where they are wider than a rounding, and how far a run is off them."""

import pytest

from testbed.core.records.migration import PredictionRecord
from testbed.core.units import in_bytes, in_seconds
from testbed.report.words.foretold import WITHIN, between, foretold, intervals
from tests.unit.records import a_migration, a_prediction


def test_an_interval_has_its_unit_once_where_both_ends_have_the_same() -> None:
    assert between(11.5, 11.94, in_seconds) == "11.5 to 11.9 s"
    assert between(0.95, 1.2, in_seconds) == "950 ms to 1.2 s"
    assert between(27, 30, "{:.0f}".format) == "27 to 30"
    assert between(999e6, 1.1e9, in_bytes) == "999 MB to 1.1 GB"


@pytest.mark.parametrize(
    ("total", "off"), [(21.0, WITHIN), (21.5, WITHIN), (21.9, WITHIN), (20.79, "-1.0%"), (22.338, "+2.0%"), (None, "-")]
)
def test_a_run_lies_within_or_is_as_far_off_as_from_the_nearest_end(total: float | None, off: str) -> None:
    first = foretold(a_migration(predicted=a_prediction(), total_time_s=total))[0]
    assert (first.said, first.off) == ("21.0 to 21.9 s", off)


def test_a_rounding_is_shown_as_the_figure_and_a_round_is_none() -> None:
    assert intervals(a_prediction()) == ["21.0 to 21.9 s", "950 us to 60.0 ms", "6 to 7", "-"]
    sent = foretold(a_migration(predicted=a_prediction()))[-1]
    assert sent.said == "2.7 GB" and sent.off.endswith("%")


def test_a_prediction_of_an_older_run_has_no_intervals() -> None:
    old = PredictionRecord(total_time_s=21.31, downtime_s=None, bytes_sent=10**9, rounds=5)
    assert intervals(old) == ["-"] * 4
    assert [each.said for each in foretold(a_migration(predicted=old))] == ["21.3 s", "-", "5", "1.0 GB"]
    assert foretold(a_migration(predicted=None)) == []

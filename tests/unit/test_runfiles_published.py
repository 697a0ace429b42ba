"""Published claims against measured migrations: scaled to real-world size, the median of repeats, None if not done."""

import pytest

from testbed.core.records.claims import Claim
from testbed.runfiles.published import comparisons
from tests.unit.records import a_migration

SETTINGS = "network.vmotion.rate"
CLAIM = Claim(
    figure="total_time", published=0.88, source="s", where={"vm.ram": "1GiB"}, over=SETTINGS, a="10Gbit", b="40Gbit"
)


def done(rate: str, seconds: float | None, ram: str = "1GiB", outcome: str = "completed") -> object:
    return a_migration(settings={"vm.ram": ram, SETTINGS: rate}, total_time_s=seconds, outcome=outcome)


def test_a_reduction_is_of_medians_of_what_is_meant() -> None:
    migrations = [done("10Gbit", t) for t in (90.0, 100.0, 200.0)]
    migrations += [done("40Gbit", 20.0), done("40Gbit", 1.0, ram="2GiB"), done("40Gbit", 1.0, outcome="aborted")]
    (record,) = comparisons([CLAIM], migrations)  # type: ignore[arg-type]
    assert record.reduction == record.measured == pytest.approx(0.8)
    assert (record.a, record.b, record.published, record.unit) == ("10Gbit", "40Gbit", 0.88, "share")
    assert record.name == "total_time vm.ram=1GiB"


@pytest.mark.parametrize("migrations", [[], [done("10Gbit", 1.0)], [done("10Gbit", None), done("40Gbit", 1.0)]])
def test_what_was_not_measured_is_none(migrations: list[object]) -> None:
    (record,) = comparisons([CLAIM], migrations)  # type: ignore[arg-type]
    assert record.reduction is None and record.measured is None


def test_figures_are_scaled_up_to_real_world_size() -> None:
    small = a_migration(scale={"size": 4.0, "time": 10.0})
    claims = [
        Claim(figure="total_time", published=1, source="s"),
        Claim(figure="downtime", published=1, source="s"),
        Claim(figure="bytes_sent", published=1, source="s"),
        Claim(figure="round_bytes", round=2, published=1, source="s"),
        Claim(figure="round_bytes", round=9, published=1, source="s"),
    ]
    measured = [record.measured for record in comparisons(claims, [small])]
    assert measured == [214.0, pytest.approx(0.7), 2728e6 * 40, 512e6 * 40, 0]
    assert [record.unit for record in comparisons(claims, [])] == ["seconds", "seconds", "bytes", "bytes", "bytes"]

"""A round says its rates, also when it took no time."""

from dataclasses import replace

import pytest

from testbed.core.rounds import Round, RoundKind

ROUND = Round(
    index=2, kind=RoundKind.PRECOPY, started_s=1.0, duration_s=4.0, sent_bytes=512_000_000, dirtied_bytes=128_000_000
)


def test_rates() -> None:
    assert ROUND.bandwidth == 128e6
    assert ROUND.dirty_rate == 32e6
    assert ROUND.dirtied_pages == 31250


def test_the_scan_is_dirtied_in_but_not_sent_in() -> None:
    scanned = replace(ROUND, scan_s=2.0)
    assert scanned.bandwidth == 256e6
    assert scanned.dirty_rate == 32e6


@pytest.mark.parametrize("duration", [0.0, 1.0])
def test_a_round_of_no_time_has_no_rates(duration: float) -> None:
    still = replace(ROUND, duration_s=duration, scan_s=duration, dirtied_bytes=0)
    assert still.bandwidth == 0.0 == still.dirty_rate


def test_it_is_its_own_log_line() -> None:
    assert str(ROUND) == "round 2 (precopy): 512 MB in 4.0 s at 128 MB/s, 128 MB dirtied"

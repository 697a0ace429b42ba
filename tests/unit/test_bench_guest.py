"""The bench's functions work, on little memory; what they measure is for the table and not for a test."""

import pytest

from testbed.bench.guest import peak_rate, scan_cost, slowdown


@pytest.mark.parametrize(
    "tracker",
    [
        pytest.param("uffd-wp", marks=pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")),
        pytest.param("soft-dirty", marks=pytest.mark.needs_kernel("CONFIG_MEM_SOFT_DIRTY")),
        "checksum",
    ],
)
def test_a_scan_takes_time(tracker: str) -> None:
    assert scan_cost(ram_bytes=4 << 20, dirty_share=0.1, scans=3, tracker=tracker) > 0


def test_a_tracked_guest_holds_its_rate() -> None:
    measured = slowdown(rate=5e6, ram_bytes=4 << 20, seconds=0.2, round_s=0.05)
    assert -1 < measured.share < 1 and 0.5 < measured.rate < 1.5


def test_a_peak_is_found() -> None:
    assert peak_rate(ram_bytes=16 << 20, seconds=0.1, round_s=0.01) > 0

"""Guests that share a link: each as it is foreseen at its share, wave after wave."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from testbed.model.waves import GOAL_S, NEVER, FleetGuest, ends

GB = 10**9


def guest(name: str, ram: float = 16, write: float = 0.4) -> FleetGuest:
    return FleetGuest(name=name, ram_bytes=round(ram * GB), write_rate=write * GB)


@example(ram=62.0, rho=0.8984375, share=1.0)  # over ten minutes
@given(ram=st.floats(1, 64), rho=st.floats(0.01, 0.9), share=st.floats(0.5, 5))
def test_one_alone_takes_what_the_series_sums_up_to_and_no_less_than_by_its_goal(
    ram: float, rho: float, share: float
) -> None:
    (seen,) = ends([[guest("a", ram, rho * share)]], link=8 * GB, cap=share * GB).values()
    summed = ram / (share * (1 - rho))
    assert ram / share * 0.999 <= seen <= summed * 1.001
    assert summed - seen <= GOAL_S * rho / (1 - rho) + 0.001 * summed, (
        "what is dirtied after the last round is not sent"
    )


def test_a_wave_waits_for_the_last_of_the_one_before_and_shares_the_link() -> None:
    small, large, later = guest("small", 4), guest("large", 16), guest("later", 4)
    alone = ends([[small]], link=4 * GB, cap=2 * GB)["small"]
    seen = ends([[small, large], [later]], link=4 * GB, cap=2 * GB)
    assert seen["small"] == alone < seen["large"]
    assert seen["later"] == pytest.approx(seen["large"] + alone)
    assert ends([[small, large]], link=2 * GB, cap=2 * GB)["small"] > 1.9 * alone


def test_who_writes_as_much_as_its_share_is_never_over_and_nobody_after_it() -> None:
    seen = ends([[guest("a"), guest("b", write=1)], [guest("c")]], link=2 * GB, cap=2 * GB)
    assert seen["a"] < NEVER and seen["b"] == seen["c"] == NEVER

"""What the tests of real hosts ask of a busy machine: it has more tries."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.netns.undisturbed import TRIES, undisturbed

RATE = "the link delivered 444 Mbit/s instead of 478 Mbit/s"
OTHERS = ("the destination's memory differs from the source's", "the link had a round trip of 9 ms instead of 10 ms")


def counted(tries: list[int], *reasons: str, until: int = TRIES) -> Callable[[int], dict[str, Any]]:
    """Runs that are amiss for these reasons ``until`` so many were made."""

    def make(number: int) -> dict[str, Any]:
        tries.append(number)
        amiss = list(reasons) if number < until else []
        return {"migrations": [{"name": "hello", "valid": not amiss, "invalid_reasons": amiss}]}

    return make


@pytest.mark.parametrize(
    "rate", [RATE, "the guest reached 97.0% of its write rate before the migration", "30 of 100 samples were lost"]
)
def test_a_run_is_made_until_its_rates_hold_and_not_for_ever(rate: str) -> None:
    tries: list[int] = []
    with pytest.warns(UserWarning, match=rate):
        assert undisturbed(counted(tries, rate, until=1))["migrations"][0]["valid"] and tries == [0, 1]
    tries.clear()
    with pytest.warns(UserWarning, match=rate):
        assert not undisturbed(counted(tries, rate))["migrations"][0]["valid"]
    assert len(tries) == TRIES


@pytest.mark.parametrize("reason", OTHERS)
def test_what_is_no_rate_is_not_asked_again(reason: str) -> None:
    tries: list[int] = []
    assert not undisturbed(counted(tries, reason))["migrations"][0]["valid"]
    assert tries == [0]

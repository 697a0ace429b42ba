"""What the tests of real hosts ask of a slow machine: emulated, its rates may fall short; busy, it has more tries."""

import warnings
from typing import Any

import pytest

from tests.netns import slowness

RATE = "the link delivered 444 Mbit/s instead of 478 Mbit/s"
OTHERS = (
    "the destination's memory differs from the source's",
    "the link had a round trip of 9 ms instead of 10 ms",
    "the accounts of bytes do not add up",
)


def migration(*reasons: str) -> dict[str, Any]:
    return {"name": "hello", "valid": not reasons, "invalid_reasons": list(reasons)}


@pytest.mark.parametrize(
    "reason",
    [RATE, "the guest reached 97.0% of its write rate before the migration", "30 of 100 samples were lost"],
)
def test_a_rate_that_falls_short_is_a_warning_where_it_is_emulated(
    monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr("tests.slowness.emulated", lambda: True)
    with warnings.catch_warnings(record=True) as told:  # by the filters of all tests, which make others errors
        slowness.sound(migration(), migration(reason))
    assert [str(each.message) for each in told] == [f"too slow here for rates: {reason}"]
    monkeypatch.setattr("tests.slowness.emulated", lambda: False)
    slowness.sound(migration(), migration())
    with pytest.raises(AssertionError, match=reason):
        slowness.sound(migration(), migration(reason))


@pytest.mark.parametrize("reason", OTHERS)
def test_anything_else_fails_also_beside_a_rate(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.setattr("tests.slowness.emulated", lambda: True)
    with pytest.raises(AssertionError):
        slowness.sound(migration(RATE, reason))


def test_a_record_that_contradicts_itself_fails() -> None:
    for wrong in (migration() | {"valid": False}, migration(RATE) | {"valid": True}):
        with pytest.raises(AssertionError):
            slowness.sound(wrong)


def test_a_run_is_made_until_its_rates_hold_and_not_for_ever() -> None:
    made: list[int] = []

    def second(number: int) -> dict[str, Any]:
        made.append(number)
        return {"migrations": [migration(*[RATE] * (number < 1))]}

    with pytest.warns(UserWarning, match=RATE):
        assert slowness.undisturbed(second)["migrations"][0]["valid"] and made == [0, 1]
    with pytest.warns(UserWarning, match=RATE):
        never = slowness.undisturbed(lambda _: {"migrations": [migration(RATE)]})
    assert not never["migrations"][0]["valid"]

"""A throttle by hand: what is taken of a guest's time is counted as long as it was taken, and not once all is over."""

from typing import Any

import pytest

from testbed.migration import throttling
from testbed.migration.throttling import Throttling


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Still:
    """A guest and a tracker of which nothing is asked but to run."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def pause(self) -> None:
        self.done.append("pause")

    def resume(self) -> None:
        self.done.append("resume")

    def close(self) -> None:
        self.done.append("close")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(throttling, "monotonic", made)
    return made


@pytest.fixture
def hands() -> Throttling:
    quiet: Any = Still()
    return Throttling(quiet, quiet)


def test_what_was_taken_counts_as_long_as_it_was_taken(hands: Throttling, clock: Clock) -> None:
    hands.begin_round()
    clock.now += 6
    assert hands.by_hand(0.9)
    clock.now += 3
    assert hands.by_hand(0)
    clock.now += 1
    assert hands.taken() == pytest.approx(0.27)
    hands.begin_round()
    clock.now += 1
    assert hands.taken() == 0


def test_what_is_held_over_a_rounds_edge_counts_in_both(hands: Throttling, clock: Clock) -> None:
    hands.begin_round()
    clock.now += 1
    hands.by_hand(0.5)
    clock.now += 1
    assert hands.taken() == pytest.approx(0.25)
    hands.begin_round()
    clock.now += 4
    assert hands.taken() == pytest.approx(0.5)
    hands.close()


def test_releasing_what_never_acted_names_no_mechanism(hands: Throttling) -> None:
    named = []
    for share in (0.0, 0.1):
        hands.by_hand(share)
        named.append(str(hands.mechanism))
    hands.close()
    assert named[0] == "None" and "by hand" in named[1]


def test_a_hand_that_comes_too_late_does_nothing_and_is_told_so(hands: Throttling) -> None:
    guest: Any = hands.guest
    hands.release()
    assert hands.by_hand(0.9), "a policy may release and throttle again: so may a hand"
    hands.close()
    assert guest.done[-1] == "close" and guest.done.count("pause") == guest.done.count("resume")
    before = list(guest.done)
    assert not hands.by_hand(0.9)
    assert guest.done == before

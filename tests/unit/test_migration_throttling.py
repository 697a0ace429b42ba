"""A throttle by hand: what is taken of a guest's time is counted as long as it was taken, and not once all is over."""

from collections.abc import Iterator

import pytest

from testbed.core.errors import ScenarioError
from testbed.core.rounds import Throttle
from testbed.migration import throttling
from testbed.migration.throttling import Throttling
from testbed.migration.tracked_memory import TrackedMemory
from testbed.throttles import GuestTime, Mechanism, TrackerPlace, registry
from testbed.throttles.stop_and_continue import StopAndContinue
from tests.unit.loopback import MemoryGuest, SetTracker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(throttling, "monotonic", made)
    return made


@pytest.fixture
def guest() -> MemoryGuest:
    return MemoryGuest(1)


@pytest.fixture
def memory(guest: MemoryGuest, time: StopAndContinue) -> Iterator[TrackedMemory]:
    tracked = TrackedMemory(guest, SetTracker(guest.ports(), guest), time.freezing)
    yield tracked
    tracked.close()


@pytest.fixture
def time(guest: MemoryGuest) -> Iterator[StopAndContinue]:
    taking = StopAndContinue(guest)
    yield taking
    taking.end()


@pytest.fixture
def hands(time: StopAndContinue, memory: TrackedMemory) -> Throttling:
    return Throttling(time, memory)


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


def test_releasing_what_never_acted_names_no_mechanism(hands: Throttling) -> None:
    named = []
    for share in (0.0, 0.1):
        hands.by_hand(share)
        named.append(str(hands.mechanism))
    assert named[0] == "None" and "by hand" in named[1]


def test_a_hand_that_comes_too_late_does_nothing_and_is_told_so(hands: Throttling, guest: MemoryGuest) -> None:
    hands.release()
    assert hands.by_hand(0.9), "a policy may release and throttle again: so may a hand"
    hands.stop_taking_time()
    assert guest.did.count("pause") == guest.did.count("resume")
    before = list(guest.did)
    assert not hands.by_hand(0.9)
    assert guest.did == before


class Noted(Mechanism):
    """Says what it is told."""

    told: list[str]

    def __init__(self, time: GuestTime, place: TrackerPlace) -> None:
        self.words, self.share = "noted", 0.0

    def apply(self, asked: Throttle, dirty_rate: float) -> None:
        self.told.append(f"{asked.level:g} of {dirty_rate:g}")
        self.share = asked.level

    def release(self) -> None:
        self.told.append("release")
        self.share = 0.0


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A throttle of a test's own, of which nothing else knows."""
    Noted.told = []
    registry.items()
    monkeypatch.setattr(registry, "_entries", registry.items() | {"noted": Noted})
    return Noted.told


def test_a_throttle_is_a_class_that_is_registered_and_nothing_else(
    hands: Throttling, clock: Clock, noted: list[str]
) -> None:
    hands.begin_round()
    hands.apply(Throttle(kind="noted", level=0.25), 7.0)
    clock.now += 1
    assert (hands.mechanism, hands.taken()) == ("noted", 0.25)
    hands.apply(Throttle(kind="noted", level=0.5), 9.0)
    hands.apply(Throttle(kind="auto_converge", level=0.75), 9.0)
    assert hands.taken() == 0.75
    hands.release()
    hands.apply(Throttle(kind="noted", level=0.1), 1.0)
    assert noted == ["0.25 of 7", "0.5 of 9", "release", "0.1 of 1"], "it is released when another takes over"
    assert hands.taken() == 0.1


def test_a_kind_that_is_none_is_refused_and_what_acts_goes_on(hands: Throttling) -> None:
    hands.apply(Throttle(kind="auto_converge", level=0.3), 0.0)
    with pytest.raises(ScenarioError, match="no throttle is called 'brake'; "):
        hands.apply(Throttle(kind="brake"), 0.0)
    assert hands.taken() == 0.3


def test_a_policy_that_releases_the_guest_releases_it_of_its_own_throttle_alone(
    hands: Throttling, clock: Clock, guest: MemoryGuest
) -> None:
    hands.begin_round()
    hands.apply(Throttle(kind="auto_converge", level=0.7), 0.0)
    hands.by_hand(0.4)
    hands.release()
    clock.now += 1
    assert hands.taken() == pytest.approx(0.4), "a hand's is a hand's to release"
    hands.stop_taking_time()
    hands.begin_round()
    clock.now += 1
    assert hands.taken() == 0 and guest.did.count("freeze") <= guest.did.count("resume")


def test_the_larger_of_the_policys_share_and_a_hands_is_taken(hands: Throttling, clock: Clock) -> None:
    hands.begin_round()
    hands.apply(Throttle(kind="auto_converge", level=0.3), 0.0)
    hands.by_hand(0.6)
    clock.now += 1
    assert hands.taken() == pytest.approx(0.6)
    hands.by_hand(0.0)
    clock.now += 5
    assert hands.taken() == pytest.approx(0.3)
    assert hands.mechanism == "stop and continue, 10 ms slices"

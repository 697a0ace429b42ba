"""Throttles as mechanisms: what each asks of a guest's time and of its tracker's place, on fakes that note it."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from queue import SimpleQueue

import pytest

import testbed
from testbed.core.errors import MigrationAborted
from testbed.core.names.catalogue import ranked
from testbed.core.rounds import Action, Decision, Round, Throttle
from testbed.dirty import GuestPorts, Tracker
from testbed.model.source import MOST, as_done
from testbed.policies.decisions import ask
from testbed.throttles import registry, stop_and_continue
from testbed.throttles.rate_by_time import RateByTime
from testbed.throttles.sdps import StunDuringPageSend
from testbed.throttles.stop_and_continue import StopAndContinue

PATIENCE_S = 20.0
"""For what comes at once, on a machine that has other things to do."""


class NotedTime:
    def __init__(self) -> None:
        self.share = 0.0

    def take(self, who: object, share: float) -> bool:
        self.share = share
        return True


class NotedPlace:
    """A place whose tracker delays as soon as it was exchanged."""

    def __init__(self) -> None:
        self.made: list[Callable[[GuestPorts], Tracker]] = []
        self.rates: list[float | None] = []

    def delay(self, dirty_rate: float | None) -> bool:
        if self.made:
            self.rates.append(dirty_rate)
        return bool(self.made)

    def exchange(self, make: Callable[[GuestPorts], Tracker]) -> None:
        self.made.append(make)


@pytest.fixture
def stuns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StunDuringPageSend, "lacks", staticmethod(lambda: None))


def test_the_model_slows_its_guest_as_they_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them hold a rate, and what the largest share is, is written down there once more."""
    monkeypatch.setattr(StunDuringPageSend, "lacks", staticmethod(lambda: None))
    assert stop_and_continue.MOST == MOST
    for kind, mechanism in registry.items().items():
        asked = Throttle(kind=kind, level=0.3, dirty_rate=1e6)
        time, place = NotedTime(), NotedPlace()
        mechanism(time, place).apply(asked, 4e6)
        assert as_done(asked).dirty_rate == (place.rates[-1] if place.rates else None)
        assert bool(time.share) == (as_done(asked).dirty_rate is None)
    assert as_done(Throttle(kind="auto_converge", level=0.999)).level == stop_and_continue.MOST


OWN = """
from dataclasses import dataclass
from testbed.core.rounds import Action, Decision, Throttle

@dataclass(frozen=True, kw_only=True)
class Mine:
    def decide(self, history):
        action = Action.SWITCH_OVER if len(history) >= 3 else Action.GO_ON
        return Decision(action=action, reason="three rounds", throttle={throttle})
"""


def test_a_rate_asked_of_what_takes_time_slows_nobody_in_a_prediction_either(tmp_path: Path) -> None:
    """The mechanism goes by the level, which is 0 here: a guest was foretold that would have been slowed."""
    foretold = []
    for name, throttle in (("none", "None"), ("rate", "Throttle(kind='auto_converge', dirty_rate=1e6)")):
        (tmp_path / f"{name}.py").write_text(OWN.format(throttle=throttle))
        policy = {"migration.policy": str(tmp_path / f"{name}.py"), "vm.workload.write_rate": "200MB/s"}
        foretold.append(testbed.predict("hello", set=policy).migrations[0])
    plain, asked = foretold
    assert (plain.total_time_s, plain.downtime_s, plain.bytes_sent) == (
        asked.total_time_s,
        asked.downtime_s,
        asked.bytes_sent,
    )


def test_they_are_named_in_this_order() -> None:
    ranks = {name: entry.rank for name, entry in registry.items().items()}
    assert ranked("testbed.throttles") == ["sdps", "dirty_limit", "auto_converge"]
    assert sorted(ranks, key=ranks.__getitem__) == ranked("testbed.throttles")


@pytest.mark.parametrize("kind", registry.items())
def test_each_takes_the_share_that_is_asked_for_where_no_rate_is(kind: str) -> None:
    time, place = NotedTime(), NotedPlace()
    mechanism = registry.get(kind)(time, place)
    mechanism.apply(Throttle(kind=kind, level=0.4), 5e6)
    assert (time.share, mechanism.share, place.made) == (0.4, 0.4, [])
    assert mechanism.words == "stop and continue, 10 ms slices"
    mechanism.release()
    assert (time.share, mechanism.share) == (0.0, 0.0)


@pytest.mark.parametrize("kind", ["sdps", "dirty_limit"])
@pytest.mark.usefixtures("stuns")
def test_a_rate_is_held_by_a_tracker_that_takes_the_place_of_the_one_before_once(kind: str) -> None:
    time, place = NotedTime(), NotedPlace()
    mechanism = registry.get(kind)(time, place)
    for rate in (3e6, 2e6):
        mechanism.apply(Throttle(kind=kind, dirty_rate=rate), 5e6)
    assert mechanism.words == "synchronous write-protection, answered late"
    mechanism.release()
    registry.get("dirty_limit")(time, place).apply(Throttle(kind="dirty_limit", dirty_rate=1e6), 5e6)
    assert place.made == [StunDuringPageSend]
    assert place.rates == [3e6, 2e6, None, 1e6]
    assert time.share == 0


@pytest.mark.usefixtures("stuns")
def test_from_a_rate_to_a_share_and_back_the_former_is_released() -> None:
    time, place = NotedTime(), NotedPlace()
    sdps = registry.get("sdps")(time, place)
    sdps.apply(Throttle(kind="sdps", dirty_rate=3e6), 5e6)
    sdps.apply(Throttle(kind="sdps", level=0.5), 5e6)
    assert (place.rates[-1], time.share) == (None, 0.5)
    sdps.apply(Throttle(kind="sdps", dirty_rate=2e6), 5e6)
    assert (place.rates[-1], time.share, sdps.share) == (2e6, 0.0, 0.0)


def test_where_the_kernel_cannot_stun_writers_time_is_taken_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StunDuringPageSend, "lacks", staticmethod(lambda: "kernel has none"))
    time, place = NotedTime(), NotedPlace()
    sdps = registry.get("sdps")(time, place)
    sdps.apply(Throttle(kind="sdps", dirty_rate=1e6), 4e6)
    assert (time.share, place.made, sdps.words) == (0.75, [], "stop and continue, since kernel has none")


def test_a_rate_by_time_never_takes_less_than_before() -> None:
    """The rate of a guest that was slowed says nothing of the one that it would have."""
    time = NotedTime()
    by_time = RateByTime(time, NotedPlace(), "no reason")
    shares = []
    for rate in (0.0, 2e6, 1e6, 10e6):
        by_time.apply(Throttle(kind="sdps", dirty_rate=1e6), rate)
        shares.append(time.share)
    assert shares == pytest.approx([0.0, 0.5, 0.5, 0.9])


def test_what_is_recorded_is_what_is_taken_and_never_more_than_the_most() -> None:
    """The record's figure is the mechanism's; a guest gets 10 ms of each second whatever is asked."""
    level, by_time = registry.get("auto_converge")(NotedTime(), NotedPlace()), RateByTime(NotedTime(), NotedPlace(), "")
    level.apply(Throttle(kind="auto_converge", level=0.999), 0.0)
    by_time.apply(Throttle(kind="sdps", dirty_rate=1e3), 1e9)
    assert (level.share, by_time.share) == (MOST, MOST)


class Deciding:
    def __init__(self, kind: str) -> None:
        self.kind = kind

    def decide(self, history: object) -> Decision:
        throttle = Throttle(kind=self.kind, level=0.5)
        return Decision(action=Action.GO_ON, reason="slower", throttle=throttle)


@pytest.mark.parametrize("kind", registry.items())
def test_a_policy_may_ask_for_each_of_them(kind: str) -> None:
    answer = ask(Deciding(kind), list[Round](), nullcontext)
    assert answer.throttle == Throttle(kind=kind, level=0.5)


class Stopped:
    """A guest that says when it is stopped and resumed; the next ``failing`` stops fail."""

    def __init__(self, failing: int = 0) -> None:
        self.events: SimpleQueue[str] = SimpleQueue()
        self.failing, self.standing = failing, False

    def freeze(self) -> None:
        self.standing = True  # a stop that is not confirmed may come true later
        if self.failing:
            self.failing -= 1
            self.events.put("not stopped")
            raise MigrationAborted("the guest could not be stunned")
        self.events.put("stopped")

    def resume(self) -> None:
        self.standing = False
        self.events.put("resumed")

    def next(self) -> str:
        return self.events.get(timeout=PATIENCE_S)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop_and_continue, "SLICE_S", 1e-6)


def test_time_is_taken_until_nobody_asks_for_any() -> None:
    guest = Stopped()
    time = StopAndContinue(guest)
    assert time.take("policy", 0.5) and time.take("hand", 0.6) and time.take("policy", 0.0)
    assert [guest.next() for _ in range(4)] == ["stopped", "resumed"] * 2
    assert time.take("hand", 0.0)
    assert not guest.standing and _taking() == []
    assert time.take("hand", 0.1)
    while not guest.events.empty():
        guest.next()
    assert guest.next() in ("stopped", "resumed"), "and it can begin anew"
    time.end()


def test_once_ended_nobody_is_given_any() -> None:
    guest = Stopped()
    time = StopAndContinue(guest)
    time.take("hand", 1.0)
    assert guest.next() == "stopped"
    time.end()
    assert not guest.standing and _taking() == []
    assert not time.take("hand", 0.5) and not time.take("policy", 0.0)
    assert _taking() == []
    time.end()


def test_a_stop_that_fails_leaves_the_guest_running_and_the_next_is_tried() -> None:
    """A stop that was not confirmed in time may still come true: so the guest is resumed all the same."""
    guest = Stopped(failing=2)
    time = StopAndContinue(guest)
    time.take("policy", 0.5)
    assert [guest.next() for _ in range(6)] == ["not stopped", "resumed"] * 2 + ["stopped", "resumed"]
    time.end()
    assert not guest.standing


def test_whoever_holds_it_still_is_not_disturbed() -> None:
    guest = Stopped()
    time = StopAndContinue(guest)
    with time.freezing:
        time.take("policy", 0.5)
        assert guest.events.empty()
    assert guest.next() == "stopped"
    time.end()


def _taking() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "stop-and-continue"]

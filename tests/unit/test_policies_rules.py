"""Each policy on rounds written by hand: what it decides, when, and in which words."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.rounds import Action, Decision, EarlyLook, Round, RoundKind, Throttle
from testbed.policies import build, registry

GO, STOP, END = Action.GO_ON, Action.SWITCH_OVER, Action.GIVE_UP
MB = 10**6


def rounds(*sent: float, bandwidth: float = 100.0) -> list[Round]:
    """Rounds that send these MB in turn at a bandwidth in MB/s; each leaves what the next one sends."""
    made: list[Round] = []
    clock = 0.0
    for index, (now, left) in enumerate(pairwise(sent), start=1):
        made.append(
            Round(
                index=index,
                kind=RoundKind.PRECOPY,
                started_s=clock,
                duration_s=now / bandwidth,
                sent_bytes=int(now * MB),
                dirtied_bytes=int(left * MB),
            )
        )
        clock += now / bandwidth
    return made


def decisions(policy: str | dict[str, Any], history: Sequence[Round]) -> list[Decision]:
    chosen = build(policy)
    return [chosen.decide(history[: count + 1]) for count in range(len(history))]


def actions(policy: str | dict[str, Any], history: Sequence[Round]) -> list[Action]:
    return [decision.action for decision in decisions(policy, history)]


def test_plain_stops_at_its_goal_and_says_so() -> None:
    history = rounds(2048, 512, 128, 32, 8, bandwidth=128)
    said = decisions({"name": "plain", "downtime_goal": 0.1}, history)
    assert [d.action for d in said] == [GO, GO, GO, STOP]
    assert said[-1].reason == "stopped after round 4: 1,953 pages (8.0 MB) left, 62.5 ms at 128 MB/s, goal 100 ms"
    assert said[0].reason == "went on after round 1: 125,000 pages (512 MB) left, 4.0 s at 128 MB/s, goal 100 ms"


def test_plain_goes_on_for_ever() -> None:
    assert set(actions("plain", rounds(*[1000] * 200))) == {GO}


class TestVMotion:
    def test_the_goal_is_half_a_second(self) -> None:
        assert actions("vmotion", rounds(1000, 50)) == [STOP]
        assert actions("vmotion", rounds(1000, 50.1)) == [GO]

    def test_productive_passes_are_left_alone(self) -> None:
        assert [d.throttle for d in decisions("vmotion", rounds(1000, 890, 790, 700, 600))] == [None] * 4

    def test_the_full_copy_does_not_count(self) -> None:
        said = decisions("vmotion", rounds(1000, 1000, 1000, 1000, 1000))
        assert [d.throttle is not None for d in said] == [False, False, True, True]
        assert said[1].reason.endswith("no progress (100% of what was sent), 1 of 2 before sdps")

    def test_sdps_holds_half_of_the_bandwidth_to_the_end(self) -> None:
        said = decisions("vmotion", rounds(1000, 1000, 990, 980, 490, 245, 122))
        assert said[2].throttle == Throttle(kind="sdps", dirty_rate=50 * MB)
        assert {d.throttle for d in said[2:]} == {said[2].throttle}
        assert said[2].reason.endswith("; sdps holds the dirty rate at 50.0 MB/s after 2 passes without progress")

    def test_unproductive_passes_need_not_be_neighbours(self) -> None:
        said = decisions("vmotion", rounds(1000, 1000, 950, 500, 480))
        assert [d.throttle is not None for d in said] == [False, False, False, True]

    def test_a_throttle_that_does_not_help_is_tightened(self) -> None:
        said = decisions("vmotion", rounds(*[1000] * 8))
        rates = [d.throttle.dirty_rate if d.throttle else None for d in said]
        assert rates == [None, None, 50 * MB, 50 * MB, 25 * MB, 25 * MB, 12.5 * MB]

    def test_its_parameters(self) -> None:
        policy = {"name": "vmotion", "passes": 1, "progress": 0.5, "target": 0.8}
        said = decisions(policy, rounds(1000, 1000, 600, 600))
        assert [d.throttle.dirty_rate if d.throttle else None for d in said][1] == pytest.approx(80 * MB)

    def test_that_sdps_is_not_public_is_said(self) -> None:
        import testbed.policies.vmotion as module

        assert "thresholds are not public" in (module.__doc__ or "") and "SDPS-like" in (module.__doc__ or "")


class TestQemu:
    def test_its_limit_is_300_ms(self) -> None:
        assert actions("qemu", rounds(1000, 30)) == [STOP]
        assert actions("qemu", rounds(1000, 30.1)) == [GO]

    def test_its_steps(self) -> None:
        said = decisions("qemu", rounds(*[1000] * 23))
        levels = [d.throttle.level if d.throttle else 0 for d in said]
        steps = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.99]
        assert levels == [0, *(level for level in steps for _ in range(2)), 0.99]
        assert said[1].throttle == Throttle(kind="auto_converge", level=0.2)
        assert said[3].reason.endswith("; auto-converge takes 30% of the guest's CPU")

    def test_exactly_half_is_not_too_much(self) -> None:
        assert {d.throttle for d in decisions("qemu", rounds(1600, 800, 400, 200, 100))} == {None}

    def test_a_step_stays_when_the_guest_calms_down(self) -> None:
        said = decisions("qemu", rounds(1000, 1000, 1000, 400, 160))
        assert [d.throttle.level if d.throttle else 0 for d in said] == [0, 0.2, 0.2, 0.2]

    def test_only_looks_more_than_a_second_apart_count(self) -> None:
        """Of rounds of half a second every third does, with the bytes of all three; and 20 % need two of them."""
        said = decisions("qemu", rounds(*[50] * 10))
        assert [d.throttle.level if d.throttle else 0 for d in said] == [0] * 5 + [0.2] * 4
        assert {d.throttle for d in decisions({"name": "qemu", "period": 10.0}, rounds(*[50] * 10))} == {None}

    def test_what_was_never_sent_is_not_dirtied_anew(self) -> None:
        """1,000 MB left of which 900 are of the pass itself: a tenth was dirtied, and that is not too much."""
        history = [replace(each, unsent_bytes=900 * MB) for each in rounds(*[1000] * 5)]
        assert {d.throttle for d in decisions("qemu", history)} == {None}

    @pytest.mark.parametrize("name", ["qemu", "qemu-dirty-limit"])
    def test_it_looks_early_at_its_limit(self, name: str) -> None:
        policy: Any = build({"name": name, "downtime_goal": 0.1, "iteration": 0.01})
        assert policy.early_look == EarlyLook(within=0.1, every=0.01)


class TestQemuDirtyLimit:
    def test_half_of_the_bandwidth_unless_told(self) -> None:
        said = decisions("qemu-dirty-limit", rounds(1000, 1000, 1000, 600))
        assert [d.throttle for d in said] == [None, *[Throttle(kind="dirty_limit", dirty_rate=50 * MB)] * 2]

    def test_as_told(self) -> None:
        said = decisions({"name": "qemu-dirty-limit", "limit": 1e6}, rounds(1000, 1000, 1000))
        assert said[1].throttle == Throttle(kind="dirty_limit", dirty_rate=1e6)
        assert said[1].reason.endswith("dirty-limit holds it at 1.0 MB/s")


class TestXen:
    def test_five_rounds(self) -> None:
        assert actions("xen", rounds(*[1000] * 6)) == [GO, GO, GO, GO, STOP]

    def test_fifty_pages(self) -> None:
        assert actions("xen", rounds(1000, 49 * 4096 / MB)) == [STOP]
        assert actions("xen", rounds(1000, 50 * 4096 / MB)) == [GO]

    def test_as_it_was(self) -> None:
        old = {"name": "xen", "rounds": 29, "most_sent": 3.0}
        assert actions(old, rounds(1000, 900, 810, 729)) == [GO, GO, GO]
        said = decisions(old, rounds(*[1000] * 5))
        assert [d.action for d in said] == [GO, GO, GO, STOP]
        assert said[-1].reason.endswith("4.0 times the memory was sent, 3 is the most")
        assert len(actions(old, rounds(1000, *[10] * 29))) == 29
        assert actions(old, rounds(1000, *[10] * 29))[-2:] == [GO, STOP]


class TestCloudHypervisor:
    def test_the_full_copy_and_five_passes(self) -> None:
        assert actions("cloud-hypervisor", rounds(*[1000] * 7)) == [GO, GO, GO, GO, GO, STOP]

    def test_nothing_dirty(self) -> None:
        assert actions("cloud-hypervisor", rounds(1000, 0)) == [STOP]


class TestFlattening:
    def test_it_stops_when_what_is_left_stops_falling(self) -> None:
        said = decisions("flattening", rounds(1000, 800, 650, 600, 598, 597, 596))
        assert [d.action for d in said] == [GO, GO, GO, STOP, STOP, STOP]
        assert "stopped falling for 2 rounds" in said[3].reason

    def test_against_the_least_so_far_not_the_last(self) -> None:
        assert actions("flattening", rounds(1000, 500, 900, 600)) == [GO, GO, STOP]

    def test_a_fall_starts_the_count_anew(self) -> None:
        assert actions("flattening", rounds(1000, 500, 500, 300, 300, 300)) == [GO, GO, GO, GO, STOP]

    def test_the_goal_comes_first(self) -> None:
        assert actions("flattening", rounds(1000, 10)) == [STOP]


class TestDeadline:
    def test_it_gives_up(self) -> None:
        said = decisions({"name": "deadline", "after": 25}, rounds(1000, 1000, 1000, 1000))
        assert [d.action for d in said] == [GO, GO, END]
        assert said[0].reason.endswith("15.0 s to the deadline")
        assert said[2].reason.startswith("gave up after round 3")

    def test_or_forces(self) -> None:
        said = decisions({"name": "deadline", "after": 25, "then": "force"}, rounds(1000, 1000, 1000, 1000))
        assert [d.action for d in said] == [GO, GO, STOP]
        assert said[2].reason.endswith("30.0 s have passed, the deadline is 25.0 s: forced")

    def test_the_goal_comes_first_even_when_late(self) -> None:
        assert actions({"name": "deadline", "after": 5}, rounds(1000, 10)) == [STOP]


class TestTheSwitchoversOwnCost:
    """Known beforehand, it counts against the goal; but it alone keeps no migration going."""

    GOALS = ("plain", "vmotion", "qemu", "qemu-dirty-limit", "flattening", "deadline")

    def after(self, *sent: float, cost: float) -> list[Round]:
        return [replace(each, switchover_s=cost) for each in rounds(*sent)]

    @pytest.mark.parametrize("name", GOALS)
    def test_it_counts_with_every_goal(self, name: str) -> None:
        policy = {"name": name, "downtime_goal": 0.1}
        assert actions(policy, self.after(1000, 6, cost=0.04)) == [STOP]
        assert actions(policy, self.after(1000, 6.1, cost=0.04)) == [GO]

    def test_both_parts_are_said(self) -> None:
        (said,) = decisions({"name": "plain", "downtime_goal": 0.1}, self.after(1000, 8, cost=0.045))
        said_so = "1,953 pages (8.0 MB) left, 80.0 ms at 100 MB/s and 45.0 ms to switch over, goal 100 ms"
        assert said.reason == f"went on after round 1: {said_so}"

    @pytest.mark.parametrize("name", GOALS)
    def test_above_the_goal_it_ends_when_another_round_leaves_no_less(self, name: str) -> None:
        """As many rounds as lower what is left: it cannot go on for ever."""
        policy = {"name": name, "downtime_goal": 0.05}
        history = self.after(1000, 4, 1, 0.1, 0.1, 0.1, cost=0.084)
        assert actions(policy, history)[:4] == [GO, GO, GO, STOP]

    @pytest.mark.parametrize("name", GOALS)
    def test_above_the_goal_it_ends_when_nothing_is_left(self, name: str) -> None:
        """A round that sends nothing would leave something, and have no bandwidth for a throttle to be made of."""
        policy = {"name": name, "downtime_goal": 0.05}
        assert actions(policy, self.after(1000, 4, 0, cost=0.084)) == [GO, STOP]

    def test_that_is_said(self) -> None:
        first, _, last = decisions({"name": "plain", "downtime_goal": 0.05}, self.after(1000, 1, 0.1, 0.1, cost=0.084))
        assert first.reason.endswith("goal 50.0 ms, less than the switchover alone takes")
        assert last.reason.endswith("less than the switchover alone takes; another round would leave no less")

    def test_what_takes_longer_than_the_goal_by_itself_is_no_excuse(self) -> None:
        assert set(actions({"name": "plain", "downtime_goal": 0.05}, self.after(*[1000] * 9, cost=0.084))) == {GO}

    def test_what_an_early_look_left_is_no_lack_of_progress(self) -> None:
        """10 MB sent and 30 left of a pass of 40, of which then 32 are dirty: less than before."""
        looked = replace(self.after(10, 32, cost=1.0)[0], unsent_bytes=30 * MB)
        assert build({"name": "plain", "downtime_goal": 0.5}).decide([looked]).action is GO
        more = replace(looked, unsent_bytes=20 * MB)
        assert build({"name": "plain", "downtime_goal": 0.5}).decide([more]).action is STOP


POLICIES = st.sampled_from(sorted(registry.items()))
HISTORIES = st.lists(st.integers(0, 2**40), min_size=2, max_size=40)


@given(POLICIES, HISTORIES)
def test_any_policy_decides_anything_in_one_sentence(name: str, sent: list[int]) -> None:
    history = rounds(*(size / MB for size in sent))
    for decision in decisions(name, history):
        assert decision.reason and "\n" not in decision.reason and "after round" in decision.reason


@given(POLICIES, HISTORIES)
def test_any_policy_can_be_replayed(name: str, sent: list[int]) -> None:
    """It remembers nothing: the same rounds give the same decision, in any order of asking."""
    history = rounds(*(size / MB for size in sent))
    policy = build(name)
    forward = [policy.decide(history[: n + 1]) for n in range(len(history))]
    backward = [policy.decide(tuple(history[: n + 1])) for n in reversed(range(len(history)))]
    assert forward == backward[::-1]


@pytest.mark.parametrize("name", registry.items())
def test_a_round_that_took_no_time_and_sent_nothing(name: str) -> None:
    nothing = replace(rounds(1, 1)[0], duration_s=0.0, sent_bytes=0)
    assert build(name).decide([nothing]).action in Action
    assert build(name).decide([replace(nothing, dirtied_bytes=0)]).action is STOP
    assert build(name).decide([nothing, replace(nothing, index=2)]).action in Action


def test_all_that_were_promised_are_there() -> None:
    promised = "cloud-hypervisor deadline flattening plain qemu qemu-dirty-limit vmotion xen"
    ours = [name for name, policy in registry.items().items() if policy.__module__.startswith("testbed.policies.")]
    assert ours == promised.split()

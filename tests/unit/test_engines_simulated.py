"""The engine without hosts: its record, its events, its costs, its speed, and what it refuses."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from testbed.core.errors import ScenarioError
from testbed.core.events import Event, MigrationFinished, PhaseChanged, RoundFinished
from testbed.core.plan import LinkPlan, NetworkPlan, ScalePlan
from testbed.core.records.migration import MigrationRecord
from testbed.core.records.rounds import record_round
from testbed.core.rounds import Action, Round, RoundKind
from testbed.engines import registry as engines
from testbed.engines.simulated import run
from testbed.model.link import link_goodput
from testbed.model.predict import feasibility, forecast, predict
from testbed.model.source import Costs
from testbed.policies import build
from tests.unit.plans import GBIT, GIB, IDLE, plan, writes


def test_giving_up_cleanly() -> None:
    seen = run(plan(16, writes(14.1, 8), {"name": "deadline", "after": 60}))
    assert seen.outcome == "aborted" and seen.downtime_s is None
    assert "gave up after round" in seen.reason and seen.rounds[-1].decision == seen.reason


@pytest.mark.parametrize("workload", [IDLE, writes(5.77), writes(6, 40)], ids=["idle", "sequential", "uniform"])
def test_sdps_does_nothing_where_the_guest_converges_by_itself(workload: dict[str, Any]) -> None:
    seen = run(plan(128, workload, "vmotion"))
    assert seen.throttle is not None and seen.throttle.active_s == 0 and seen.throttle.guest_slowdown is None
    assert seen.total_time_s == run(plan(128, workload)).total_time_s


def test_what_a_throttle_costs_is_counted_while_it_acts() -> None:
    """A quarter of the guest's time is a quarter of its work then, however long it ran freely before."""
    slow = {"name": "qemu", "downtime_goal": 3.0, "initial": 0.25, "increment": 0.0}
    seen = run(plan(64, writes(14.1, 32), slow)).throttle
    assert seen is not None and seen.active_s > 0
    assert seen.guest_slowdown == pytest.approx(0.25, rel=1e-3)


def test_one_experiment_at_three_scales() -> None:
    """Times are kept when only the size is scaled, and divided when the time is."""
    totals = []
    for size, times in ((1, 1), (64, 1), (16, 10)):
        small = plan(
            128 / size / times,
            {**writes(14.1 / size, 64 / size / times)},
            {"name": "vmotion", "downtime_goal": 0.5 / times},
            goodput=9.4 / size,
            scale=ScalePlan(size=size, time=times),
        )
        totals.append(run(small).full_scale["total_time_s"])
    assert totals == pytest.approx([totals[0]] * 3, rel=0.001)


def lasts(made: Callable[[], object]) -> float:
    """Of processor time, the least of three times: what else the machine does only adds to it."""

    def once() -> float:
        begun = time.process_time()
        made()
        return time.process_time() - begun

    return min(once() for _ in range(3))


def test_full_size_takes_no_longer_than_small() -> None:
    """A model counts rounds, not pages: 64 times the memory in as many rounds."""
    large = plan(256, writes(140, 64), "vmotion", goodput=98)
    small = plan(4, writes(140 / 64, 1), "vmotion", goodput=98 / 64)
    seen = run(large)
    assert seen.outcome == "completed" and len(seen.rounds) == len(run(small).rounds)
    assert lasts(lambda: run(large)) < 8 * lasts(lambda: run(small))


def test_a_larger_guest_is_predicted_as_fast_as_a_small_one() -> None:
    """Of every workload and policy: what a prediction costs is its rounds, and not what they hold."""

    def predictions(scale: float) -> None:
        zipf = {"name": "zipf", "working_set": int(64 * GIB * scale), "write_rate": 2e9 * scale, "exponent": 1.0}
        for workload in (writes(14.1 * scale, 64 * scale), writes(5.77 * scale), zipf):
            for policy in ("vmotion", "qemu", "qemu-dirty-limit", "xen", "plain"):
                predict(plan(128 * scale, workload, policy), goodput=9.4 * GBIT * scale, rtt_s=1e-4)

    assert lasts(lambda: predictions(1)) < 8 * lasts(lambda: predictions(1 / 64))


SLOW_START_S = 0.02 * (math.log2(1e9 * 0.02 / 14480) - 1) + 14480 / 1e9
"""At 1 GB/s and 20 ms, from 10 segments of 1,448 bytes on."""


def test_costs_that_no_byte_explains() -> None:
    costs = Costs(
        setup_s=1,
        round_s=0.1,
        scan_s=0.01,
        pause_s=0.001,
        last_scan_s=0.002,
        prepare_s=0.003,
        commit_s=0.004,
        resume_s=0.005,
        release_s=0.5,
    )
    seen = forecast(plan(1, IDLE), goodput=1e9, rtt_s=0.02, costs=costs)
    sending = (GIB + 4096) / 1e9
    assert seen.rounds[0][0].started_s == 1 + 2 * 0.02, "TCP's handshake, and the agents' words"
    assert seen.phases == pytest.approx(
        {
            "pause": 0.001,
            "last_scan": 0.002,
            "last_round": 4096e-9 + 0.12,
            "prepare": 0.023,
            "commit": 0.014,
            "resume": 0.005,
        }
    )
    assert seen.downtime_s == pytest.approx(sum(seen.phases.values()))
    assert seen.total_time_s == pytest.approx(
        1.04 + sending + SLOW_START_S + 2 * 0.12 + 0.01 + 0.015 + 0.02 + 0.01 + 0.5
    )
    free = predict(plan(1, IDLE), goodput=1e9)
    assert free.total_time_s == pytest.approx(sending) and free.rounds == 2 and free.outcome == "completed"


def test_what_a_round_costs_beside_its_bytes_is_in_its_record() -> None:
    seen = forecast(plan(1, writes(1, 0.5)), goodput=1e9, rtt_s=0.02, costs=Costs(round_s=0.1, scan_s=0.01))
    made = [record_round(done, decision, 1e9) for done, decision in seen.rounds]
    assert [each.scan_s for each in made] == [0.01] * (len(made) - 1) + [0.0]
    assert len(made) == 2 and [each.overhead_s for each in made] == pytest.approx([0.13 + SLOW_START_S, 0.12])
    assert record_round(*seen.rounds[0], None).overhead_s is None, "null where no goodput was measured"


def test_a_prediction_of_what_does_not_complete_says_so() -> None:
    seen = predict(plan(16, writes(14.1, 8), timeout_s=50), goodput=9.4 * GBIT)
    assert (seen.outcome, seen.total_time_s, seen.downtime_s) == ("cancelled", 50, None)


@pytest.mark.parametrize("before_s", [0.001, 2.0], ids=["while it is prepared", "in the last round"])
def test_a_timeout_ends_a_migration_until_the_guest_is_given_away(before_s: float) -> None:
    """As a run cancels one whose guest stands still already."""
    costs = Costs(prepare_s=0.01, commit_s=3.0)
    asked = plan(16, writes(14.1, 8), "cloud-hypervisor")
    whole = forecast(asked, goodput=9.4 * GBIT, costs=costs)
    given_away = whole.total_time_s - 3.0
    for timeout_s, outcome in ((given_away - before_s, "cancelled"), (given_away + 0.1, "completed")):
        late = replace(asked, migration=replace(asked.migration, timeout_s=timeout_s))
        seen = forecast(late, goodput=9.4 * GBIT, costs=costs)
        assert (seen.outcome, len(seen.phases)) == (outcome, len(whole.phases) if outcome == "completed" else 0)
        assert seen.total_time_s == pytest.approx(timeout_s if outcome == "cancelled" else whole.total_time_s)


def test_feasibility() -> None:
    table = feasibility(plan(16, writes(9.4, 8)), rates=[5e9, 20e9, 40e9], goals=[0.05, 0.5, 5.0])
    assert [(cell.rate, cell.downtime_goal) for cell in table][:4] == [
        (5e9, 0.05),
        (5e9, 0.5),
        (5e9, 5.0),
        (20e9, 0.05),
    ]
    never = [cell.total_time_s is None for cell in table]
    assert never == [True, True, True] + [False] * 6
    for cell in table[3:]:
        assert cell.downtime_s is not None and cell.downtime_s <= cell.downtime_goal
    with pytest.raises(ScenarioError, match="'xen' has no parameter 'downtime_goal'"):
        feasibility(plan(1, IDLE, "xen"), [1e9], [0.5])


def test_the_link_that_a_rate_implies() -> None:
    assert link_goodput(LinkPlan(rate=10e9)) == pytest.approx(1.25e9 * 1448 / 1514)
    assert link_goodput(LinkPlan(rate=10e9, mtu=9000)) == pytest.approx(1.25e9 * 8948 / 9014)
    assert link_goodput(LinkPlan(goodput=8e9)) == 1e9
    with pytest.raises(ScenarioError, match=r"set network\.vmotion\.rate"):
        link_goodput(LinkPlan())


@pytest.mark.parametrize("goodput", [0.0, -1.0, float("inf"), float("nan")])
def test_a_goodput_that_cannot_be(goodput: float) -> None:
    with pytest.raises(ScenarioError, match="goodput above 0"):
        predict(plan(1, IDLE), goodput=goodput)


def test_what_a_model_cannot_know_is_none() -> None:
    seen = run(plan(1, writes(1, 0.5)))
    unknown = (seen.wire_bytes, seen.retransmits, seen.cpu, seen.memory, seen.accounting, seen.client_blackout_s)
    assert set(unknown) == {None}
    assert seen.link.drops is None and seen.tracker is None and seen.streams == []
    assert sum(seen.downtime_phases_s.values()) == pytest.approx(seen.downtime_s)
    assert seen.total_time_s == pytest.approx(sum(r.duration_s for r in seen.rounds))


def test_full_scale_keeps_apart_what_does_not_scale() -> None:
    delayed = replace(plan(1, IDLE, scale=ScalePlan(size=20, time=10)))
    delayed = replace(delayed, network=NetworkPlan(vmotion=LinkPlan(goodput=8e9, delay_s=0.01)))
    seen = run(delayed)
    large = seen.full_scale
    assert seen.total_time_s is not None and large["fixed_s"] is not None and large["sending_s"] is not None
    assert large["sending_s"] == pytest.approx(10 * (GIB + 4096) / 1e9)
    assert large["fixed_s"] == pytest.approx(seen.total_time_s - (GIB + 4096) / 1e9)
    assert large["total_time_s"] == pytest.approx(large["sending_s"] + large["fixed_s"])
    assert large["ram_bytes"] == GIB * 200 and large["goodput"] == 160e9
    assert run(plan(16, writes(14.1, 8), {"name": "deadline", "after": 60})).full_scale["total_time_s"] is None


def test_it_is_an_engine_that_needs_no_machine() -> None:
    assert not engines.get("simulated").needs_machine


def test_whoever_watches_sees_what_a_real_run_shows() -> None:
    events: list[Event] = []
    seen = run(plan(2, writes(4, 1), "vmotion"), events.append)
    finished = [event for event in events if isinstance(event, RoundFinished)]
    assert [event.round.index for event in finished] == [r.index for r in seen.rounds]
    assert [r.decision.action for r in finished[:-1] if r.decision] == [Action.GO_ON] * (len(finished) - 2) + [
        Action.SWITCH_OVER
    ]
    assert [event.phase for event in events if isinstance(event, PhaseChanged)] == ["precopy", "switchover"]
    assert not any(isinstance(event, MigrationFinished) for event in events), "the experiment says that, once"
    assert [event.at for event in events] == sorted(event.at for event in events)


@pytest.mark.parametrize(
    "policy", ["vmotion", "qemu", "qemu-dirty-limit", "xen", "cloud-hypervisor", "flattening", "plain"]
)
@pytest.mark.parametrize(
    "workload",
    [
        {"name": "hot-cold", "working_set": GIB, "write_rate": 1e9, "hot_share": 0.1, "hot_rate_share": 0.9},
        {"name": "zipf", "working_set": None, "write_rate": 1e9, "exponent": 1.0},
        {
            "name": "phases",
            "phases": [
                {**writes(3, 1), "duration": 0.5},
                {"name": "idle", "duration": 0.5},
                {**writes(2), "duration": 1.0},
            ],
        },
    ],
    ids=lambda w: str(w["name"]),
)
def test_every_policy_on_every_guest(policy: str, workload: dict[str, Any]) -> None:
    seen = run(plan(4, workload, policy))
    assert seen.outcome in ("completed", "aborted", "cancelled")
    for before, after in zip(seen.rounds, seen.rounds[1:], strict=False):
        assert after.sent_bytes + after.unsent_bytes == before.dirtied_bytes, "a round sends what the one before left"
        assert after.started_s == pytest.approx(before.started_s + before.duration_s)
    assert [r.decision for r in seen.rounds[:-1]] == replayed(policy, seen), "the record replays to the same words"


def replayed(policy: str, seen: MigrationRecord) -> list[str]:
    """What the policy says to the rounds of a record."""
    names = ("index", "started_s", "duration_s", "sent_bytes", "dirtied_bytes", "unsent_bytes", "switchover_s")
    rounds = [Round(kind=RoundKind.PRECOPY, **{name: getattr(r, name) for name in names}) for r in seen.rounds]
    chosen = build(policy)
    return [chosen.decide(rounds[: count + 1]).reason for count in range(len(rounds) - 1)]

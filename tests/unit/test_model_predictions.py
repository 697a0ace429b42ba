"""The real algorithm and policies in virtual time, against the published tables and the closed forms."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from testbed.core.rounds import Decision, Round, Throttle
from testbed.engines.simulated import run
from testbed.migration.precopy import migrate
from testbed.model import closed_forms as law
from testbed.model.guest import FluidGuest
from testbed.model.source import Costs, FluidSource
from testbed.model.streams import Streams
from testbed.policies import build
from testbed.policies.policy import Policy
from tests.unit.plans import GBIT, GIB, IDLE, plan, writes

# The table of vmotion.md 5.4: memory, workload, goodput; total seconds, pre-copy passes, sent / memory, stun ms.
TABLE = [
    (128, IDLE, 9.4, 117, 1, 1.0, 0),
    (128, IDLE, 36, 30.5, 1, 1.0, 0),
    (128, writes(5.77), 9.4, 302, 12, 2.59, 336),
    (128, writes(5.77), 36, 36.3, 3, 1.19, 126),
    (256, writes(3.56), 9.4, 377, 7, 1.61, 263),
    (256, writes(3.56), 36, 67.8, 3, 1.11, 59),
    (128, writes(9.02, 40), 9.4, 306, 47, 2.61, 486),
    (128, writes(9.02, 40), 36, 37.3, 3, 1.22, 304),
    (256, writes(9.02, 40), 9.4, 426, 47, 1.82, 487),
    (256, writes(9.02, 40), 36, 70.9, 3, 1.16, 424),
    (128, writes(14.1, 64), 36, 43.3, 4, 1.42, 426),
    (256, writes(14.1, 64), 36, 79.6, 5, 1.30, 226),
    (128, writes(11.75, 64), 28, 57.2, 5, 1.46, 287),
    (256, writes(11.75, 64), 28, 103.7, 5, 1.32, 382),
    (128, writes(14.1, 64), 18, 133, 14, None, None),
    (256, writes(14.1, 64), 18, 204, 14, None, None),
]


@pytest.mark.parametrize(("memory", "workload", "goodput", "total", "passes", "sent", "stun"), TABLE)
def test_the_published_parameter_sets(
    memory: float,
    workload: dict[str, Any],
    goodput: float,
    total: float,
    passes: int,
    sent: float | None,
    stun: float | None,
) -> None:
    seen = run(plan(memory, workload, goodput=goodput))
    assert seen.outcome == "completed" and seen.valid
    assert seen.total_time_s == pytest.approx(total, rel=0.005)
    assert len(seen.rounds) - 1 == passes
    if sent is not None and stun is not None:
        assert seen.bytes_sent / seen.vm.ram_bytes == pytest.approx(sent, abs=0.011)
        assert 1000 * (seen.downtime_s or 0) == pytest.approx(stun, rel=0.02, abs=1)


class CapsWrites:
    """vMotion's policy, with the cap of vmotion.md's own model: on what the guest writes, not on what becomes dirty."""

    def __init__(self, policy: Policy, write_rate: float) -> None:
        self.policy, self.write_rate = policy, write_rate

    def decide(self, history: Sequence[Round]) -> Decision:
        said = self.policy.decide(history)
        if said.throttle is None or said.throttle.dirty_rate is None:
            return said
        level = 1 - said.throttle.dirty_rate / self.write_rate
        return replace(said, throttle=Throttle(kind="auto_converge", level=level))


@pytest.mark.parametrize(
    ("memory", "gbit", "passes", "target", "total", "count", "sdps"),
    [
        (128, 14.1, 2, 0.5, 360, 11, 65),
        (256, 14.1, 2, 0.5, 481, 11, 65),
        (128, 11.75, 5, 0.8, 465, 24, 87),
        (256, 11.75, 5, 0.8, 590, 24, 87),
    ],
)
def test_sdps_as_the_table_models_it(
    memory: float, gbit: float, passes: int, target: float, total: float, count: int, sdps: float
) -> None:
    asked = plan(memory, writes(gbit, 64))
    policy = build({"name": "vmotion", "passes": passes, "target": target})
    guest = FluidGuest(asked.guest.workload, asked.guest.ram_bytes)
    streams = Streams(rate=9.4 * GBIT)
    source = FluidSource(guest, ram_bytes=asked.guest.ram_bytes, streams=streams, costs=Costs(), timeout_s=5000)
    done = migrate(source, CapsWrites(policy, gbit * GBIT))
    assert source.clock == pytest.approx(total, rel=0.005)
    assert len(done.rounds) - 1 == count
    assert sum(r.duration_s for r in done.rounds if r.throttle > 0) == pytest.approx(sdps, rel=0.02)


@pytest.mark.parametrize(("memory", "reduction", "tolerance"), [(128, 0.88, 0.02), (256, 0.82, 0.03)])
def test_the_article(memory: float, reduction: float, tolerance: float) -> None:
    """With our sdps, which holds the rate of first writes: a little longer than the table's."""
    slow = run(plan(memory, writes(14.1, 64), "vmotion"))
    fast = run(plan(memory, writes(14.1, 64), "vmotion", goodput=36))
    assert slow.total_time_s and fast.total_time_s and slow.throttle and fast.throttle
    assert 1 - fast.total_time_s / slow.total_time_s == pytest.approx(reduction, abs=tolerance)
    assert slow.throttle.active_s > 0 == fast.throttle.active_s
    assert (slow.downtime_s or 9) <= 0.5 and (fast.downtime_s or 9) <= 0.5
    held = [r for r in slow.rounds if r.throttle > 0]
    assert all(r.dirty_rate <= 9.4 * GBIT * 0.5 * 1.001 for r in held), "the preferred rate is kept"


@pytest.mark.parametrize(("goal", "sent"), [(0.1, [2048, 512, 128, 32, 8]), (0.5, [2048, 512, 128, 32])])
def test_opvizor(goal: float, sent: list[float]) -> None:
    workload = {"name": "sequential", "working_set": None, "write_rate": 32e6}
    seen = run(plan(2048e6 / GIB, workload, {"name": "plain", "downtime_goal": goal}, goodput=1.024))
    assert [r.sent_bytes / 1e6 for r in seen.rounds] == pytest.approx(sent, rel=0.002)
    assert seen.total_time_s == pytest.approx(21.31 if goal == 0.1 else 21.25, abs=0.01)
    assert "stopped after round" in seen.rounds[-2].decision


@pytest.mark.parametrize("rho", [0.1, 0.25, 0.5, 0.75])
def test_the_linear_law(rho: float) -> None:
    seen = run(plan(16, writes(9.4 * rho), {"name": "plain", "downtime_goal": 0.01}))
    ideal = law.total_time(16 * GIB, 9.4 * GBIT, rho * 9.4 * GBIT)
    assert seen.total_time_s == pytest.approx(ideal, rel=0.002)
    assert len(seen.rounds) - 1 == law.rounds(16 * GIB, 9.4 * GBIT, rho * 9.4 * GBIT, 0.01)
    expected = law.downtime(16 * GIB, 9.4 * GBIT, rho * 9.4 * GBIT, 0.01)
    assert seen.downtime_s == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("rho", [0.25, 0.5, 0.7, 0.8, 0.9])
def test_the_finite_working_set(rho: float) -> None:
    memory, size = 64, 2
    goal = 0.01 * size * GIB / (9.4 * GBIT)
    seen = run(plan(memory, writes(9.4 * rho, size), {"name": "plain", "downtime_goal": goal}))
    ideal = (memory + size * law.resent(rho)) * GIB / (9.4 * GBIT)
    assert seen.total_time_s == pytest.approx(ideal, rel=0.005)


@pytest.mark.parametrize("rho", [1.1, 1.5, 2])
def test_the_plateau_never_switches_over(rho: float) -> None:
    seen = run(plan(16, writes(9.4 * rho, 8), timeout_s=1000))
    assert seen.outcome in ("aborted", "cancelled") and seen.total_time_s is None and not seen.valid
    assert seen.rounds[-1].dirtied_bytes == pytest.approx(law.plateau(rho) * 8 * GIB, rel=0.001)
    assert all(r.kind == "precopy" for r in seen.rounds)

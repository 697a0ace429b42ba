"""The closed forms for plans: said where they hold, None where they do not."""

from dataclasses import replace
from typing import Any

import pytest

from testbed.core.plan import GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.model.laws import laws, write_rate
from testbed.model.predict import predict

MB = 1e6


def plan(workload: dict[str, Any], policy: dict[str, Any] | None = None) -> Plan:
    return Plan(
        name="test",
        network=NetworkPlan(vmotion=LinkPlan(goodput=1e9)),
        guest=GuestPlan(ram_bytes=int(2048 * MB), workload=workload),
        migration=MigrationPlan(policy=policy or {"name": "plain", "downtime_goal": 0.1}),
    )


def test_opvizor() -> None:
    said = laws(plan({"name": "sequential", "working_set": None, "write_rate": 32 * MB}), 128 * MB)
    assert said.rho == 0.25 and said.linear_rounds == 4
    assert said.linear_time_s == pytest.approx(21.33, abs=0.01)
    assert said.linear_downtime_s == pytest.approx(0.0625)
    assert said.finite_time_s is said.plateau_bytes is said.plateau_downtime_s is None


def test_a_uniform_guest_above_the_link() -> None:
    said = laws(plan({"name": "uniform", "working_set": int(1024 * MB), "write_rate": 192 * MB}), 128 * MB)
    assert said.linear_time_s is said.linear_rounds is said.linear_downtime_s is said.finite_time_s is None
    assert said.plateau_bytes == pytest.approx(0.5828 * 1024 * MB, rel=1e-3)
    assert said.plateau_downtime_s == pytest.approx(0.5828 * 8, rel=1e-3)


def test_a_uniform_guest_below_it() -> None:
    said = laws(plan({"name": "uniform", "working_set": int(1024 * MB), "write_rate": 64 * MB}), 128 * MB)
    shares = [0.632, 0.271, 0.127, 0.061, 0.030, 0.015, 0.0075]  # x' = 1 - exp(-x / 2) from 1 - exp(-1), to 100 ms
    assert said.finite_time_s == pytest.approx(16 + sum(shares) * 8, rel=0.002)


def test_the_last_bytes_count_as_under_the_linear_law() -> None:
    """The total of uniform writes lacked them: with a goal of seconds it was seconds less than what was predicted."""
    asked = plan({"name": "uniform", "working_set": int(1024 * MB), "write_rate": 96 * MB})
    asked = replace(asked, migration=MigrationPlan(policy={"name": "plain", "downtime_goal": 3.0}))
    seen = predict(asked, goodput=128 * MB)
    assert laws(asked, 128 * MB).finite_time_s == pytest.approx(seen.total_time_s, rel=0.002)
    assert seen.downtime_s is not None and seen.downtime_s > 2


def test_without_a_goal_a_uniform_guest_is_sent_to_a_hundredth() -> None:
    workload = {"name": "uniform", "working_set": int(16 * MB), "write_rate": 64 * MB}
    said = laws(plan(workload, {"name": "xen"}), 128 * MB)
    assert said.finite_time_s == pytest.approx(16 + 1.74 / 8, rel=0.001)


def test_a_policy_without_a_goal_has_no_rounds() -> None:
    said = laws(plan({"name": "idle"}, {"name": "xen"}), 128 * MB)
    assert said.rho == 0 and said.linear_time_s == 16 and said.linear_rounds is None


def test_the_mean_of_phases() -> None:
    parts = [{"name": "uniform", "write_rate": 30 * MB, "duration": 1.0}, {"name": "idle", "duration": 2.0}]
    assert write_rate(plan({"name": "phases", "phases": parts})) == pytest.approx(10 * MB)

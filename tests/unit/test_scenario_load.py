"""A scenario becomes plans: units, scale, matrix, overrides; and itself in full, which loads to the same."""

from pathlib import Path

import pytest

from testbed import scenarios
from testbed.core.units import PAGE_SIZE
from testbed.scenario import Scenario, load

CONTRACT = """\
name: fast-motion
title: 10G against 40G, 128 and 256 GiB, a busy guest
scale: {size: 20, time: 10}
network:
  topology: two-hosts
  vmotion: {rate: 10Gbit, mtu: 1500, congestion: cubic}
  vm: {rate: 10Gbit}
vm:
  ram: 128GiB
  workload: {name: uniform, working_set: 64GiB, write_rate: 14.1Gbit}
migration:
  policy: {name: vmotion, downtime_goal: 500ms}
  streams: 1
matrix:
  vm.ram: [128GiB, 256GiB]
  network.vmotion.rate: [10Gbit, 40Gbit]
published:
  - {compare: network.vmotion.rate, where: {vm.ram: 128GiB}, reduction: 0.88, source: the article}
"""


def of(tmp_path: Path, text: str, *overrides: str, seed: int | None = None) -> Scenario:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    return load(str(file), overrides=overrides, seed=seed)


def again(tmp_path: Path, scenario: Scenario) -> Scenario:
    file = tmp_path / "resolved.yaml"
    file.write_text(scenario.resolved_yaml())
    return load(str(file))


def test_the_contracts_example(tmp_path: Path) -> None:
    scenario = of(tmp_path, CONTRACT)
    plans = scenario.plans()
    assert [plan.name for plan in plans] == [
        "ram=128GiB rate=10Gbit",
        "ram=128GiB rate=40Gbit",
        "ram=256GiB rate=10Gbit",
        "ram=256GiB rate=40Gbit",
    ]
    last = plans[3]
    assert last.settings == {"vm.ram": "256GiB", "network.vmotion.rate": "40Gbit"}
    assert last.network.vmotion.rate == 40e9 / 20
    assert last.guest.ram_bytes == pytest.approx(256 * 2**30 / 200, abs=PAGE_SIZE)
    assert last.guest.ram_bytes % PAGE_SIZE == 0
    assert last.guest.workload["working_set"] == pytest.approx(64 * 2**30 / 200, abs=PAGE_SIZE)
    assert last.guest.workload["write_rate"] == pytest.approx(14.1e9 / 8 / 20)
    assert last.migration.policy["downtime_goal"] == pytest.approx(0.05)
    assert last.scale.size == 20 and last.scale.time == 10
    assert scenario.engine == "native"


def test_repeats_follow_each_other_and_their_seeds_rise(tmp_path: Path) -> None:
    plans = of(tmp_path, CONTRACT, seed=7).plans(repeat=2)
    assert [(plan.repeat, plan.seed) for plan in plans] == [(1, 7), (2, 8)] * 4
    assert plans[0].name == plans[1].name


@pytest.mark.parametrize("name", scenarios.names())
def test_every_shipped_scenario_loads_to_the_same_when_resolved(name: str, tmp_path: Path) -> None:
    scenario = load(name)
    same = again(tmp_path, scenario)
    assert same == scenario
    assert same.plans() == scenario.plans()
    assert same.resolved_yaml() == scenario.resolved_yaml()
    assert scenario.title


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("migration.policy=plain",),
        ("network.vmotion.rate=[1Gbit, 2.5Gbit]",),
        ("migration.policy.name=[plain, vmotion]",),
        ("vm.workload.write_rate=1234567.8", "warmup=123ms"),
    ],
)
def test_what_is_resolved_gives_the_same_plans(tmp_path: Path, more: tuple[str, ...]) -> None:
    scenario = of(tmp_path, CONTRACT, *more)
    assert again(tmp_path, scenario).plans() == scenario.plans()


def test_opvizor_is_the_table_of_five_passes() -> None:
    scenario = load("opvizor")
    (plan,) = scenario.plans()
    assert plan.guest.ram_bytes == 2048e6
    assert plan.network.vmotion.goodput == 128e6 * 8
    assert plan.guest.workload == {"name": "sequential", "working_set": None, "write_rate": 32e6}
    assert plan.migration.policy == {"name": "plain", "downtime_goal": 0.1}
    assert [claim.published for claim in scenario.published] == [2048e6, 512e6, 128e6, 32e6, 8e6, 21.31]


def test_a_short_scenario_has_all_defaults(tmp_path: Path) -> None:
    (plan,) = of(tmp_path, "vm: {ram: 1GiB}").plans()
    assert plan.name == "s"
    assert plan.guest.workload["name"] == "idle"
    assert plan.migration.policy["name"] == "vmotion"
    assert plan.network.vmotion.rate is None and plan.network.vmotion.goodput is None


def test_bare_names_and_nested_workloads(tmp_path: Path) -> None:
    text = """\
scale: {size: 2, time: 5}
vm:
  ram: 1GiB
  workload:
    name: phases
    phases:
      - {name: idle, duration: 10s}
      - {name: uniform, working_set: 64MiB, write_rate: 10MB/s, duration: 1min}
migration: {policy: plain}
"""
    scenario = of(tmp_path, text)
    (plan,) = scenario.plans()
    idle, uniform = plan.guest.workload["phases"]
    assert idle == {"name": "idle", "duration": 2.0}
    assert uniform["duration"] == 12.0 and uniform["write_rate"] == 5e6
    assert uniform["working_set"] == pytest.approx(64 * 2**20 / 10, abs=PAGE_SIZE)
    assert plan.migration.policy == {"name": "plain", "downtime_goal": 0.1}
    assert again(tmp_path, scenario).plans() == scenario.plans()


@pytest.mark.parametrize("written", ["128MB/s", "1.024Gbit", "1024Mbit/s", "1024000000"])
def test_goodput_in_bytes_and_in_bits(tmp_path: Path, written: str) -> None:
    (plan,) = of(tmp_path, f"vm: {{ram: 1GiB}}\nnetwork: {{vmotion: {{goodput: {written}}}}}").plans()
    assert plan.network.vmotion.goodput == pytest.approx(1.024e9)


def test_axes_that_end_alike_are_told_apart(tmp_path: Path) -> None:
    text = "vm: {ram: 1GiB}\nmatrix: {network.vm.rate: [1Gbit], network.vmotion.rate: [2Gbit], warmup: [1s]}"
    (plan,) = of(tmp_path, text).plans()
    assert plan.name == "vm.rate=1Gbit vmotion.rate=2Gbit warmup=1s"


def test_an_axis_of_names_is_called_by_what_is_named(tmp_path: Path) -> None:
    text = "vm: {ram: 1GiB}\nmatrix: {migration.policy.name: [qemu], vm.workload.name: [idle]}"
    (plan,) = of(tmp_path, text).plans()
    assert plan.name == "policy=qemu workload=idle"


def test_whole_mappings_can_be_an_axis(tmp_path: Path) -> None:
    text = "vm: {ram: 1GiB}\nmatrix: {vm.workload: [idle, {name: uniform, write_rate: 1MB/s}]}"
    scenario = of(tmp_path, text)
    assert [plan.name for plan in scenario.plans()] == ["workload=idle", "workload=uniform,write_rate=1MB/s"]
    assert again(tmp_path, scenario).plans() == scenario.plans()


def test_an_override_replaces_an_axis_and_claims_about_it(tmp_path: Path) -> None:
    scenario = of(tmp_path, CONTRACT, "network.vmotion.rate=25Gbit", "vm.workload.write_rate=1GB/s")
    assert [plan.name for plan in scenario.plans()] == ["ram=128GiB", "ram=256GiB"]
    assert {plan.network.vmotion.rate for plan in scenario.plans()} == {25e9 / 20}
    assert scenario.published == []


def test_an_override_in_brackets_makes_an_axis(tmp_path: Path) -> None:
    scenario = of(tmp_path, "vm: {ram: 1GiB}", "migration.streams=[1, 2, 4]")
    assert [plan.migration.streams for plan in scenario.plans()] == [1, 2, 4]


def test_null_takes_a_key_away(tmp_path: Path) -> None:
    overrides = ("network.vmotion.goodput=null", "network.vmotion.rate=1Gbit")
    (plan,) = load("hello", overrides=overrides).plans()
    assert plan.network.vmotion.rate == 1e9 and plan.network.vmotion.goodput is None

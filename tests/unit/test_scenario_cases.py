"""What changes together: cases of the matrix, their names and claims, and what is refused."""

from pathlib import Path

import pytest

from testbed.core.errors import ScenarioError
from testbed.scenario import Scenario, load

COUPLED = """\
vm: {ram: 1GiB, workload: {name: sequential, write_rate: 1Gbit}}
network: {vmotion: {goodput: 10Gbit}}
matrix:
  cases:
    - {vm.ram: 2GiB, vm.workload.write_rate: 2Gbit}
    - {vm.ram: 4GiB, vm.workload.write_rate: 1Gbit}
  network.vmotion.goodput: [10Gbit, 40Gbit]
published:
  - {compare: network.vmotion.goodput, where: {vm.ram: 4GiB}, reduction: 0.8, within: 0.05, source: a paper}
"""


def of(tmp_path: Path, text: str, *overrides: str) -> Scenario:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    return load(str(file), overrides=overrides)


def refused(tmp_path: Path, cases: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        of(tmp_path, f"vm: {{ram: 1GiB}}\nmatrix:\n  migration.streams: [1, 2]\n  cases:\n{cases}\n")
    return str(caught.value)


def test_cases_are_one_axis(tmp_path: Path) -> None:
    plans = of(tmp_path, COUPLED).plans()
    assert [plan.name for plan in plans] == [
        "ram=2GiB write_rate=2Gbit goodput=10Gbit",
        "ram=2GiB write_rate=2Gbit goodput=40Gbit",
        "ram=4GiB write_rate=1Gbit goodput=10Gbit",
        "ram=4GiB write_rate=1Gbit goodput=40Gbit",
    ]
    assert plans[2].settings == {
        "vm.ram": "4GiB",
        "vm.workload.write_rate": "1Gbit",
        "network.vmotion.goodput": "10Gbit",
    }
    assert [plan.guest.workload["write_rate"] for plan in plans[1:3]] == [2e9 / 8, 1e9 / 8]


def test_claims_may_be_about_a_path_of_the_cases(tmp_path: Path) -> None:
    (claim,) = of(tmp_path, COUPLED).published
    assert (claim.where, claim.a, claim.b, claim.within) == ({"vm.ram": "4GiB"}, "10Gbit", "40Gbit", 0.05)
    along = COUPLED.replace("compare: network.vmotion.goodput, where: {vm.ram: 4GiB}", "compare: vm.ram")
    (claim,) = of(tmp_path, along).published
    assert (claim.over, claim.a, claim.b) == ("vm.ram", "2GiB", "4GiB")


def test_it_is_written_out_and_loads_to_the_same(tmp_path: Path) -> None:
    scenario = of(tmp_path, COUPLED)
    again = of(tmp_path, scenario.resolved_yaml())
    assert again == scenario and again.plans() == scenario.plans()


def test_a_path_that_is_set_leaves_the_cases(tmp_path: Path) -> None:
    plans = of(tmp_path, COUPLED, "vm.ram=8GiB").plans()
    assert [plan.name for plan in plans][::2] == ["write_rate=2Gbit goodput=10Gbit", "write_rate=1Gbit goodput=10Gbit"]
    assert {plan.guest.ram_bytes for plan in plans} == {8 * 2**30}


def test_cases_that_are_alike_then_are_one(tmp_path: Path) -> None:
    assert len(of(tmp_path, COUPLED, "vm.ram=8GiB", "vm.workload.write_rate=3Gbit").plans()) == 2
    assert len(of(tmp_path, COUPLED, "vm.workload=idle", "network.vmotion.goodput=1Gbit").plans()) == 2
    axis = of(tmp_path, COUPLED, "vm.ram=[1GiB, 3GiB, 5GiB]")
    assert len(axis.plans()) == 2 * 2 * 3


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ("    - {vm.ram: 1GiB}\n    - {vm.ram: 1GiB}", "s.yaml:6: this case stands here a second time"),
        ("    - {vm.ram: 1GiB}\n    - {warmup: 1s}", "s.yaml:6: every case sets the same paths"),
        ("    - {migration.streams: 4}", "'matrix.cases' sets 'migration.streams' too"),
        ("    - 5", "a case maps paths to values"),
        ("    - {}", "a case maps paths to values"),
        ("    - {name: x}", "the matrix cannot set 'name'"),
        ("    - {vm.ram: null}", "is empty or a list"),
        ("    - {vm.ram: [1GiB]}", "is empty or a list"),
        ("    5", "'matrix.cases' must be a list"),
        ("    []", "'matrix.cases' must be a list"),
    ],
)
def test_what_is_refused(tmp_path: Path, cases: str, message: str) -> None:
    assert message in refused(tmp_path, cases)


def test_a_fault_in_a_case_is_told_where_it_stands(tmp_path: Path) -> None:
    assert "s.yaml:5: 'vm.ram'" in refused(tmp_path, "    - {vm.ram: 1Gbit}")

"""The services in a scenario: read with units, scaled, one by one in the matrix, and refused where they stand."""

from pathlib import Path

import pytest

from guest_agent.services import build
from testbed.core.errors import ScenarioError
from testbed.core.units import PAGE_SIZE
from testbed.scenario import Scenario, load
from testbed.scenario.schema.scenario_schema import scenario_schema

BASE = """\
scale: {size: 32, time: 8}
vm:
  ram: 64GiB
  workload: {name: uniform, working_set: 16GiB, write_rate: 1Gbit}
  services:
    - {name: iometer, block: 64KiB, iops: 3200/s, size: 16GiB, buffers: 1GiB}
    - {name: oltp, think_time: 2ms}
    - echo
"""


def of(tmp_path: Path, text: str, *overrides: str) -> Scenario:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    return load(str(file), overrides=overrides)


def refused(tmp_path: Path, text: str, *overrides: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        of(tmp_path, text, *overrides)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_they_are_read_with_units_and_scaled_by_their_kinds(tmp_path: Path) -> None:
    (plan,) = of(tmp_path, BASE).plans()
    iometer, oltp, echo = plan.guest.services
    assert (iometer["block"], iometer["iops"]) == (64 * 2**10, 100)
    assert (iometer["size"], iometer["buffers"]) == (16 * 2**30 // 256, 2**30 // 256)
    assert (oltp["think_time"], oltp["accounts"]) == (pytest.approx(0.064), 100_000)
    assert echo["name"] == "echo" and plan.guest.probe and plan.migration.connections == "move"
    assert all(build(each).area_pages > 0 for each in plan.guest.services)


def test_probe_and_connections_may_be_left_out(tmp_path: Path) -> None:
    (plan,) = of(tmp_path, BASE, "vm.probe=false", "migration.connections=reset").plans()
    assert not plan.guest.probe and plan.migration.connections == "reset"
    assert "did you mean 'reset'?" in refused(tmp_path, BASE, "migration.connections=resett")


def test_one_may_stand_alone(tmp_path: Path) -> None:
    alone = of(tmp_path, BASE, "vm.services=oltp", "vm.services.0.sessions=3")
    assert [each["sessions"] for each in alone.plans()[0].guest.services] == [3]
    assert of(tmp_path, "vm: {ram: 1GiB, services: {name: echo, size: 9}}").plans()[0].guest.services[0]["size"] == 9


def test_it_is_written_out_and_loads_to_the_same(tmp_path: Path) -> None:
    for overrides in (
        [],
        ["vm.services.0.iops=[100/s, 5/s]"],
        ["vm.services.2.name=echo"],
        ["vm.services=[echo, oltp]"],
    ):
        scenario = of(tmp_path, BASE, *overrides)
        assert of(tmp_path, scenario.resolved_yaml()).plans() == scenario.plans()


def test_the_matrix_addresses_them_by_number(tmp_path: Path) -> None:
    text = BASE + "matrix:\n  vm.services.0.iops: [32/s, 64/s]\n  vm.services.2.size: [1, 2]\n"
    plans = of(tmp_path, text).plans()
    assert [plan.name for plan in plans] == [f"iops={rate}/s size={size}" for rate in (32, 64) for size in (1, 2)]
    assert [plan.guest.services[0]["iops"] for plan in plans] == [1, 1, 2, 2]
    assert [plan.guest.services[2]["size"] for plan in plans] == [1, 2, 1, 2]


def test_the_matrix_takes_whole_lists(tmp_path: Path) -> None:
    lists = "[[], [iometer], [{name: iometer, block: 64KiB, read: 1}, echo], oltp]"
    scenario = of(tmp_path, f"vm: {{ram: 1GiB}}\nmatrix:\n  vm.services: {lists}\n")
    plans = scenario.plans()
    assert [plan.name for plan in plans] == [
        "services=none",
        "services=iometer",
        "services=iometer,block=64KiB,read=1+echo",
        "services=oltp",
    ]
    assert [len(plan.guest.services) for plan in plans] == [0, 1, 2, 1]
    assert of(tmp_path, scenario.resolved_yaml()).plans() == plans


def test_cases_set_parts_of_one_together(tmp_path: Path) -> None:
    text = BASE + (
        "matrix:\n  cases:\n    - {vm.services.0.block: 4KiB, vm.services.0.read: 0.7}\n"
        "    - {vm.services.0.block: 64KiB, vm.services.0.read: 1}\n"
    )
    assert [plan.name for plan in of(tmp_path, text).plans()] == ["block=4KiB read=0.7", "block=64KiB read=1"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("vm.services=iometr", "'vm.services.0.name': no service is called 'iometr'; did you mean 'iometer'?"),
        ("vm.services.0.iop=1", "'vm.services.0.iop': service 'iometer' has no parameter 'iop'; did you mean 'iops'?"),
        ("vm.services.0.iops=1s", "'vm.services.0.iops': expected a number a second such as 2000/s"),
        ("vm.services.2=oltp", "'vm.services.2.name': the service 'oltp' stands here a second time; remove one"),
        ("vm.services.3=echo", "'vm.services' is a list of 3; number its items from 0"),
        ("vm.services=5", "must be a list of services"),
        ("vm.services.0.read=2", "read must lie between 0 and 1"),
        ("vm.probe=perhaps", "'vm.probe': must be true or false"),
    ],
)
def test_what_is_refused(tmp_path: Path, override: str, message: str) -> None:
    assert message in refused(tmp_path, BASE, override)


def test_a_fault_is_told_where_it_stands(tmp_path: Path) -> None:
    assert refused(tmp_path, BASE.replace("- echo", "- {name: echo, windows: 2}")).startswith("s.yaml:8: ")
    assert refused(tmp_path, BASE.replace("size: 16GiB", "size: 1MiB")).startswith("s.yaml:6: service 'iometer'")


def test_areas_have_to_leave_room_for_the_working_set(tmp_path: Path) -> None:
    said = refused(tmp_path, BASE.replace("working_set: 16GiB", "working_set: 63GiB"))
    assert said.startswith("s.yaml:5: the services need ") and "vm.ram is 68.7 GB" in said
    of(tmp_path, BASE.replace("working_set: 16GiB, ", ""))
    small = BASE.replace("working_set: 16GiB, ", "").replace("64GiB", "1GiB")
    assert "give more RAM, or smaller services" in refused(tmp_path, small)


def test_working_sets_of_phases_count_too(tmp_path: Path) -> None:
    phases = "{name: phases, phases: [{name: idle, duration: 1s}, {name: uniform, working_set: 63GiB, duration: 1s}]}"
    text = BASE.replace("{name: uniform, working_set: 16GiB, write_rate: 1Gbit}", phases)
    assert "beside a working set of 67.6 GB" in refused(tmp_path, text)


def test_a_claim_of_a_ratio(tmp_path: Path) -> None:
    text = BASE + (
        "matrix:\n  network.vmotion.rate: [10Gbit, 40Gbit]\n"
        "published:\n  - {compare: network.vmotion.rate, figure: longest_halt, ratio_at_least: 3, source: figure 5}\n"
    )
    scenario = of(tmp_path, text)
    (claim,) = scenario.published
    assert (claim.figure, claim.published, claim.unit, claim.a, claim.b) == (
        "longest_halt",
        3,
        "ratio",
        "10Gbit",
        "40Gbit",
    )
    assert of(tmp_path, scenario.resolved_yaml()).published == [claim]
    assert "must be more than 0" in refused(tmp_path, text.replace("ratio_at_least: 3", "ratio_at_least: 0"))
    assert "unknown key" in refused(tmp_path, text.replace("source:", "within: 0.1, source:"))
    assert "not an axis" in refused(tmp_path, text.replace("compare: network.vmotion.rate", "compare: vm.ram"))


def test_the_schema_says_so() -> None:
    properties = scenario_schema()["$defs"]["VirtualMachine"]["properties"]
    assert properties["services"]["anyOf"][0]["type"] == "array" and properties["probe"]["default"] is True
    assert "Ratio" in scenario_schema()["$defs"]


def test_areas_are_whole_pages_beside_the_state(tmp_path: Path) -> None:
    """The least RAM that is accepted is what the guest itself accepts."""
    from guest_agent.config import GuestConfig

    base = "vm: {ram: %dB, workload: uniform, services: [echo]}"
    least = next(ram for ram in range(16, 64) if _loads(tmp_path, base % (ram * PAGE_SIZE)))
    services = list(of(tmp_path, base % (least * PAGE_SIZE)).plans()[0].guest.services)
    GuestConfig(ram_bytes=least * PAGE_SIZE, workload={"name": "uniform"}, services=services).check()


def _loads(tmp_path: Path, text: str) -> bool:
    try:
        return bool(of(tmp_path, text).plans())
    except ScenarioError:
        return False

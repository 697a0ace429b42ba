"""A grid is read as a scenario is, with file and line; its points are known by what they are made of."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.scenario import load as load_scenario
from testbed.sweeps.grid import load
from testbed.sweeps.points import Points
from tests.unit.sweeping import grid


@pytest.mark.parametrize(
    ("keys", "more", "line", "message"),
    [
        ("repeat: 2", "", 5, "unknown key 'sweep.repeat'; did you mean 'repeats'?"),
        ("repeats: 0", "", 5, "'sweep.repeats': must be a whole number from 1 to 10000, not 0"),
        ("repeats: many", "", 5, "'sweep.repeats'"),
        ("until_ci: 5", "", 5, "'sweep.until_ci.within'"),
        ("until_ci: x%", "", 5, "a share such as 0.05 or 5%"),
        ("until_ci: {within: 5%, figure: downtim}", "", 5, "no figure is called 'downtim'; did you mean 'downtime'?"),
        ("canary: helo", "", 5, "'sweep.canary': no scenario is called 'helo'; did you mean 'hello'?"),
        ("canary: {scenario: hello, every: 0}", "", 5, "'sweep.canary.every'"),
        ("repeats: 2", "matrix: {vm.workload: [idle, zipf]}\n", 5, "'matrix' sets 'vm.workload' too"),
        ("repeats: 2", "vm: {rma: 1GiB}\n", 3, "unknown key 'vm.rma'; did you mean 'ram'?"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, keys: str, more: str, line: int, message: str) -> None:
    file = grid(tmp_path, keys, more=more)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert message in str(caught.value) and f"grid.yaml:{line}: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ("vm.ram: 1GiB", "'sweep.axes.vm.ram' must be a list of values"),
        ("vm.ram: [1GiB, 1024MiB]", "'sweep.axes.vm.ram' lists 1GiB and 1024MiB, which are the same; remove one"),
        ("seed: [1, 2]", "cannot set 'seed'"),
        ("vm.rma: [1GiB]", "unknown key 'vm.rma'"),
        ("vm.workload.write_rate: [1MB/s], vm.workload: [idle]", "put it first, or remove one"),
        ("cases: [{vm.ram: 1GiB}, {vm.ram: 1GiB}]", "stands here a second time"),
    ],
)
def test_axes_are_read_as_the_matrix_is(tmp_path: Path, axes: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(grid(tmp_path, axes=axes))
    assert message in str(caught.value) and "grid.yaml:4" in str(caught.value)


def test_a_scenario_without_a_sweep_is_no_grid(tmp_path: Path) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text("extends: hello\n")
    with pytest.raises(ScenarioError, match=r"'sweep' is missing: sweep: \{axes: "):
        load(file)
    file.write_text("extends: hello\nsweep: 5\n")
    with pytest.raises(ScenarioError, match=r"plain\.yaml:2: 'sweep' must be a mapping"):
        load(file)


def test_each_combination_is_the_scenario_with_its_values(tmp_path: Path) -> None:
    loaded = load(grid(tmp_path, more="matrix: {migration.streams: [1, 2]}\n"))
    assert [arm.name for arm in loaded.arms] == [
        "write_rate=12MB/s goodput=500Mbit",
        "write_rate=12MB/s goodput=900Mbit",
        "write_rate=24MB/s goodput=500Mbit",
        "write_rate=24MB/s goodput=900Mbit",
    ]
    alone = ["vm.workload.write_rate=24MB/s", "network.vmotion.goodput=500Mbit", "migration.streams=[1, 2]"]
    expected = load_scenario("hello", overrides=[*alone, "name=grid", "engine=simulated"])
    assert loaded.arms[2].scenario.plans() == expected.plans() and loaded.name == "grid"


def test_a_block_is_every_combination_shuffled_by_its_seed(tmp_path: Path) -> None:
    many = "network.vmotion.goodput: [500Mbit, 600Mbit, 700Mbit, 800Mbit, 900Mbit, 950Mbit, 970Mbit]"
    one, again = (Points(load(grid(tmp_path, "repeats: 3", many)), "simulated") for _ in range(2))
    other = Points(load(grid(tmp_path, "repeats: 3\norder_seed: 2", many)), "simulated")
    orders = [[point.arm.index for point in one.block(repeat)] for repeat in (1, 2, 3)]
    assert all(sorted(order) == list(range(7)) for order in orders) and len(set(map(tuple, orders))) == 3
    assert [point.id for point in one.listed()] == [point.id for point in again.listed()]
    assert {point.id for point in one.listed()} == {point.id for point in other.listed()}
    assert [point.id for point in one.listed()] != [point.id for point in other.listed()]
    assert [point.number for point in one.listed()] == list(range(21))
    assert [one.numbered(number) for number in range(21)] == one.listed()
    assert {point.seed for point in one.block(3)} == {3}, "a repeat has a seed of its own, the same for all"


def test_an_id_is_of_what_makes_a_point_and_of_nothing_else(tmp_path: Path) -> None:
    first = Points(load(grid(tmp_path)), "simulated").listed()
    spelt = "vm.workload.write_rate: [12000kB/s, 0.024GB/s], network.vmotion.goodput: [0.5Gbit, 900Mbit]"
    assert {each.id for each in Points(load(grid(tmp_path, axes=spelt)), "simulated").listed()} == {
        each.id for each in first
    }, "however it is written"
    more = Points(load(grid(tmp_path, "repeats: 3")), "simulated").listed()
    assert {each.id for each in first} < {each.id for each in more} and len({each.id for each in more}) == 12
    for engine, text in (("native", ""), ("simulated", "migration: {streams: 2}\n"), ("simulated", "seed: 100\n")):
        others = Points(load(grid(tmp_path, more=text)), engine).listed()
        assert not {each.id for each in first} & {each.id for each in others}


def test_code_of_ones_own_is_part_of_an_id_and_told_of_once(tmp_path: Path) -> None:
    policy = tmp_path / "mine.py"
    ours = Path(__file__).parents[2] / "testbed" / "policies" / "plain.py"
    source = ours.read_text().replace('@register("plain")', "")
    policy.write_text(source)
    file = grid(tmp_path, more=f"migration: {{policy: {{name: {policy}, downtime_goal: 50ms}}}}\n")
    told: list[Path] = []
    before = {each.id for each in Points(load(file, told.append), "simulated").listed()}
    assert told == [policy]
    policy.write_text(source + "\n# another\n")
    assert not before & {each.id for each in Points(load(file), "simulated").listed()}


@given(number=st.integers())
def test_a_number_is_that_of_a_point_or_of_none(tmp_path_factory: pytest.TempPathFactory, number: int) -> None:
    points = Points(load(grid(tmp_path_factory.mktemp("grid"))), "simulated")
    if 0 <= number < 8:
        assert points.numbered(number).number == number
    else:
        with pytest.raises(IndexError):
            points.numbered(number)

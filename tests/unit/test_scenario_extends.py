"""``extends``: a scenario that says only what differs from another; every fault is told where it was written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from testbed import scenarios
from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.scenario import Scenario, load
from testbed.scenario.extends import MOST
from testbed.scenario.recorded import base
from tests.unit.test_scenario_schema import validator

BASE = """\
title: the one below
seed: 7
network: {vmotion: {rate: 1Gbit, delay: 1ms}}
vm:
  ram: 64MiB
  workload: {name: hot-cold, working_set: 16MiB, write_rate: 8MB/s, hot_share: 0.2}
  services: [echo]
migration: {policy: plain, streams: 2}
"""


def written(folder: Path, **files: str) -> Path:
    """Each text as a scenario's file; the path of the last."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / f"{list(files)[-1]}.yaml"


def of(folder: Path, own: str) -> Scenario:
    return load(written(folder, base=BASE, own=f"extends: ./base.yaml\n{own}"))


def refused(file: Path) -> str:
    with pytest.raises(ScenarioError) as raised:
        load(file)
    assert "\n" not in str(raised.value)
    return str(raised.value).replace(f"{file.parent}/", "")


def test_one_of_ours_by_its_name_and_only_what_differs(tmp_path: Path) -> None:
    busier = load(written(tmp_path, busier="extends: hello\nvm: {workload: {write_rate: 48MB/s}}"))
    hello = load("hello")
    assert (busier.name, busier.title) == ("busier", hello.title)
    [plan], [before] = busier.plans(), hello.plans()
    assert plan.guest.workload == before.guest.workload | {"write_rate": 48e6}
    assert (plan.network, plan.migration) == (before.network, before.migration)


@pytest.mark.parametrize(
    ("own", "path", "value"),
    [
        ("", "name", "own"),
        ("name: other", "name", "other"),
        ("", "seed", 7),
        ("network: {vmotion: {delay: null}}", "network.vmotion", {"rate": 1e9, "delay": 0}),
        ("network: {vmotion: {rate: null, goodput: 900Mbit}}", "network.vmotion", {"rate": None, "goodput": 9e8}),
        ("network: null", "network.vmotion.rate", None),
        ("vm: {workload: {hot_share: 0.5}}", "vm.workload", {"name": "hot-cold", "hot_share": 0.5, "write_rate": 8e6}),
        ("vm: {workload: {name: hot-cold, hot_share: 0.5}}", "vm.workload", {"working_set": 2**24}),
        ("vm: {workload: {name: uniform}}", "vm.workload", {"name": "uniform", "working_set": None}),
        ("vm: {workload: idle}", "vm.workload", {"name": "idle"}),
        ("vm: {services: null}", "vm.services", []),
        ("migration: {policy: {downtime_goal: 90ms}}", "migration.policy", {"name": "plain", "downtime_goal": 0.09}),
        ("migration: {policy: xen}", "migration.streams", 2),
    ],
)
def test_mappings_are_merged_and_all_else_is_replaced(tmp_path: Path, own: str, path: str, value: Any) -> None:
    found: Any = of(tmp_path, own).first
    for key in path.split("."):
        found = getattr(found, key)
    found = vars(found) if hasattr(found, "model_dump") else found
    assert (found | value if isinstance(value, dict) else value) == found


def test_a_service_is_replaced_and_never_mixed_with_another(tmp_path: Path) -> None:
    for written_so in ("[iometer]", "{name: iometer, block: 8KiB}"):
        [service] = of(tmp_path, f"vm: {{services: {written_so}}}").first.vm.services
        assert service["name"] == "iometer"


def test_over_several_from_folder_to_folder(tmp_path: Path) -> None:
    written(tmp_path, base=BASE)
    written(tmp_path / "course", week="extends: ../base.yaml\nseed: 8\nmigration: {streams: 4}")
    mine = written(tmp_path / "mine", mine="extends: ../course/week.yaml\nmigration: {streams: 8}")
    loaded = load(mine)
    assert (loaded.seed, loaded.first.migration.streams, loaded.first.vm.ram) == (8, 8, 64 * 2**20)


def test_matrix_and_settings_stand_on_the_whole(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        base=f"{BASE}matrix: {{vm.ram: [64MiB, 128MiB], seedless: [1]}}\n",
        own="extends: base.yaml\nmatrix: {seedless: null, migration.streams: [1, 2]}",
    )
    assert [plan.name for plan in load(file).plans()][:2] == ["ram=64MiB streams=1", "ram=64MiB streams=2"]
    assert len(load(file, overrides=["vm.ram=32MiB", "migration.streams=4"]).plans()) == 1
    with pytest.raises(ScenarioError, match="unknown key 'extends'"):
        load(file, overrides=["extends=hello"])


def test_what_is_recorded_is_the_whole_and_loads_to_the_same(tmp_path: Path) -> None:
    scenario = of(tmp_path, "matrix: {migration.streams: [1, 2]}\nvm: {workload: {write_rate: 4MB/s}}")
    assert "extends" not in scenario.resolved_yaml()
    elsewhere = tmp_path / "elsewhere" / "own.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(scenario.resolved_yaml())
    assert load(elsewhere).plans() == scenario.plans()


def test_a_runs_folder_has_the_whole(tmp_path: Path) -> None:
    file, out = written(tmp_path, base=BASE, own="extends: ./base.yaml\nvm: {services: null}"), tmp_path / "out"
    assert main(["run", str(file), "--engine", "simulated", "--quiet", "--out", str(out)]) == 0
    (tmp_path / "base.yaml").unlink()
    kept = (out / "scenario.yaml").read_text()
    assert "extends" not in kept and base(kept, "scenario.yaml").tree["vm"]["workload"]["name"] == "hot-cold"
    assert json.loads((out / "summary.json").read_text())["scenario"] == "own"
    assert main(["audit", str(out)]) == 0


def test_a_record_that_says_to_stand_on_another_is_not_followed(tmp_path: Path) -> None:
    text = "seed: 1\nextends: hello\n"
    with pytest.raises(ScenarioError, match=r"^scenario.yaml:2: 'extends' does not stand in a run's scenario"):
        base(text, "scenario.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("extends: helo", "own.yaml:1: 'extends': no scenario is called 'helo'; did you mean 'hello'?"),
        ("extends: ./none.yaml", "own.yaml:1: 'extends': there is no file"),
        ("extends: .", "own.yaml:1: 'extends': no scenario is called '.'"),
        ("extends: ./", "own.yaml:1: 'extends' must be a .yaml file, by the way from this one"),
        ("extends: /etc/passwd", "own.yaml:1: 'extends' must be a .yaml file, by the way from this one"),
        ("extends: ~/base.yaml", "own.yaml:1: 'extends' must be a .yaml file, by the way from this one"),
        ("seed: 1\nextends: [base]", "own.yaml:2: 'extends' must be the name of a scenario, or a file such as"),
        ("extends: null", "own.yaml:1: 'extends' must be the name of a scenario, or a file such as"),
        ('extends: "a\\0.yaml"', "own.yaml:1: 'extends' must be the name of a scenario, or a file such as"),
        ("extends: own.yaml", "own.yaml:1: 'extends' goes round in a circle: own.yaml -> own.yaml"),
        ("extends: ./folder.yaml", "own.yaml:1: 'extends': there is no file"),
        ("extends: ./link.yaml", "own.yaml:1: 'extends': a link leads to './link.yaml'; name the file itself"),
        ("extends: ./over/base.yaml", "own.yaml:1: 'extends': a link leads to './over/base.yaml'"),
        ("extends: base.yaml\nvm: {rma: 1GiB}", "own.yaml:2: unknown key 'vm.rma'; did you mean 'ram'?"),
        ("extends: base.yaml\nvm: {workload: {name: uniform, hot_share: 0.1}}", "own.yaml:2: 'vm.workload.hot_share'"),
        ("extends: wrong.yaml\nvm: {probe: false}", "wrong.yaml:3: unknown key 'vm.rma'; did you mean 'ram'?"),
        ("extends: wrong.yaml", "wrong.yaml:3: unknown key 'vm.rma'"),
        ("extends: broken.yaml", "broken.yaml:1: not valid YAML"),
        ("extends: base.yaml\nnetwork: {vmotion: {goodput: 1Gbit}}", "own.yaml:2: 'network.vmotion': give rate or"),
        ("extends: base.yaml\nvm: {workload: {working_set: 1GiB}}", "own.yaml:2: a working set of"),
        ("extends: base.yaml\nvm: {ram: 1MiB}", "base.yaml:6: a working set of"),
    ],
)
def test_what_is_wrong_is_told_where_it_was_written(tmp_path: Path, text: str, said: str) -> None:
    written(tmp_path, base=BASE, wrong="seed: 1\nvm:\n  rma: 64MiB\n", broken="vm: {")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to("base.yaml")
    (tmp_path / "over").symlink_to(".")
    assert refused(written(tmp_path, own=text)).startswith(said)


def test_a_circle_and_a_long_chain_end(tmp_path: Path) -> None:
    written(tmp_path, a="extends: b.yaml", b="seed: 1\nextends: c.yaml", c="extends: ./a.yaml")
    assert refused(tmp_path / "a.yaml").startswith("c.yaml:1: 'extends' goes round in a circle: a.yaml -> b.yaml -> c")
    for number in range(MOST + 1):
        written(tmp_path, **{f"n{number}": f"extends: n{number + 1}.yaml"})
    written(tmp_path, **{f"n{MOST + 1}": BASE})
    assert load(tmp_path / "n1.yaml").seed == 7
    assert f"more than {MOST} scenarios" in refused(tmp_path / "n0.yaml")


def test_the_folder_of_the_file_may_be_reached_over_a_link(tmp_path: Path) -> None:
    of(tmp_path / "real", "")
    (tmp_path / "link").symlink_to("real")
    assert load(tmp_path / "link" / "own.yaml").seed == 7


@pytest.mark.parametrize(
    ("tree", "right"),
    [
        ({"extends": "hello"}, True),
        ({"extends": "./base.yaml", "vm": {"workload": {"write_rate": "1MB/s"}}}, True),
        ({"extends": "helo"}, False),
        ({"extends": "/etc/base.yaml"}, False),
        ({"extends": "hello", "vm": {"rma": 1}}, False),
        ({"seed": 1}, False),
    ],
)
def test_editors_know_it(tree: Any, right: bool) -> None:
    assert validator().is_valid(tree) is right


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_of_ours_can_be_stood_on(tmp_path: Path, name: str) -> None:
    text = load(written(tmp_path, own=f"extends: {name}\nname: {name}")).resolved_yaml()
    assert re.sub("seed: .*", "", text) == re.sub("seed: .*", "", load(name).resolved_yaml())

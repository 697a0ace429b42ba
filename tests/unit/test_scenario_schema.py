"""What the loader takes the printed schema takes, and the other way round: both are asked about the same trees."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings

from testbed import scenarios
from testbed.scenario import document, load
from testbed.scenario.schema.scenario_schema import scenario_schema
from tests.unit.schemas import BETWEEN, NO_FILE, as_read, refusal
from tests.unit.trees import ROOT, TREES, changed

SHIPPED = ROOT / "testbed" / "scenarios" / "scenario.schema.json"


@cache
def validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(scenario_schema())


def agree(tree: Any, folder: Path) -> None:
    tree = as_read(tree, folder)
    if tree is None:
        return
    refused = refusal(load, tree, folder)
    faults = [f"{fault.json_path}: {fault.message[:200]}" for fault in validator().iter_errors(tree)]
    if refused is None:
        assert faults == [], tree
    elif not faults:
        assert any(re.search(each, refused) for each in BETWEEN.values()), (refused, tree)


def test_it_is_a_schema_that_editors_know() -> None:
    jsonschema.Draft7Validator.check_schema(scenario_schema())


def test_the_shipped_schema_is_that_of_the_models() -> None:
    said = "testbed schema scenario > testbed/scenarios/scenario.schema.json"
    assert json.loads(SHIPPED.read_text(encoding="utf-8")) == scenario_schema(), f"made anew by: {said}"


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_has_a_line_for_editors(name: str) -> None:
    file = scenarios.path_of(name)
    line = file.read_text(encoding="utf-8").splitlines()[0]
    path = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", line)
    assert path is not None and (file.parent / path[1]).samefile(SHIPPED)


@pytest.mark.parametrize("tree", TREES)
def test_scenarios_and_examples_go_through_both(tree: Any, tmp_path: Path) -> None:
    said = refusal(load, tree, tmp_path)
    assert said is None or NO_FILE in said, "code of one's own does not lie here"
    assert list(validator().iter_errors(tree)) == []


@pytest.mark.parametrize("name", scenarios.names())
def test_what_a_run_writes_down_goes_through_both(name: str, tmp_path: Path) -> None:
    tree = document.parse(load(name).resolved_yaml(), name).tree
    assert refusal(load, tree, tmp_path) is None
    assert list(validator().iter_errors(tree)) == []


WRONG = {
    "no RAM": "vm: {}",
    "no guest": "name: x",
    "a topology": "vm: {ram: 1GiB}\nnetwork: {topology: three-hosts}",
    "a tracker": "vm: {ram: 1GiB}\nmigration: {tracker: uffd}",
    "an engine": "vm: {ram: 1GiB}\nengine: qemu",
    "a congestion control": "vm: {ram: 1GiB}\nnetwork: {vmotion: {congestion: qubic}}",
    "loss": "vm: {ram: 1GiB}\nnetwork: {vmotion: {loss: 2}}",
    "loss as a text": "vm: {ram: 1GiB}\nnetwork: {vmotion: {loss: '2'}}",
    "RAM of nothing": "vm: {ram: 0GiB}",
    "RAM in bits": "vm: {ram: 1Gbit}",
    "a rate without a unit": "vm: {ram: 1GiB}\nnetwork: {vmotion: {rate: 10}}",
    "streams": "vm: {ram: 1GiB}\nmigration: {streams: 17}",
    "a workload": "vm: {ram: 1GiB, workload: unifrom}",
    "a parameter": "vm: {ram: 1GiB, workload: {name: uniform, wss: 1GiB}}",
    "a parameter's unit": "vm: {ram: 1GiB, workload: {name: uniform, write_rate: 5s}}",
    "a service's parameter": "vm: {ram: 1GiB, services: [{name: echo, iops: 5/s}]}",
    "phases without a duration": "vm: {ram: 1GiB, workload: {name: phases, phases: [{name: idle}]}}",
    "a policy": "vm: {ram: 1GiB}\nmigration: {policy: fast}",
    "a policy's choice": "vm: {ram: 1GiB}\nmigration: {policy: {name: deadline, then: wait}}",
    "an unknown key": "vm: {ram: 1GiB, rma: 2GiB}",
    "rate and goodput": "vm: {ram: 1GiB}\nnetwork: {vmotion: {rate: 1Gbit, goodput: 1Gbit}}",
    "an axis elsewhere": "vm: {ram: 1GiB}\nmatrix: {name: [a, b]}",
    "a misspelt axis": "vm: {ram: 1GiB}\nmatrix: {vm.rma: [1GiB]}",
    "a wrong value on an axis": "vm: {ram: 1GiB}\nmatrix: {migration.streams: [1, 17]}",
    "a wrong value in a case": "vm: {ram: 1GiB}\nmatrix: {cases: [{vm.ram: 1Gbit}]}",
    "what the matrix replaces": "vm: {ram: lots}\nmatrix: {vm.ram: [1GiB, 2GiB]}",
    "a claim without a source": "vm: {ram: 1GiB}\npublished: [{total_time: 3s}]",
    "a claim of nothing": "vm: {ram: 1GiB}\npublished: [{source: me}]",
    "a space without a break": 'vm: {ram: 1GiB}\ntitle: "a\u00a0b"',
    "a name with a line end": 'vm: {ram: 1GiB}\nname: "a\\n"',
}


@pytest.mark.parametrize("case", WRONG)
def test_both_refuse(case: str, tmp_path: Path) -> None:
    tree = document.parse(WRONG[case], case).tree
    assert refusal(load, tree, tmp_path) is not None
    assert list(validator().iter_errors(tree)) != []


RIGHT = {
    "no name": "vm: {ram: 1GiB}",
    "RAM by the matrix": "vm: {workload: idle}\nmatrix: {vm.ram: [1GiB, 2GiB]}",
    "RAM by the cases": "matrix: {cases: [{vm.ram: 1GiB}, {vm.ram: 2GiB}]}",
    "a workload's name by the matrix": "vm: {ram: 1GiB, workload: {write_rate: 5MB/s}}\n"
    "matrix: {vm.workload.name: [uniform, zipf]}",
    "keys without a value": "vm: {ram: 1GiB}\nmatrix:\npublished:\nnetwork: {cross_traffic: null}",
    "whole numbers with a point": "vm: {ram: 1GiB, change_bytes: 64.0}\nmigration: {streams: 2.0}\nseed: 1.0",
    "numbers in quotes": "vm: {ram: '2e9', zero_share: '0.5'}\nscale: {size: '2'}",
    "a large number without a unit": "vm: {ram: 4_000_000}\nnetwork: {vmotion: {rate: 1000000000, delay: 0.5}}",
    "parts of the network as an axis": "vm: {ram: 1GiB}\nmatrix: {network.vmotion: [{rate: 1Gbit}, {goodput: 1Gbit}]}",
    "few bytes a second": "vm: {ram: 1GiB}\nnetwork: {vmotion: {goodput: 0.5kB/s}}",
    "one service alone": "vm: {ram: 1GiB, services: echo}",
    "services as an axis": "vm: {ram: 1GiB}\nmatrix: {vm.services: [[], echo, [oltp, {name: echo, size: 3}]]}",
    "a part of a service": "vm: {ram: 1GiB, services: [echo]}\nmatrix: {vm.services.0.connections: [1, 2]}",
    "phases as an axis": "vm: {ram: 1GiB, workload: {name: phases, phases: [{name: idle, duration: 2}]}}\n"
    "matrix: {vm.workload.phases.0.duration: [1s, 2s]}",
}


@pytest.mark.parametrize("case", RIGHT)
def test_both_take(case: str, tmp_path: Path) -> None:
    tree = document.parse(RIGHT[case], case).tree
    assert refusal(load, tree, tmp_path) is None
    assert list(validator().iter_errors(tree)) == []


def test_a_policy_of_ones_own_has_parameters_of_its_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text((ROOT / "testbed/policies/plain.py").read_text().replace('@register("plain")\n', ""))
    tree = {"vm": {"ram": "1GiB"}, "migration": {"policy": {"name": str(mine), "downtime_goal": "1s"}}}
    assert refusal(load, tree, tmp_path) is None
    assert list(validator().iter_errors(tree)) == []


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=changed())
@example(tree={"vm": {"ram": "1GiB"}, "matrix": {"vm": [{"ram": "2GiB"}]}})
@example(tree={"vm": {"ram": "1e1GiB"}, "migration": {"policy": {"name": "plain", "downtime_goal": 9.5}}})
def test_they_agree_on_what_is_changed(tree: Any, tmp_path: Path) -> None:
    agree(tree, tmp_path)

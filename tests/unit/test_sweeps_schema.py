"""A grid's schema: what the loader takes it takes, and the other way round; both are asked about the same trees."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.scenario import document
from testbed.scenarios import beginning
from testbed.sweeps.grid import load
from testbed.sweeps.schema import sweep_schema
from tests.unit.documents import blocks
from tests.unit.schemas import BETWEEN, as_read, refusal
from tests.unit.trees import ROOT, SCALARS, TREES

SHIPPED = ROOT / "testbed" / "scenarios" / "sweep.schema.json"
EXTENDED = "'extends': there is no file"
ONLY_GRIDS = (
    "which is what each point runs",
    "has more than 100000 combinations",
    "'sweep.axes.cases' sets",
    EXTENDED,
    r"'sweep.canary': (there is no file|.*cannot be read|.*is not a file)",
)
"""What beside a scenario's own shows only between two keys, or in files."""


@cache
def validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(sweep_schema())


def test_it_is_a_schema_that_editors_know_and_is_shipped() -> None:
    jsonschema.Draft7Validator.check_schema(sweep_schema())
    said = "testbed schema sweep > testbed/scenarios/sweep.schema.json"
    assert json.loads(SHIPPED.read_text(encoding="utf-8")) == sweep_schema(), f"made anew by: {said}"


def test_the_documents_grids_begin_with_the_line_that_editors_read(tmp_path: Path) -> None:
    grids = [each.text for each in blocks() if each.document == "docs/sweep.md" and each.language == "yaml"]
    assert len(grids) > 1 and SHIPPED.name == beginning.GRID_SCHEMA
    for grid in grids:
        assert grid.splitlines()[0] == beginning.GRID_LINE
        tree = document.parse(grid, "grid").tree
        assert refusal(load, tree, tmp_path) is None and list(validator().iter_errors(tree)) == []


RIGHT = {
    "a path": "axes: {vm.ram: [1GiB, 2GiB]}",
    "nothing": "{}",
    "all keys": "axes: {}\nrepeats: 5.0\norder_seed: 0\nuntil_ci: 5%\ncanary: hello",
    "a share": "until_ci: 0.05",
    "a share in quotes": "until_ci: '0.05'",
    "a share with a space": "until_ci: 2.5 %",
    "keys of an interval": "until_ci: {figure: downtime, within: 5%, most: 2}",
    "keys of a canary": "canary: {scenario: policies, every: 5, within: 10%}",
    "keys without a value": "until_ci:\ncanary:",
    "cases": "axes: {cases: [{vm.ram: 1GiB}, {vm.ram: 2GiB}]}",
    "a part of the network": "axes: {network.vmotion: [{rate: 1Gbit}, {goodput: 1Gbit}]}",
    "a parameter": "axes: {vm.workload.write_rate: [1MB/s], migration.policy: [plain, xen]}",
}
WRONG = {
    "a key": "repeat: 5",
    "no repeats": "repeats: 0",
    "repeats in words": "repeats: many",
    "half a repeat": "repeats: 1.5",
    "repeats of nothing": "repeats:",
    "an axis of one value": "axes: {vm.ram: 1GiB}",
    "an axis of none": "axes: {vm.ram: []}",
    "axes of nothing": "axes:",
    "axes in a list": "axes: [vm.ram]",
    "a misspelt axis": "axes: {vm.rma: [1GiB]}",
    "an axis elsewhere": "axes: {seed: [1, 2]}",
    "an axis of the sweep's own": "axes: {sweep.repeats: [1, 2]}",
    "a value": "axes: {migration.streams: [1, 17]}",
    "a value in a case": "axes: {cases: [{vm.ram: 1Gbit}]}",
    "a share": "until_ci: 5",
    "a share in words": "until_ci: x%",
    "a share of no number": "until_ci: nan%",
    "a share beyond all": "until_ci: 101%",
    "a share with an exponent": "until_ci: 1e1%",
    "true": "until_ci: true",
    "a figure": "until_ci: {within: 5%, figure: downtim}",
    "no share": "until_ci: {figure: downtime}",
    "one repeat at most": "until_ci: {within: 5%, most: 1}",
    "a canary": "canary: helo",
    "a canary of its own": "canary: {extends: hello}",
    "a canary after none": "canary: {scenario: hello, every: 0}",
}


def trees(keys: str) -> list[Any]:
    """A grid of these keys that stands on a scenario, and one that is whole in itself."""
    sweep = document.parse(f"sweep:\n  {keys.replace(chr(10), chr(10) + '  ')}\n", "grid").tree
    whole = {"vm": {"ram": "1GiB", "workload": {"name": "uniform", "write_rate": "5MB/s"}}}
    return [{"extends": "hello", **sweep}, {**whole, **sweep}]


@pytest.mark.parametrize("case", RIGHT)
def test_both_take(case: str, tmp_path: Path) -> None:
    for tree in trees(RIGHT[case]):
        assert refusal(load, tree, tmp_path) is None
        assert list(validator().iter_errors(tree)) == []


@pytest.mark.parametrize("case", WRONG)
def test_both_refuse(case: str, tmp_path: Path) -> None:
    for tree in trees(WRONG[case]):
        assert refusal(load, tree, tmp_path) is not None
        assert list(validator().iter_errors(tree)) != []


AXES = {"axes": {"vm.ram": ["1GiB"]}}


@pytest.mark.parametrize(
    ("tree", "good"),
    [
        ({"sweep": AXES}, True),
        ({"sweep": {"axes": {"cases": [{"vm.ram": "1GiB"}]}}}, True),
        ({"sweep": {}}, False),
        ({"vm": {"ram": "1GiB"}}, False),
        ({"vm": {"ram": "1GiB"}, "sweep": None}, False),
        ({"vm": {"ram": "1GiB"}, "sweep": 5}, False),
        ({"vm": {"ram": "lots"}, "sweep": AXES}, False),
        ({"vm": {"rma": "1GiB"}, "sweep": AXES}, False),
        ({"vm": {"workload": {"write_rate": "5MB/s"}}, "sweep": AXES}, False),
        ({"vm": {"workload": {"write_rate": "5MB/s"}, "ram": "1GiB"},
          "sweep": {"axes": {"vm.workload.name": ["uniform", "zipf"]}}}, True),
        ({"vm": {"ram": "1GiB"}, "matrix": {"migration.streams": [1, 2]}, "sweep": {}}, True),
        ({"vm": {"ram": "1GiB"}, "matrix": {"migration.streams": [1, 17]}, "sweep": {}}, False),
    ],
)  # fmt: skip
def test_what_an_axis_gives_may_be_missing_and_what_it_replaces_may_not_be_wrong(
    tree: Any, good: bool, tmp_path: Path
) -> None:
    assert (refusal(load, tree, tmp_path) is None) is good
    assert (list(validator().iter_errors(tree)) == []) is good


AXIS = st.sampled_from(["vm.ram", "vm.workload.write_rate", "network.vmotion.goodput", "migration.streams", "vm.rma"])
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "axes": st.dictionaries(AXIS, st.lists(SCALARS, max_size=2), max_size=2) | SCALARS,
        "repeats": SCALARS,
        "order_seed": SCALARS,
        "until_ci": SCALARS
        | st.sampled_from(["5%", "100%", "0%", "5 %", "%", "1_0%"])
        | st.fixed_dictionaries({}, optional={"within": SCALARS, "figure": SCALARS, "most": SCALARS}),
        "canary": SCALARS | st.fixed_dictionaries({}, optional={"scenario": st.just("hello"), "every": SCALARS}),
    },
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=st.sampled_from(TREES), keys=KEYS | SCALARS)
def test_they_agree_on_grids_of_any_scenario(tree: Any, keys: Any, tmp_path: Path) -> None:
    read = as_read({**tree, "sweep": keys}, tmp_path)
    refused = refusal(load, read, tmp_path)
    faults = [f"{fault.json_path}: {fault.message[:200]}" for fault in validator().iter_errors(read)]
    if refused is None:
        assert faults == []
    elif not faults:
        assert any(re.search(each, refused) for each in (*BETWEEN.values(), *ONLY_GRIDS)), refused

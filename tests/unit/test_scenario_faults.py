"""Every wrong scenario is one line: file and line, what was expected, the nearest right word."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from pydantic_core._pydantic_core import list_all_errors

from testbed.core.errors import ScenarioError
from testbed.scenario import load
from tests.unit.trees import changed

GOOD = "vm: {ram: 1GiB}\n"

WRONG = {
    "a misspelt base": ("extend: hello\n", 1, "unknown key 'extend'; did you mean 'extends'?"),
    "a misspelt key": ("vm:\n  rma: 1GiB\n", 2, "unknown key 'vm.rma'; did you mean 'ram'?"),
    "a misspelt key at the top": (GOOD + "netwrok: {}\n", 2, "did you mean 'network'?"),
    "no RAM": ("name: x\nvm:\n  workload: idle\n", 2, "'vm.ram' is missing: a size such as 128GiB"),
    "no guest": ("name: x\n", None, "'vm' is missing"),
    "a wrong unit": ("vm: {ram: 1Gbit}\n", 1, "expected a size such as 128GiB"),
    "no number": ("vm: {ram: lots}\n", 1, "expected a size such as 128GiB"),
    "a negative size": ("vm: {ram: -1GiB}\n", 1, "expected a size"),
    "no RAM at all": ("vm: {ram: 0}\n", 1, "must be more than 0"),
    "RAM beyond measure": ("vm: {ram: 100000TiB}\n", 1, "at most 64TiB"),
    "true for a size": ("vm: {ram: true}\n", 1, "expected a size"),
    "a scalar for a mapping": ("vm: 3\n", 1, "'vm' must be a mapping of keys, not 3"),
    "nothing for a mapping": ("vm:\n", 1, "'vm' must be a mapping of keys, not nothing"),
    "rate 0": (GOOD + "network: {vmotion: {rate: 0}}\n", 2, "must be more than 0"),
    "rate and goodput": (GOOD + "network:\n  vmotion: {rate: 1Gbit, goodput: 1Gbit}\n", 3, "rate or goodput, not both"),
    "a small MTU": (GOOD + "network: {vmotion: {mtu: 576}}\n", 2, "whole number from 1500 to 9000"),
    "a large MTU": (GOOD + "network: {vmotion: {mtu: 9001}}\n", 2, "whole number from 1500 to 9000"),
    "too much loss": (GOOD + "network: {vmotion: {loss: 1.5}}\n", 2, "at most 1, not 1.5"),
    "loss in per cent": (GOOD + "network: {vmotion: {loss: 1%}}\n", 2, "expected a number"),
    "a long delay": (GOOD + "network: {vmotion: {delay: 1h}}\n", 2, "at most 10s"),
    "a congestion control": (GOOD + "network: {vmotion: {congestion: qubic}}\n", 2, "did you mean 'cubic'?"),
    "a topology": (GOOD + "network: {topology: two-host}\n", 2, "did you mean 'two-hosts'?"),
    "too many streams": (GOOD + "migration: {streams: 17}\n", 2, "whole number from 1 to 16"),
    "no streams": (GOOD + "migration: {streams: 0}\n", 2, "whole number from 1 to 16"),
    "a tracker": (GOOD + "migration: {tracker: uffd}\n", 2, "no dirty tracker is called 'uffd'"),
    "yes for true": (GOOD + "migration: {strict: yes}\n", 2, "must be true or false, not 'yes'"),
    "an engine": (GOOD + "engine: nativ\n", 2, "did you mean 'native'?"),
    "a name with a slash": (GOOD + "name: ../../etc\n", 2, "'name': may hold letters"),
    "a number for a name": (GOOD + "name: 12\n", 2, "put quotes around it"),
    "a policy": (GOOD + "migration: {policy: vmotoin}\n", 2, "did you mean 'vmotion'?"),
    "a policy's parameter": (
        GOOD + "migration:\n  policy:\n    name: plain\n    downtime_gaol: 1s\n",
        5,
        "policy 'plain' has no parameter 'downtime_gaol'; did you mean 'downtime_goal'?",
    ),
    "a policy's unit": (
        GOOD + "migration: {policy: {name: plain, downtime_goal: 1GB}}\n",
        2,
        "expected a time such as",
    ),
    "a policy without a name": (GOOD + "migration: {policy: {downtime_goal: 1s}}\n", 2, "needs the name of a policy"),
    "a workload": ("vm: {ram: 1GiB, workload: unifrom}\n", 1, "did you mean 'uniform'?"),
    "a workload's parameter": (
        "vm:\n  ram: 1GiB\n  workload:\n    name: uniform\n    wss: 1\n",
        5,
        "workload 'uniform' has no parameter 'wss'; there are: working_set",
    ),
    "a workload's rate 0": ("vm:\n  ram: 1GiB\n  workload: {name: uniform, write_rate: 0}\n", 3, "write_rate"),
    "a workload that is a list": ("vm: {ram: 1GiB, workload: [idle]}\n", 1, "must be the name of a workload"),
    "a working set": (
        "vm:\n  ram: 1GiB\n  workload:\n    name: uniform\n    working_set: 2GiB\n",
        5,
        "a working set of 2.1 GB does not fit into 1.1 GB of RAM (vm.ram)",
    ),
    "a nested working set": (
        "vm:\n  ram: 1GiB\n  workload:\n    name: phases\n    phases:\n"
        "      - {name: idle, duration: 1s}\n      - {name: uniform, duration: 1s, working_set: 2GiB}\n",
        7,
        "does not fit",
    ),
    "a nested name": (
        "vm:\n  ram: 1GiB\n  workload: {name: phases, phases: [{name: idel, duration: 1s}]}\n",
        3,
        "'idle'?",
    ),
    "no duration": (
        "vm:\n  ram: 1GiB\n  workload: {name: phases, phases: [idle]}\n",
        3,
        "needs a duration, such as 10s",
    ),
    "a scale of 0": (GOOD + "scale: {size: 0}\n", 2, "must be at least 0.001 and at most 1000000, not 0"),
    "RAM too small when scaled": ("scale: {size: 1000, time: 1000}\nvm: {ram: 1GiB}\n", 2, "too small at this scale"),
    "an axis that is no list": (GOOD + "matrix:\n  vm.ram: 1GiB\n", 3, "must be a list of values"),
    "an empty axis": (GOOD + "matrix: {vm.ram: []}\n", 2, "must be a list of values"),
    "an axis elsewhere": (GOOD + "matrix: {name: [a, b]}\n", 2, "the matrix cannot set 'name'"),
    "a misspelt axis": (GOOD + "matrix:\n  vm.rma: [1GiB]\n", 3, "did you mean 'ram'?"),
    "a wrong value on an axis": (GOOD + "matrix:\n  vm.ram:\n    - 1GiB\n    - 1Gbit\n", 5, "expected a size"),
    "a value twice on an axis": (GOOD + "matrix: {vm.ram: [1GiB, 1 GiB]}\n", 2, "lists 1GiB twice"),
    "an axis that takes back another": (
        GOOD + "matrix:\n  vm.workload.write_rate: [1MB/s, 2MB/s]\n  vm.workload: [uniform, zipf]\n",
        4,
        "'vm.workload' replaces what 'vm.workload.write_rate' sets before it; put it first",
    ),
    "a list for a matrix": (GOOD + "matrix: [1]\n", 2, "'matrix' must map paths to lists"),
    "too many combinations": (
        GOOD
        + "matrix:\n"
        + "".join(f"  {p}: {list(range(1, 12))}\n" for p in ("warmup", "cooldown", "migration.timeout")),
        2,
        "more than 1000 combinations",
    ),
    "published without a source": (GOOD + "published:\n  - {total_time: 3s}\n", 3, "'published.0.source' is missing"),
    "published without a figure": (GOOD + "published:\n  - {source: me}\n", 3, "give what was published"),
    "published over no axis": (
        GOOD + "published:\n  - {compare: vm.ram, reduction: 0.5, source: me}\n",
        3,
        "'vm.ram' is not an axis of the matrix",
    ),
    "published for what never is": (
        GOOD + "matrix: {vm.ram: [1GiB, 2GiB]}\npublished:\n  - {where: {vm.ram: 3GiB}, total_time: 1s, source: me}\n",
        4,
        "'vm.ram' is never 3GiB in the matrix",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(case: str, tmp_path: Path) -> None:
    text, line, message = WRONG[case]
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load(str(file))
    said = str(caught.value)
    assert message in said
    assert said.startswith(f"{file}:{line}: " if line else f"{file}: ")
    assert "\n" not in said
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("vm.ram", "expected PATH=VALUE"),
        ("=3", "expected PATH=VALUE"),
        ("vm..ram=3", "expected PATH=VALUE"),
        ("vm.rma=1GiB", "did you mean 'ram'?"),
        ("vn.ram=1GiB", "did you mean 'vm'?"),
        ("vm.ram=1Gbit", "expected a size"),
        ("vm.ram.x=1", "has no part 'x'"),
        ("vm.ram={a: 1}", "a value is a single one"),
        ("vm.ram=[1GiB", "not valid YAML"),
        ("vm.ram=&a 1", "expected a size"),
        ("vm.ram=1\n2", "a value is one line"),
        ("matrix.vm.ram=3", "set the path itself"),
        ("vm.workload.write_rat=1MB/s", "did you mean 'write_rate'?"),
        ("migration.policy.downtime_goal=soon", "expected a time"),
    ],
)
def test_wrong_overrides_name_the_option(setting: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load("hello", overrides=[setting])
    assert message in str(caught.value)
    assert str(caught.value).startswith("--set ")
    assert "\n" not in str(caught.value)


def test_an_override_below_an_axis_is_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(GOOD + "matrix: {vm.workload: [uniform, zipf]}\n")
    with pytest.raises(ScenarioError, match=r"the matrix sets 'vm\.workload' as a whole"):
        load(str(file), overrides=["vm.workload.write_rate=1MB/s"])


def test_an_unknown_scenario_gets_the_nearest() -> None:
    with pytest.raises(ScenarioError, match=r"no scenario is called 'helo'; did you mean 'hello'\?"):
        load("helo")
    with pytest.raises(ScenarioError, match=r"cannot be read|is not a file"):
        load("./helo.yaml")


THEIRS = {
    part
    for each in list_all_errors()
    for part in re.split(r"\{\w+\}", each["message_template_python"])
    if len(part) > 12
} | {"Value error", "Input should", "Field required", "Extra inputs", "valid string", "valid dictionary"}
"""What pydantic says itself, of every kind of error that it knows."""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=changed())
@example(tree={"vm": {"ram": "1GiB", "change_bytes": 7}})
@example(tree={"vm": {"ram": "1GiB"}, "published": [{"compare": 3, "reduction": 0.5, "source": "me"}]})
@example(tree={"vm": {"ram": "1GiB"}, "published": [{"compare": "a", "figure": "x", "reduction": 1, "source": "me"}]})
@example(tree={"vm": {"ram": "1GiB"}, "published": [{"where": 3, "total_time": "1s", "source": "me"}]})
@example(tree={"vm": {"ram": "1GiB"}, "published": [{"rounds": "1GB", "source": "me"}]})
@example(tree={"vm": {"ram": "1GiB"}, "published": [3]})
@example(tree={"vm": {"ram": "1GiB"}, "network": []})
@example(tree={"vm": {"ram": "1GiB", "services": 3, "probe": "yes"}})
def test_every_fault_is_told_in_our_own_words_and_never_in_pydantics(tree: Any, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    try:
        load(file)
    except ScenarioError as error:
        assert [part for part in THEIRS if part in str(error)] == []

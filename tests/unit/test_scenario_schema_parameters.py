"""Each parameter of each workload, service and policy in the schema: its default, its unit, and what it does not take.

Throttles have none: their policy says how they slow a guest.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from testbed.core.errors import ScenarioError
from testbed.core.parameters import Parameter, parameters_of
from testbed.core.units import UNITS, Dimension
from testbed.scenario import load
from testbed.scenario.schema.named_schema import default_of, registries
from testbed.scenario.schema.scenario_schema import scenario_schema

Tree = dict[str, Any]
WRONG_UNIT = {each: "5GiB" if "ms" in UNITS[each] else "5ms" for each in Dimension}


@cache
def validator() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(scenario_schema())


def entries() -> Iterator[tuple[str, str, dict[str, Parameter]]]:
    """Of which kind, called how, with which parameters."""
    for registry in registries():
        for name, entry in registry.items().items():
            yield registry.kind, name, parameters_of(entry)


ENTRIES = list(entries())
PARAMETERS = [(kind, name, each) for kind, name, known in ENTRIES for each in known.values()]


def scenario(kind: str, name: str, **more: Any) -> Tree:
    """The smallest with that in it; phases have what they cannot do without."""
    needed = {"phases": [{"name": "idle", "duration": "2s"}]} if name == "phases" else {}
    made = {"name": name} | needed | more
    match kind:
        case "workload":
            return {"vm": {"ram": "1GiB", "workload": made}}
        case "service":
            return {"vm": {"ram": "1GiB", "services": [made]}}
    return {"vm": {"ram": "1GiB"}, "migration": {"policy": made}}


def wrong(parameter: Parameter) -> list[Any]:
    """Values that are wrong for it: of another kind, out of every range, with a unit of something else."""
    values: list[Any] = [{"a": 1}, "5 parsecs"]
    values += [True, -1, "-1", [1]] if parameter.kind is not bool and parameter.kind is not list else ["yes", 3]
    if parameter.dimension is not None:
        values.append(WRONG_UNIT[parameter.dimension])
    return values


WRONG = [(kind, name, parameter.name, value) for kind, name, parameter in PARAMETERS for value in wrong(parameter)] + [
    (kind, name, "nonsense", 1) for kind, name, _ in ENTRIES
]


def refused(tree: Tree, folder: Path) -> tuple[bool, bool]:
    """By the loader, and by the schema."""
    file = folder / "tree.yaml"
    file.write_text(json.dumps(tree), encoding="utf-8")
    try:
        load(file)
        by_loader = False
    except ScenarioError:
        by_loader = True
    return by_loader, not validator().is_valid(tree)


def test_both_refuse_each_of_many_wrong_parameters(tmp_path: Path) -> None:
    assert len(WRONG) >= 60
    found = {
        f"{kind} {name}: {parameter}={value!r}": refused(scenario(kind, name, **{parameter: value}), tmp_path)
        for kind, name, parameter, value in WRONG
    }
    assert {case: verdict for case, verdict in found.items() if verdict != (True, True)} == {}


@pytest.mark.parametrize(("kind", "name", "known"), ENTRIES, ids=[f"{kind} {name}" for kind, name, _ in ENTRIES])
def test_each_default_is_taken_by_both(kind: str, name: str, known: dict[str, Parameter], tmp_path: Path) -> None:
    given = {
        each.name: default_of(each)
        for each in known.values()
        if not each.required and each.kind is not list and default_of(each) is not None
    }
    assert refused(scenario(kind, name, **given), tmp_path) == (False, False), given


def properties(kind: str, name: str) -> Tree:
    """What the schema has of the parameters of that one."""
    alternatives = scenario_schema()["$defs"][kind.capitalize()]["anyOf"]
    (found,) = (
        each["properties"] for each in alternatives if each.get("properties", {}).get("name") == {"const": name}
    )
    return dict(found)


@pytest.mark.parametrize(("kind", "name", "known"), ENTRIES, ids=[f"{kind} {name}" for kind, name, _ in ENTRIES])
def test_each_parameter_says_its_default_and_what_it_counts(kind: str, name: str, known: dict[str, Parameter]) -> None:
    shown = properties(kind, name)
    assert shown.keys() == {"name", *known}
    for each in known.values():
        made = shown[each.name]
        if not each.required and each.kind is not list:
            assert made["default"] == default_of(each), each.name
        if each.dimension is not None:
            assert '"description"' in json.dumps(made), each.name

"""Whatever stands in whatever key: plans or a ScenarioError, and never anything else."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.core.parameters import parameters_of
from testbed.core.text.quantity import parse, written
from testbed.core.units import Dimension
from testbed.scenario import load
from testbed.scenario.models import Link, Migration, Network, Root, Scale, VirtualMachine

PATHS = [
    *Root.model_fields,
    *(f"scale.{key}" for key in Scale.model_fields),
    *(f"network.{key}" for key in Network.model_fields),
    *(f"network.vmotion.{key}" for key in Link.model_fields),
    *(f"vm.{key}" for key in VirtualMachine.model_fields),
    *(f"vm.workload.{key}" for key in ("name", "working_set", "write_rate", "phases", "other")),
    *(f"vm.services.{key}" for key in ("0", "0.name", "0.iops", "0.size", "0.block", "0.other", "1")),
    *(f"migration.{key}" for key in Migration.model_fields),
    *(f"migration.policy.{key}" for key in ("name", "downtime_goal", "other")),
    "matrix.vm.ram",
    "published.0.rounds",
    "elsewhere",
]
WORDS = [
    "1GiB",
    "10Gbit",
    "500ms",
    "idle",
    "uniform",
    "plain",
    "phases",
    "1e400GiB",
    "-1",
    "nan",
    "\x1b[31m",
    "0",
    "é\n",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS)
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SLOWLY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def put(tree: Any, path: str, value: Any) -> None:
    *above, last = path.split(".") if not path.startswith("matrix.") else ["matrix", path[7:]]
    for key in above:
        tree = tree[int(key)] if isinstance(tree, list) else tree.setdefault(key, {})
    tree[int(last) if isinstance(tree, list) and last.isdigit() else last] = value


def base() -> dict[str, Any]:
    workload = {"name": "uniform", "working_set": "512MiB"}
    published = [{"total_time": "1s", "source": "me"}]
    return {
        "vm": {"ram": "1GiB", "workload": workload, "services": [{"name": "iometer"}, "echo"]},
        "migration": {"policy": {"name": "plain"}},
        "published": published,
    }


@SLOWLY
@given(path=st.sampled_from(PATHS), value=GARBAGE)
def test_garbage_in_a_file(tmp_path: Path, path: str, value: Any) -> None:
    tree = base()
    put(tree, path, value)
    file = tmp_path / "garbage.yaml"
    file.write_bytes(json.dumps(tree).encode("utf-8", "surrogatepass"))
    try:
        scenario = load(str(file))
    except ScenarioError as error:
        assert str(error).isprintable() and len(str(error)) < 1000
    else:
        assert scenario.plans()
        file.write_text(scenario.resolved_yaml())
        assert load(str(file)).plans() == scenario.plans()


@SLOWLY
@given(path=st.sampled_from(PATHS) | st.text(max_size=20), value=st.sampled_from(WORDS) | st.text(max_size=20))
def test_garbage_in_an_override(path: str, value: str) -> None:
    with suppress(ScenarioError):
        assert load("hello", overrides=[f"{path}={value}"]).plans()


@given(st.text(max_size=30))
def test_garbage_for_a_name(name: str) -> None:
    with suppress(ScenarioError):
        load(name)


@pytest.mark.parametrize("dimension", list(Dimension))
@given(
    value=st.floats(0, 1e18) | st.integers(0, 2**60).map(float) | st.sampled_from([0.1, 0.0625, 21.31, 2**30, 1.5e9])
)
def test_what_is_written_is_read_back(dimension: Dimension, value: float) -> None:
    assert parse(written(value, dimension), dimension) == value


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (128 * 2**30, Dimension.SIZE, "128GiB"),
        (2048e6, Dimension.SIZE, "2048MB"),
        (32e6, Dimension.BYTE_RATE, "32MB/s"),
        (10e9, Dimension.BIT_RATE, "10Gbit"),
        (0.5, Dimension.TIME, "500ms"),
        (21.31, Dimension.TIME, "21.31s"),
        (0.25, Dimension.NUMBER, "0.25"),
    ],
)
def test_it_is_written_as_people_would(value: float, dimension: Dimension, text: str) -> None:
    assert written(value, dimension) == text


def test_every_registered_parameter_is_of_a_kind_that_can_be_read() -> None:
    from guest_agent.services import registry as services
    from guest_agent.workloads import registry as workloads
    from testbed.policies import registry as policies

    for registry in (workloads, services, policies):
        for name, entry in registry.items().items():
            for parameter in parameters_of(entry).values():
                known = parameter.dimension or parameter.kind in (bool, str, list) or parameter.words
                assert known, f"{registry.kind} {name}: {parameter}"

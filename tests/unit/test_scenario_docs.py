"""The reference says what the code does: every key and field is in it, and its examples load."""

import dataclasses
import re
from pathlib import Path

import pytest

from guest_agent.services import registry
from testbed.core.errors import ScenarioError
from testbed.core.parameters import parameters_of
from testbed.core.records import migration, services
from testbed.core.records.stamps import PHASES
from testbed.report.charts import switchover
from testbed.scenario import load
from testbed.scenario.models import CrossTraffic, Link, Migration, Network, Part, Root, Scale, VirtualMachine
from testbed.scenario.published import Figures, Ratio, Reduction
from testbed.scenario.words import CONNECTIONS, CROSS_PROTOCOLS, ENDS, trackers

DOCS = Path(__file__).parents[2] / "docs"
SCENARIO = (DOCS / "scenario.md").read_text()
RECORD = (DOCS / "record.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", SCENARIO, re.DOTALL)
PARTS: dict[str, type[Part]] = {"scale": Scale, "network": Network, "vm": VirtualMachine, "migration": Migration}


def test_every_key_is_in_the_reference() -> None:
    keys = [key for key in Root.model_fields if key not in PARTS]
    keys += [f"{part}.{key}" for part, model in PARTS.items() for key in model.model_fields]
    keys += [*Link.model_fields, *CrossTraffic.model_fields, *Reduction.model_fields, *Figures.model_fields]
    keys += [*Ratio.model_fields, *CONNECTIONS]
    keys += [*trackers(), *CROSS_PROTOCOLS, *ENDS]
    assert [key for key in keys if f"`{key}`" not in SCENARIO] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(example: str, tmp_path: Path) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(example)
    assert load(str(file)).plans()


def test_the_messages_are_real() -> None:
    said = next(line for line in SCENARIO.splitlines() if line.startswith("--set vm.ram=1Gbit: "))
    with pytest.raises(ScenarioError) as caught:
        load("hello", overrides=["vm.ram=1Gbit"])
    assert str(caught.value) == said


def test_every_field_of_the_record_is_described() -> None:
    modules = {migration.__name__: migration, services.__name__: services}
    known = {each for module in modules.values() for each in vars(module).values() if isinstance(each, type)}
    records = [each for each in known if each.__module__ in modules and dataclasses.is_dataclass(each)]
    names = {field.name for each in records for field in dataclasses.fields(each)} | set(PHASES)
    assert sorted(name for name in names if f"`{name}`" not in RECORD) == []


def test_every_service_and_its_parameters_are_in_the_reference() -> None:
    for name, entry in registry.items().items():
        said = SCENARIO.partition(f"| `{name}` |")[2].partition("\n\n")[0]
        missing = [key for key in parameters_of(entry) if f"`{key}`" not in said]
        assert missing == [], name


def test_every_part_of_the_blackout_is_described() -> None:
    assert [name for name in switchover.PARTS if f"`{name}`" not in RECORD] == []

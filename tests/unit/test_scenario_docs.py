"""The reference says what the code does: every key and field is in it, and its examples load."""

import dataclasses
import re
from pathlib import Path

import pytest

from testbed.core import record
from testbed.core.errors import ScenarioError
from testbed.migration.stamps import PHASES
from testbed.scenario import load
from testbed.scenario.models import CrossTraffic, Guest, Link, Migration, Network, Part, Root, Scale
from testbed.scenario.published import Figures, Reduction
from testbed.scenario.words import CROSS_PROTOCOLS, ENDS, trackers

DOCS = Path(__file__).parents[2] / "docs"
SCENARIO = (DOCS / "scenario.md").read_text()
RECORD = (DOCS / "record.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", SCENARIO, re.DOTALL)
PARTS: dict[str, type[Part]] = {"scale": Scale, "network": Network, "vm": Guest, "migration": Migration}


def test_every_key_is_in_the_reference() -> None:
    keys = [key for key in Root.model_fields if key not in PARTS]
    keys += [f"{part}.{key}" for part, model in PARTS.items() for key in model.model_fields]
    keys += [*Link.model_fields, *CrossTraffic.model_fields, *Reduction.model_fields, *Figures.model_fields]
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
    classes = [each for each in vars(record).values() if isinstance(each, type) and each.__module__ == record.__name__]
    records = [each for each in classes if dataclasses.is_dataclass(each)]
    names = {field.name for each in records for field in dataclasses.fields(each)} | set(PHASES)
    assert sorted(name for name in names if f"`{name}`" not in RECORD) == []

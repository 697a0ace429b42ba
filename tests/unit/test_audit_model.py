"""A simulated run's record, each value of it: whoever changes one is found out, since the model is asked again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import testbed
from testbed.audit.verdict import audit
from testbed.core.errors import ScenarioError

SCENARIO = """
extends: hello
network: {vmotion: {goodput: 900Mbit}, cross_traffic: {rate: 100Mbit}}
vm: {workload: {name: uniform, working_set: 64MB, write_rate: 110MB/s}}
migration: {policy: {name: vmotion, downtime_goal: 50ms}}
faults: commit:kill-destination
"""
"""With a throttle, a fault and others on the link."""
WHICH = {("name",), ("repeat",)}
"""By these the migration is found in its scenario: of others there is none (tests/unit/test_labs_ownership.py)."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audited")
    (folder / "mine.yaml").write_text(SCENARIO)
    testbed.run(folder / "mine.yaml", engine="simulated", out=folder / "run", page=False)
    assert audit(folder / "run").broken == []
    return folder / "run"


def leaves(part: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """The way to each value that may be changed, of lists the first and the last."""
    if isinstance(part, dict):
        for name, each in part.items():
            yield from leaves(each, *path, name)
    elif isinstance(part, list) and part:
        for index in {0, len(part) - 1}:
            yield from leaves(part[index], *path, index)
    else:
        yield path


def changed(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value * 2 + 1
    return "another"


def test_no_value_of_a_record_can_be_changed(made: Path) -> None:
    file, stays = made / "summary.json", list[tuple[str | int, ...]]()
    whole = file.read_text()
    for path in leaves(json.loads(whole)["migrations"][0]):
        if path in WHICH:
            continue
        summary = json.loads(whole)
        part = summary["migrations"][0]
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = changed(part[path[-1]])
        file.write_text(json.dumps(summary))
        try:
            if not audit(made).broken:
                stays.append(path)
        except ScenarioError:
            """It is no record any more, which is said, too."""
    file.write_text(whole)
    assert stays == []

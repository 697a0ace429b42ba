"""JSON Schema of the two files that outsiders write and read: the scenario and ``summary.json``."""

from typing import Any

from pydantic import TypeAdapter

from testbed.core.record import Summary
from testbed.scenario.models import Root
from testbed.scenario.published import Published

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """The schema of a scenario. Parameters of workloads and policies stand with each of them: ``testbed list``."""
    schema = Root.model_json_schema()
    claims = TypeAdapter(list[Published]).json_schema()
    schema["$defs"] |= claims.pop("$defs")
    schema["properties"]["published"] |= {"items": claims["items"]}
    return {"$schema": DIALECT} | schema


def summary_schema() -> dict[str, Any]:
    """The schema of ``summary.json``."""
    return {"$schema": DIALECT} | TypeAdapter(Summary).json_schema()

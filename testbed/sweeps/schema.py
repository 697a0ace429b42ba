"""A grid's JSON schema, for editors: a scenario's, and the keys of its sweep."""

from testbed import scenarios
from testbed.scenario.schema.patterns import Schema
from testbed.scenario.schema.scenario_schema import scenario_schema
from testbed.sweeps.grid import SweepKeys

_A_FILE = {"type": "string", "pattern": r"/|\.ya?ml$"}


def sweep_schema() -> Schema:
    """The schema of a grid. What the loader takes it takes, and the other way round, as far as a scenario's does."""
    keys = SweepKeys.model_json_schema()
    parts, properties = keys["$defs"], keys["properties"]
    canary = parts["CanaryKeys"]["properties"]
    canary["scenario"] |= {"anyOf": [{"enum": scenarios.names()}, _A_FILE]}
    share = parts["Until"]["properties"]["within"]
    properties["until_ci"]["anyOf"].append(share)  # what may stand alone
    properties["canary"]["anyOf"].append(canary["scenario"])
    return scenario_schema(keys)

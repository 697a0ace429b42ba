"""JSON Schema of the two files that outsiders write and read: the scenario and ``summary.json``.

What the loader takes the scenario's schema takes, and the other way round, but for what no schema can say: what only
shows between two keys (a working set larger than the RAM), bounds of a text with a unit, and files of one's own.
"""

from typing import Any

from pydantic import TypeAdapter

from testbed import scenarios
from testbed.core.records.migration import Summary
from testbed.scenario.extends import EXTENDS
from testbed.scenario.models import Root
from testbed.scenario.published import Published
from testbed.scenario.schema import named_schema
from testbed.scenario.schema.matrix_schema import axes_schema, matrix_schema, needed
from testbed.scenario.schema.patterns import FORM_OF, Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EDITORS_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The latest that yaml-language-server knows, on which editors stand."""
_NULL = {"type": "null"}
_SOMETHING = {"not": _NULL}
_OTHER = {
    "description": "the scenario that this one changes: its name, or a file by the way from this one (./base.yaml)",
    "anyOf": [{"enum": scenarios.names()}, {"type": "string", "pattern": r"^[^/~].*\.ya?ml$"}],
}


def scenario_schema(sweep: Schema | None = None) -> Schema:
    """The schema of a scenario, with the parameters of every workload, service and policy that comes with us.

    ``sweep``: that of a grid's own key, with its definitions; its axes are those of a matrix.
    """
    schema = Root.model_json_schema()
    claims = TypeAdapter(list[Published]).json_schema()
    known = schema["$defs"] | claims.pop("$defs") | named_schema.definitions()
    schema["$defs"] = known
    _name_parts(known)
    schema["properties"]["matrix"] = matrix_schema(axes_schema(schema))
    schema["properties"]["published"] = _published(schema["properties"]["published"])
    schema["required"] = []
    schema["properties"][EXTENDS] = _OTHER
    schema["if"] = {"not": {"required": [EXTENDS]}}  # whatever is missing the other scenario may have
    swept = sweep is not None
    schema["then"] = {
        "allOf": [
            needed("vm.ram", always=True, swept=swept),
            needed("vm.workload.name", always=False, swept=swept),
            needed("migration.policy.name", always=False, swept=swept),
            needed("network.cross_traffic.rate", always=False, swept=swept),
        ]
    }
    if sweep is not None:
        _sweep_put(schema, sweep)
    named: Schema = {}
    made: Schema = _patterns_named(_without_titles(schema), named)
    made["$defs"] |= named
    return {"$schema": EDITORS_DIALECT} | made


def _sweep_put(schema: Schema, sweep: Schema) -> None:
    """The sweep's own key; its axes and the matrix's are written down once."""
    axes, _ = schema["properties"]["matrix"]["anyOf"]
    known = {"$ref": "#/$defs/Axes"}
    keys = {word: value for word, value in sweep.items() if word != "$defs"}
    keys["properties"] = sweep["properties"] | {"axes": known | {"description": "every combination is a point"}}
    schema["$defs"] |= {"Axes": axes} | sweep["$defs"]
    schema["properties"] |= {"matrix": matrix_schema(known), "sweep": keys}
    schema["then"]["required"] = ["sweep"]


def summary_schema() -> Schema:
    """The schema of ``summary.json``."""
    return {"$schema": DIALECT} | TypeAdapter(Summary).json_schema()


def _name_parts(known: Schema) -> None:
    """What the models leave to others: parameters, what the matrix may give instead, what excludes one another."""
    guest, migration, link = known["VirtualMachine"], known["Migration"], known["Link"]
    service = {"$ref": "#/$defs/Service"}
    guest["properties"]["workload"] |= {"allOf": [{"$ref": "#/$defs/Workload"}]}
    guest["properties"]["services"] |= {"anyOf": [{"type": "array", "items": service}, service]}
    migration["properties"]["policy"] |= {"allOf": [{"$ref": "#/$defs/Policy"}]}
    for part in (guest, known["CrossTraffic"]):
        part.pop("required")
    both = ["rate", "goodput"]
    link["not"] = {"required": both, "properties": dict.fromkeys(both, _SOMETHING)}
    said = ["rounds", "total_time", "downtime"]
    known["Figures"]["anyOf"] = [{"required": [key], "properties": {key: _SOMETHING}} for key in said]


def _published(schema: Schema) -> Schema:
    """Which of the three a claim is, its keys say."""
    item = {
        "type": "object",
        "if": {"required": ["ratio_at_least"]},
        "then": {"$ref": "#/$defs/Ratio"},
        "else": {
            "if": {"required": ["compare"]},
            "then": {"$ref": "#/$defs/Reduction"},
            "else": {"$ref": "#/$defs/Figures"},
        },
    }
    return {"description": schema["description"], "anyOf": [{"type": "array", "items": item}, _NULL]}


def _without_titles(schema: Any) -> Any:
    """Without the titles that pydantic makes of names; a *property* called title stays."""
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        word: {key: _without_titles(each) for key, each in value.items()}
        if word in ("properties", "patternProperties", "$defs")
        else _without_titles(value)
        for word, value in schema.items()
        if word != "title"
    }


def _patterns_named(schema: Any, named: Schema) -> Any:
    """With the form of each kind of quantity written down once: ``named`` gets them, as ``Size``, ``LinkRate2``."""
    if isinstance(schema, list):
        return [_patterns_named(each, named) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if FORM_OF not in schema:
        return {word: _patterns_named(value, named) for word, value in schema.items()}
    form = {word: value for word, value in schema.items() if word != FORM_OF}
    kind = schema[FORM_OF].title().replace(" ", "")
    while named.setdefault(kind, form) != form:
        kind = f"{kind.rstrip('0123456789')}{int(kind[len(kind.rstrip('0123456789')) :] or 1) + 1}"
    return {"$ref": f"#/$defs/{kind}"}

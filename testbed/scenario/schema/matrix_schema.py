"""JSON Schema of the matrix: which paths it may set, to what, and what a scenario need not say when the matrix does."""

from collections.abc import Iterable, Iterator
from typing import Any

from testbed.core.registry import Registry
from testbed.scenario.matrix.cases import CASES, SETTABLE
from testbed.scenario.quantities import OWN_FILE
from testbed.scenario.schema.named_schema import all_parameters, registries
from testbed.scenario.schema.patterns import Schema

_NULL: Schema = {"type": "null"}
_VALUE: Schema = {"not": {"type": ["array", "null"]}}
"""What is no list and not empty."""
_REF = "#/$defs/"
_INDEX = "[0-9]{1,5}"


def axes_schema(root: Schema) -> Schema:
    """The schema of axes, as a matrix has them; ``root`` is that of a scenario, with its definitions."""
    fixed = dict(_paths(root["properties"], root["$defs"], SETTABLE))
    patterns = dict(_patterns())
    axes = {
        "properties": {path: _axis(schema) for path, schema in fixed.items()},
        "patternProperties": {path: _axis(schema) for path, schema in patterns.items()},
    }
    case = {"type": "object", "minProperties": 1, "properties": fixed, "patternProperties": patterns}
    cases = {"type": "array", "minItems": 1, "items": case | {"additionalProperties": False}}
    axes["properties"][CASES] = cases | {"description": "what changes together, all of them setting the same paths"}
    return {"type": "object", **axes, "additionalProperties": False}


def matrix_schema(axes: Schema) -> Schema:
    """The schema of ``matrix``."""
    return {"description": "every combination is one migration", "anyOf": [axes, _NULL]}


def needed(path: str, *, always: bool, swept: bool = False) -> Schema:
    """``path`` stands in the scenario or the matrix sets it; ``swept``: or the axes of its sweep. Not ``always``: only
    if what it is a part of is there.
    """
    *above, last = path.split(".")
    there: Schema = {"required": [last]}
    absent: Schema = {"not": {"type": "object"}}
    for key in reversed(above):
        there = {"properties": {key: there}, "required": [key]}
        absent = {"properties": {key: absent}}
    prefixes = [{"required": [path.rsplit(".", cut)[0] if cut else path]} for cut in range(path.count(".") + 1)]
    in_cases = {"required": [CASES], "properties": {CASES: {"items": {"anyOf": prefixes}}}}
    axes = {"type": "object", "anyOf": [*prefixes, in_cases]}
    by_matrix = _below("matrix", axes)
    by_sweep = [_below("sweep", _below("axes", axes))] if swept else []
    return {"anyOf": [there, by_matrix, *by_sweep, *([] if always else [absent])]}


def _below(key: str, schema: Schema) -> Schema:
    return {"required": [key], "properties": {key: schema}}


def _axis(value: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": value}


def _paths(properties: Schema, known: Schema, keys: Iterable[str]) -> Iterator[tuple[str, Schema]]:
    """Each key by its path, and those of the part that it holds."""
    for key in keys:
        schema = _bare(properties[key])
        yield key, schema
        below = _part(schema, known)
        if below is not None and "properties" in below:
            for path, part in _paths(below["properties"], known, below["properties"]):
                yield f"{key}.{path}", part


def _bare(schema: Schema) -> Schema:
    """Without what is of the key and not of the value, and without null, which takes a key away."""
    kept = {word: value for word, value in schema.items() if word not in ("default", "title")}
    kinds = [each for each in kept.get("anyOf", ()) if each != _NULL]
    if len(kinds) == len(kept.get("anyOf", ())):
        return kept
    return kinds[0] if len(kinds) == 1 else kept | {"anyOf": kinds}


def _part(schema: Schema, known: Schema) -> Schema | None:
    name = schema.get("$ref", "").removeprefix(_REF)
    return known.get(name)


def _patterns() -> Iterator[tuple[str, Schema]]:
    """Names and parameters of workloads, services and policies, and items of lists."""
    workloads, services, policies = registries()
    yield rf"^vm\.services\.{_INDEX}$", {"$ref": f"{_REF}Service"}
    for start, registry in (
        (r"vm\.workload", workloads),
        (rf"vm\.services\.{_INDEX}", services),
        (r"migration\.policy", policies),
    ):
        yield rf"^{start}\.name$", _names(registry)
        for name, schema in all_parameters(registry).items():
            if schema.get("type") != "array":
                yield rf"^{start}\.{name}$", _bare(schema)
    for start, registry in ((r"vm\.workload", workloads), (r"migration\.policy", policies)):
        others = "|".join(["name", *all_parameters(registry)])
        own = _VALUE | {"description": f"of a {registry.kind} of your own"}
        yield rf"^{start}\.(?!(?:{others})$)[^.]+$", own
    yield r"^vm\.workload\.phases\.[0-9]{1,5}(\..+)?$", _VALUE


def _names(registry: Registry[Any]) -> Schema:
    words: Schema = {"enum": list(registry.items())}
    return {"anyOf": [words, OWN_FILE]} if registry.takes_files else words

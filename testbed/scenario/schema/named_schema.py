"""JSON Schema of what has a name and parameters: workloads, services and policies, each as its dataclass says.

anyOf ── a bare word                    of those that need no parameter
      ├─ {name: uniform, ...}           one a name, with its own parameters and no others
      └─ {...} without a name           where the matrix may give it; with the parameters of all
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from testbed.core.parameters import Parameter, parameters_of
from testbed.core.registry import Registry
from testbed.core.text.quantity import Bare
from testbed.core.units import Dimension
from testbed.scenario import parameters
from testbed.scenario.document import as_yaml
from testbed.scenario.parameters import DURATION
from testbed.scenario.quantities import LONG, MOST, OWN_FILE
from testbed.scenario.schema.patterns import Schema, parameter_schema, quantity_schema

OF_OWN_FILE: Schema = {"type": "object", "properties": {"name": OWN_FILE}, "required": ["name"]}
"""Its parameters are known to it alone."""


def definitions() -> dict[str, Schema]:
    """``Workload``, ``Phase``, ``Service`` and ``Policy``."""
    workloads, services, policies = registries()
    phases = {name: entry for name, entry in workloads.items().items() if name != "phases"}
    timed = {DURATION: quantity_schema(Dimension.TIME, least=0.0, most=LONG, above=True, bare=Bare())}
    own_phase = OF_OWN_FILE | {"required": ["name", DURATION]}
    return {
        "Workload": _named(workloads, parameters.workload),
        "Phase": {"anyOf": [*(_with_name(name, entry, timed) for name, entry in phases.items()), own_phase]},
        "Service": _named(services, parameters.services, nameless=False),
        "Policy": _named(policies, parameters.policy),
    }


def registries() -> tuple[Registry[Any], Registry[Any], Registry[Any]]:
    """The registries of workloads, services and policies."""
    from guest_agent.services import registry as services
    from guest_agent.workloads import registry as workloads
    from testbed.policies import registry as policies

    return workloads, services, policies


def all_parameters(registry: Registry[Any]) -> dict[str, Schema]:
    """The parameters of all entries by name; one that several have is what any of them takes."""
    found: dict[str, list[Schema]] = {}
    for entry in registry.items().values():
        for name, parameter in parameters_of(entry).items():
            schema = _read(parameter)
            found.setdefault(name, []).extend([] if schema in found.get(name, ()) else [schema])
    return {name: schemas[0] if len(schemas) == 1 else {"anyOf": schemas} for name, schemas in found.items()}


def _named(registry: Registry[Any], read: Callable[[object], object], *, nameless: bool = True) -> Schema:
    entries = registry.items()
    alternatives: list[Schema] = [{"enum": [name for name in entries if _stands_alone(name, read)]}]
    alternatives += [_with_name(name, entry) for name, entry in entries.items()]
    if nameless:
        without = {"not": {"required": ["name"]}, "properties": all_parameters(registry)}
        alternatives.append({"type": "object", **without, "additionalProperties": registry.takes_files})
    if registry.takes_files:
        alternatives += [OWN_FILE, OF_OWN_FILE]
    return {"description": f"the name of a {registry.kind}, or its name and parameters", "anyOf": alternatives}


def _stands_alone(name: str, read: Callable[[object], object]) -> bool:
    try:
        read(name)
    except parameters.ParameterError:
        return False
    return True


def _with_name(name: str, entry: type, more: Mapping[str, Schema] | None = None) -> Schema:
    known = parameters_of(entry)
    properties = {"name": {"const": name}} | {each.name: _parameter(each) for each in known.values()}
    needed: Sequence[str] = [each.name for each in known.values() if each.required or each.nested]
    return {
        "type": "object",
        "properties": properties | dict(more or {}),
        "required": ["name", *needed, *(more or {})],
        "additionalProperties": False,
    }


def default_of(parameter: Parameter) -> Any:
    """The value that stands where none is given, as a scenario writes it; a list that is empty for one of others."""
    if parameter.dimension is not None and parameter.default is not None:
        return as_yaml(parameter.default, parameter.dimension)
    return parameter.default


def _parameter(parameter: Parameter) -> Schema:
    """With its default, where there is one to be given."""
    made = _read(parameter)
    return made if parameter.required or parameter.nested else made | {"default": default_of(parameter)}


def _read(parameter: Parameter) -> Schema:
    made = _kind(parameter)
    return {"anyOf": [made, {"type": "null"}]} if parameter.optional else made


def _kind(parameter: Parameter) -> Schema:
    if parameter.nested:
        return {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Phase"}}
    if parameter.item is not None:
        return {"type": "array", "items": _read(parameter.item)}
    if parameter.dimension is not None:
        return parameter_schema(
            parameter.dimension, parameter.bare, most=MOST[parameter.dimension], whole=parameter.kind is int
        )
    if parameter.words:
        return {"enum": list(parameter.words)}
    return {"type": "boolean"} if parameter.kind is bool else {"type": "string"}

"""Parameters of workloads, services and policies: named, typed and dimensioned by the dataclass of each, nowhere else.

    {name: uniform, working_set: 64GiB}  ->  complete  ->  {name: uniform, working_set: 68719476736, write_rate: ...}
                                             at_scale  ->  the same, small
                                             as_text   ->  the same, with units

A parameter that is a list of mappings holds nested workloads (``phases``): each has its own name and parameters and
may add a ``duration``. Another list holds plain values, each of which is read. Of a type that says nothing of how it is
written a value is taken as it is; where none is given the class has its own, which no scenario could hold.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from numbers import Integral, Real
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.parameters import Parameter, Spec, parameters_of
from testbed.core.registry import Registry, is_path
from testbed.core.text.nearest import nearest
from testbed.core.text.quantity import Bare, parse, read
from testbed.core.text.yaml_text import KeyPath
from testbed.core.units import PAGE_SIZE, Dimension, scaled
from testbed.scenario.document import as_yaml
from testbed.scenario.quantities import check_most, shown

DURATION = "duration"
Change = Callable[[Any, Dimension], Any]
DEPTH = 4
"""Of lists and mappings in one another that are taken as they are."""


class ParameterError(ValueError):
    """A wrong parameter; ``below`` is the path from the workload, services or policy down to it."""

    def __init__(self, message: str, below: KeyPath = ()) -> None:
        super().__init__(message)
        self.below = below


class NameMissing(ParameterError):
    """A mapping of parameters that does not say whose they are."""


def workload(value: object) -> Spec:
    """A workload as a scenario writes it, complete and in base units."""
    from guest_agent.workloads import registry

    return complete(registry, value)


def policy(value: object) -> Spec:
    """A policy as a scenario writes it, complete and in base units."""
    from testbed.policies import registry

    return complete(registry, value)


def services(value: object) -> list[Spec]:
    """The guest's services as a scenario writes them: a list, or one alone; each complete and in base units."""
    given = [value] if isinstance(value, str | Mapping) else value
    if not isinstance(given, list | tuple):
        raise ParameterError(f"must be a list of services, each a name or a mapping with its name, not {value!r:.60}")
    found: list[Spec] = []
    for index, item in enumerate(given):
        try:
            found.append(_service(item, [each["name"] for each in found]))
        except ParameterError as error:
            raise ParameterError(str(error), (index, *error.below)) from error
    return found


def workload_text(value: Spec) -> Spec:
    """The inverse of ``workload``: with units."""
    from guest_agent.workloads import registry

    return _change(registry, value, as_yaml)


def services_text(value: list[Spec]) -> list[Spec]:
    """The inverse of ``services``: with units."""
    from guest_agent.services import registry

    return [_change(registry, each, as_yaml) for each in value]


def policy_text(value: Spec) -> Spec:
    """The inverse of ``policy``: with units."""
    from testbed.policies import registry

    return _change(registry, value, as_yaml)


def at_scale(registry: Registry[Any], value: Mapping[str, Any], size: float, time: float) -> Spec:
    """The parameters of an entry at emulated size. Sizes stay whole bytes, those of a page and more whole pages."""

    def shrink(number: float, dimension: Dimension) -> float:
        small = scaled(number, dimension, size, time)
        if dimension is not Dimension.SIZE:
            return small
        return max(1, round(small / PAGE_SIZE)) * PAGE_SIZE if number >= PAGE_SIZE else max(1, round(small))

    return _change(registry, value, shrink)


def complete(registry: Registry[Any], value: object, nested: bool = False) -> Spec:
    """``value`` checked against the dataclass of its name, in base units, with all defaults. Raises ``ParameterError``.

    ``nested`` asks for a ``duration`` beside the parameters.
    """
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping):
        raise ParameterError(f"must be the name of a {registry.kind} or a mapping with its name, not {value!r:.60}")
    name = given.get("name")
    if not isinstance(name, str):
        fault = ParameterError if "name" in given else NameMissing
        _check_nameless(registry, given)
        raise fault(f"needs the name of a {registry.kind}, one of: {', '.join(registry.items())}", ("name",))
    try:
        known = registry.parameters(name)
    except ScenarioError as error:
        raise ParameterError(str(error), ("name",)) from error
    duration = {DURATION: _duration(given)} if nested else {}
    for key in (key for key in given if key not in ("name", *duration, *known)):
        raise ParameterError(registry.no_parameter(name, str(key)), (key,))
    signed = is_path(name)
    read = {key: _read(registry, known[key], given[key], signed=signed) for key in given if key in known}
    missing = [p.name for p in known.values() if p.required and p.name not in read]
    if missing:
        raise ParameterError(f"{registry.kind} '{name}' needs '{missing[0]}'{_hint(known[missing[0]])}")
    everything = {
        p.name: read[p.name] if p.name in read else _default(registry, name, p, signed)
        for p in known.values()
        if p.name in read or (p.has_form and not (p.nested and not p.default))
    }
    _construct(registry, {"name": name, **everything})
    return {"name": name, **everything, **duration}


def _check_nameless(registry: Registry[Any], given: Mapping[str, Any]) -> None:
    """Refuse parameters that nobody of that kind has or takes so, whoever's they are to be."""
    tables = [parameters_of(entry) for entry in registry.items().values()]
    for key in (key for key in given if key not in ("name", DURATION)):
        having = [known for known in tables if key in known]
        if not having and not registry.takes_files:
            raise ParameterError(f"no {registry.kind} has a parameter '{key:.60}'", (key,))
        faults = [fault for known in having if (fault := _fault(registry, known[key], given[key]))]
        if faults and len(faults) == len(having):
            raise faults[0]


def _fault(registry: Registry[Any], parameter: Parameter, value: Any) -> ParameterError | None:
    try:
        _read(registry, parameter, value)
    except ParameterError as fault:
        return fault
    return None


def _default(registry: Registry[Any], name: str, parameter: Parameter, signed: bool) -> Any:
    """What stands in a file of code: in base units, and read as what is given, since a record has to be."""
    value = parameter.default
    if not isinstance(value, bool) and isinstance(value, Real):
        value = int(value) if isinstance(value, Integral) else float(value)
    try:
        return _read(registry, parameter, value, bare=Bare(), signed=signed)
    except ParameterError as error:
        said = f"{registry.kind} '{name}': the default of '{parameter.name}' cannot stand in a scenario: {error}"
        raise ParameterError(f"{said}; what is no parameter is field(init=False)") from error


def _read(
    registry: Registry[Any], parameter: Parameter, value: Any, *, bare: Bare | None = None, signed: bool = False
) -> Any:
    if value is None and parameter.optional:
        return None
    if parameter.nested:
        return _nested(registry, parameter.name, value)
    try:
        return _plain(parameter, value, bare, signed)
    except ValueError as error:
        raise ParameterError(str(error), (parameter.name,)) from error


def _plain(parameter: Parameter, value: Any, bare: Bare | None, signed: bool) -> Any:
    """A value that is no spec, or a list of such. ``bare``: what may be without a unit, whatever it is called."""
    if not parameter.has_form:
        return _as_it_is(value)
    if parameter.item is None:
        return _scalar(parameter, value, bare, signed)
    if not isinstance(value, list | tuple):
        raise ValueError(f"expected a list of values, not {value!r:.60}")
    return [_plain(parameter.item, each, bare, signed) for each in value]


def _as_it_is(value: Any, depth: int = DEPTH) -> Any:
    """What YAML has."""
    if isinstance(value, list | tuple) and depth:
        return [_as_it_is(each, depth - 1) for each in value]
    if isinstance(value, dict) and depth and all(type(key) is str for key in value):
        return {key: _as_it_is(each, depth - 1) for key, each in value.items()}
    if value is not None and type(value) not in (bool, int, float, str):
        raise ValueError(f"expected a number, text, true, false, or a list or mapping of these, not {value!r:.60}")
    if isinstance(value, int | float) and (not isfinite(value) if isinstance(value, float) else abs(value) >= 10**19):
        raise ValueError(f"expected a number that can be written, not {shown(value)}")
    return value


def _scalar(parameter: Parameter, value: Any, bare: Bare | None, signed: bool) -> Any:
    if parameter.dimension is not None:
        number = read(value, parameter.dimension, bare or parameter.bare, signed=signed)
        check_most(number, parameter.dimension, value)
        if parameter.kind is int and parameter.dimension is Dimension.NUMBER and not number.is_integer():
            raise ValueError(f"expected a whole number, not {value!r}")
        return round(number) if parameter.kind is int else number
    if parameter.kind is bool and not isinstance(value, bool):
        raise ValueError(f"expected true or false, not {value!r:.60}")
    if parameter.kind is str and not isinstance(value, str):
        raise ValueError(f"expected text, not {value!r:.60}")
    if parameter.words and value not in parameter.words:
        raise ValueError(f"no such choice as {value!r:.60}; {nearest(str(value)[:60], list(parameter.words))}")
    return value


def _service(value: object, names: list[str]) -> Spec:
    """One service. Its name is that of its log and of its clients, so each is there once."""
    from guest_agent.services import registry

    found = complete(registry, value)
    if found["name"] in names:
        raise ParameterError(f"the service '{found['name']}' stands here a second time; remove one", ("name",))
    return found


def _nested(registry: Registry[Any], name: str, value: Any) -> list[Spec]:
    if not isinstance(value, list | tuple) or not value:
        raise ParameterError(f"expected a list of {registry.kind}s, each with its name", (name,))
    built = []
    for index, item in enumerate(value):
        try:
            built.append(complete(registry, item, nested=True))
        except ParameterError as error:
            raise ParameterError(str(error), (name, index, *error.below)) from error
    return built


def _duration(given: Mapping[str, Any]) -> float:
    if DURATION not in given:
        raise ParameterError("needs a duration, such as 10s")
    try:
        duration = parse(given[DURATION], Dimension.TIME)
        check_most(duration, Dimension.TIME, given[DURATION])
    except ValueError as error:
        raise ParameterError(str(error), (DURATION,)) from error
    if duration == 0:
        raise ParameterError("a duration must be above 0", (DURATION,))
    return duration


def _construct(registry: Registry[Any], spec: Spec) -> None:
    """Let the entry refuse what only it knows: two parameters against each other."""
    try:
        registry.build(spec)
    except ScenarioError as error:
        owner = f"{registry.kind} '{spec['name']}': "
        raise ParameterError(owner + str(error).removeprefix(owner)) from error


def _change(registry: Registry[Any], value: Mapping[str, Any], change: Change) -> Spec:
    """``value`` with every quantity changed, nested ones too."""
    known = registry.parameters(value["name"])
    changed = dict(value)
    for name in (name for name in known if name in value):
        changed[name] = _changed(registry, known[name], value[name], change)
    if DURATION in value and DURATION not in known:
        changed[DURATION] = change(value[DURATION], Dimension.TIME)
    return changed


def _changed(registry: Registry[Any], parameter: Parameter, value: Any, change: Change) -> Any:
    if value is None:
        return None
    if parameter.nested:
        return [_change(registry, item, change) for item in value]
    if parameter.item is not None:
        return [_changed(registry, parameter.item, item, change) for item in value]
    return value if parameter.dimension is None else change(value, parameter.dimension)


def _hint(parameter: Parameter) -> str:
    return f": {parameter.dimension.value}" if parameter.dimension else ""

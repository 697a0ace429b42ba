"""What has a name and parameters: a workload, a service, a policy. Which parameters, the dataclass of each says.

{"name": "uniform", "working_set": 2**30}   a spec: what a plan holds, in base units
Uniform(working_set=2**30)                  what ``Registry.build`` makes of it
Parameter("working_set", int, SIZE, ...)    what its dataclass says of each: its type is its unit, too
"""

import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, TypeAlias

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable, said_by
from testbed.core.text.quantity import Bare
from testbed.core.units import Dimension

Spec: TypeAlias = dict[str, Any]
"""One entry of a registry by its ``name``, the other keys being its parameters in base units. A list among them holds
specs (``phases``). ``Registry.build`` checks it and makes what it means.
"""

GOAL_BARE = Bare(below=10.0)
"""Seconds: a goal of 300 without a unit was meant in milliseconds."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a workload, service or policy. ``kind`` is int, float, str, bool, a Literal, or ``list`` for nested
    ones. ``dimension`` is ``NUMBER`` for a number that counts nothing else, None for what is no number. ``item``: what
    each of a plain sequence is, whose ``kind`` is then list or tuple.
    """

    name: str
    kind: Any
    dimension: Dimension | None
    optional: bool
    required: bool
    default: Any
    item: "Parameter | None" = None

    @property
    def bare(self) -> Bare | None:
        """Which numbers may stand without a unit, if not those that may of any such quantity."""
        return GOAL_BARE if self.dimension is Dimension.TIME and self.name.endswith("_goal") else None

    @property
    def words(self) -> tuple[str, ...]:
        """The choices of a Literal."""
        return typing.get_args(self.kind) if typing.get_origin(self.kind) is typing.Literal else ()

    @property
    def nested(self) -> bool:
        """Whether it holds specs."""
        return self.kind is list and self.item is None

    @property
    def has_form(self) -> bool:
        """Whether its type says how a scenario writes it. What has none and is not given, its class makes itself."""
        if self.item is not None:
            return self.item.has_form
        return self.dimension is not None or bool(self.words) or any(self.kind is each for each in (bool, str, list))


def parameters_of(entry: type) -> dict[str, Parameter]:
    """The parameters of a workload, service or policy by name, in the order of its fields. Raises ``ScenarioError``
    for a field of which nobody knows the type.
    """
    try:
        hints = typing.get_type_hints(entry, include_extras=True)
    except Exception as fault:
        raise ScenarioError(_no_type(entry, fault)) from fault
    return {field.name: _parameter(field, hints[field.name]) for field in fields(entry) if field.init}


def value_for(parameter: Parameter, value: Any) -> Any:
    """What an instance is given: a list or a mapping is its own, which no other one sees it change."""
    if parameter.item is not None and isinstance(value, list | tuple):
        return parameter.kind(value_for(parameter.item, each) for each in value)
    return _copied(value)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _no_type(entry: type, fault: Exception) -> str:
    """Which field it is: a class is read whole, so each is tried alone."""
    for field in fields(entry):
        alone = type(entry.__name__, (), {"__module__": entry.__module__, "__annotations__": {field.name: field.type}})
        try:
            typing.get_type_hints(alone)
        except Exception as own:  # noqa: BLE001 - it is the user's own text
            return f"nobody knows the type of '{field.name}': {_told(own)}; import it where the file runs"
    return f"nobody knows the types of its fields: {_told(fault)}"


def _told(fault: Exception) -> str:
    return f"{type(fault).__name__}: {printable(said_by(fault))}"


def _parameter(field: Field[Any], hint: Any) -> Parameter:
    default, required = field.default, False
    if field.default_factory is not MISSING:
        try:
            default = field.default_factory()
        except Exception as fault:
            raise ScenarioError(f"the default of '{field.name}' cannot be made: {_told(fault)}") from fault
    elif default is MISSING:
        default, required = None, True
    return _typed(field.name, hint, required, default)


def _typed(name: str, hint: Any, required: bool, default: Any) -> Parameter:
    kind, optional = _without_none(hint)
    dimension = next((tag for tag in getattr(kind, "__metadata__", ()) if isinstance(tag, Dimension)), None)
    kind = typing.get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
    item = None
    if kind is list:
        kind = object  # of which nobody knows what is in it
    elif isinstance(origin := typing.get_origin(kind), type) and issubclass(origin, Sequence):
        kind, item = _sequence(name, origin, typing.get_args(kind))
    if kind in (int, float) and dimension is None:
        dimension = Dimension.NUMBER
    optional = optional or (default is None and not required)
    return Parameter(name, kind, dimension, optional, required, default, item)


def _sequence(name: str, origin: type, args: tuple[Any, ...]) -> tuple[Any, Parameter | None]:
    """The ``kind`` and ``item`` of a list, a tuple or what may be either; ``object`` if its items are not alike."""
    different = list(dict.fromkeys(each for each in args if each is not Ellipsis))
    if len(different) != 1:
        return object, None
    inside = typing.get_origin(different[0]) or different[0]
    if isinstance(inside, type) and issubclass(inside, Mapping):
        return list, None
    item = _typed(name, different[0], True, None)
    return (list if issubclass(list, origin) and origin is not Sequence else tuple), item


def _without_none(hint: Any) -> tuple[Any, bool]:
    """The type without ``| None``, and whether it had it. ``object`` for what may be of several types."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    members = [member for member in typing.get_args(hint) if member is not type(None)]
    optional = len(members) < len(typing.get_args(hint))
    if all(each in (int, float) for each in members):
        return float if float in members else int, optional
    return members[0] if len(members) == 1 or hasattr(members[0], "__metadata__") else object, optional

"""What has a name and parameters: a workload, a service, a policy. Which parameters, the dataclass of each says.

{"name": "uniform", "working_set": 2**30}   a spec: what a plan holds, in base units
Uniform(working_set=2**30)                  what ``Registry.build`` makes of it
Parameter("working_set", int, SIZE, ...)    what its dataclass says of each: its type is its unit, too
"""

import types
import typing
from collections.abc import Sequence
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, TypeAlias

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
    ones. ``dimension`` is ``NUMBER`` for a number that counts nothing else, None for what is no number.
    """

    name: str
    kind: Any
    dimension: Dimension | None
    optional: bool
    required: bool
    default: Any

    @property
    def bare(self) -> Bare | None:
        """Which numbers may stand without a unit, if not those that may of any such quantity."""
        return GOAL_BARE if self.name.endswith("_goal") else None

    @property
    def words(self) -> tuple[str, ...]:
        """The choices of a Literal."""
        return typing.get_args(self.kind) if typing.get_origin(self.kind) is typing.Literal else ()


def parameters_of(entry: type) -> dict[str, Parameter]:
    """The parameters of a workload, service or policy by name, in the order of its fields."""
    hints = typing.get_type_hints(entry, include_extras=True)
    return {field.name: _parameter(field, hints[field.name]) for field in fields(entry) if field.init}


def _parameter(field: Field[Any], hint: Any) -> Parameter:
    kind, optional = _without_none(hint)
    dimension = next((tag for tag in getattr(kind, "__metadata__", ()) if isinstance(tag, Dimension)), None)
    kind = typing.get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
    if isinstance(origin := typing.get_origin(kind), type) and issubclass(origin, Sequence):
        kind = list
    default = field.default if field.default_factory is MISSING else field.default_factory()
    required = default is MISSING
    if kind in (int, float) and dimension is None:
        dimension = Dimension.NUMBER
    return Parameter(field.name, kind, dimension, optional, required, None if required else default)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """The type without ``| None``, and whether it had it."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    members = [member for member in typing.get_args(hint) if member is not type(None)]
    return members[0], len(members) < len(typing.get_args(hint))

"""What a value of the matrix means, however it is written: ``1Gbit``, ``1000Mbit`` and ``1e9`` of a link are one.

meaning("network.vmotion.rate", "1000Mbit")    1e9           read as the key at that path reads it
meaning("vm.workload.write_rate", "1Gbit")     1.25e8        a parameter, whosever it is
meaning("vm.workload", "idle")                 {name: idle}  complete, with its defaults
"""

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter

from testbed.core.parameters import parameters_of
from testbed.core.text.label import label
from testbed.core.text.quantity import parse
from testbed.core.text.yaml_text import KeyPath
from testbed.scenario.document import files_in, parts
from testbed.scenario.models import Root
from testbed.scenario.schema.named_schema import registries


def meaning(path: str, value: Any) -> str:
    """A text that is the same for values that mean the same at ``path``; of what cannot be read there, its label.

    Nor is a user's own file read: that would run it, before anybody is told.
    """
    if any(files_in(value)):
        return label(value)
    for read in _readers(parts(path)):
        try:
            return f"= {_exactly(read(value))}"
        except ValueError:
            continue
    return label(value)


def spellings(path: str, values: Sequence[Any]) -> dict[str, object]:
    """The different ones of ``values`` in their order, by what they mean; of several that mean the same the first."""
    found: dict[str, object] = {}
    for value in values:
        found.setdefault(meaning(path, value), value)
    return found


@cache
def _readers(path: KeyPath) -> tuple[Callable[[Any], Any], ...]:
    """What reads a value at ``path``; several where it depends on a name what that is."""
    model: type[BaseModel] = Root
    for depth, key in enumerate(path):
        field = model.model_fields.get(str(key))
        if field is None:
            return ()
        if depth == len(path) - 1:
            kind: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            return (TypeAdapter(kind).validate_python,)
        part = _part(field.annotation)
        if part is None:
            return tuple(_parameters(path[: depth + 1], path[depth + 1 :]))
        model = part
    return ()


def _part(annotation: Any) -> type[BaseModel] | None:
    kinds = [annotation, *typing.get_args(annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _parameters(above: KeyPath, below: KeyPath) -> Iterator[Callable[[Any], Any]]:
    """Of all that may be called so: a parameter of one name counts the same in most of them."""
    workloads, services, policies = registries()
    registry = {"workload": workloads, "services": services, "policy": policies}.get(str(above[-1]))
    if registry is None:
        return
    for entry in registry.items().values():
        parameter = parameters_of(entry).get(str(below[-1]))
        if parameter is not None and parameter.dimension is not None:
            yield partial(parse, dimension=parameter.dimension)


def _exactly(value: Any) -> str:
    """Numbers to the twelve digits that a change of unit keeps: 1.1Gbit and 1100Mbit differ in the sixteenth."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}:{_exactly(part)}" for key, part in value.items())
    if isinstance(value, list):
        return f"[{';'.join(_exactly(item) for item in value)}]"
    return f"{value:.12g}" if isinstance(value, float | int) and not isinstance(value, bool) else repr(value)

"""Which page operation n of the guest writes: pure functions of n and its hash.

To add one: a file here with a dataclass whose fields are its parameters (their types say their units; ``working_set``
and ``write_rate`` are among them), registered by name, and one method, ``pages``. ``uniform.py`` is the example to
copy. The page an operation writes may depend on nothing else, or a replay would not give the same memory.
"""

import dataclasses
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, runtime_checkable

import numpy as np

from guest_agent.memory.hashing import Numbers
from testbed.core.errors import ScenarioError
from testbed.core.registry import Registry, nearest
from testbed.core.units import PAGE_SIZE, ByteRate, Bytes, Dimension, parse

HEARTBEAT = 1000.0
"""Operations per second of a workload that writes no pages."""

NOWHERE = np.uint64(2**64 - 1)
"""The page of an operation that touches the state page alone."""


class Workload(Protocol):
    """What the guest's program does to its memory."""

    @property
    def working_set(self) -> Bytes | None:
        """Bytes of RAM that it writes; None: all of it."""
        ...

    @property
    def write_rate(self) -> ByteRate:
        """Bytes per second, counting whole pages: one operation is one page. 0: no page, only a heartbeat."""
        ...

    def pages(self, operations: Numbers, random: Numbers, size: int) -> Numbers:
        """The page of the working set, 0..size-1 or ``NOWHERE``, of each operation; ``random`` holds their hashes."""
        ...


@runtime_checkable
class Varying(Protocol):
    """A workload whose rate changes, at operations known beforehand."""

    def pace(self, operation: int) -> tuple[float, int | None]:
        """Operations per second at this operation, and the first operation after it with another pace."""
        ...


registry: Registry[Workload] = Registry("workload", __name__)
register = registry.register


@cache
def dimensions(workload: type) -> dict[str, Dimension]:
    """What the parameters of a workload count, by name; a parameter that is no quantity is absent."""
    hints = typing.get_type_hints(workload, include_extras=True)
    found = {field.name: _dimension(hints[field.name]) for field in dataclasses.fields(workload)}
    return {name: dimension for name, dimension in found.items() if dimension}


def build(spec: Mapping[str, Any]) -> Workload:
    """The workload of ``{name: ..., parameter: ...}``, with quantities bare in base units or written with a unit.

    Raises ``ScenarioError`` for a name or parameter that does not exist, or a value that cannot be.
    """
    workload = registry.get(str(spec.get("name", "")))
    words = {field.name for field in dataclasses.fields(workload)}  # type: ignore[arg-type]
    parameters = {key.replace("-", "_"): value for key, value in spec.items() if key != "name"}
    for key in parameters:
        if key not in words:
            raise ScenarioError(f"workload '{spec['name']}' has no '{key}'; {nearest(key, sorted(words))}")
    try:
        quantities = dimensions(workload)
        return workload(**{key: _value(key, value, quantities.get(key)) for key, value in parameters.items()})
    except (TypeError, ValueError) as error:
        raise ScenarioError(f"workload '{spec['name']}': {error}") from error


def pace(workload: Workload, operation: int) -> tuple[float, int | None]:
    """Operations per second at this operation, and where that changes (None: never)."""
    if isinstance(workload, Varying):
        return workload.pace(operation)
    return workload.write_rate / PAGE_SIZE or HEARTBEAT, None


def size_in_pages(workload: Workload, most: int) -> int:
    """Pages of its working set where ``most`` can be had. Whole pages, at least one."""
    return most if workload.working_set is None else max(1, min(workload.working_set // PAGE_SIZE, most))


def _dimension(hint: Any) -> Dimension | None:
    if typing.get_origin(hint) is typing.Annotated:
        return next((note for note in hint.__metadata__ if isinstance(note, Dimension)), None)
    return next((found for part in typing.get_args(hint) if (found := _dimension(part))), None)


def _value(key: str, value: object, dimension: Dimension | None) -> object:
    if dimension is None or value is None:
        return value
    try:
        number = parse(value, dimension)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error
    if number == 0:
        raise ValueError(f"{key} must be above 0" + " (a guest that writes nothing is the workload 'idle')")
    return int(number) if dimension is Dimension.SIZE else number

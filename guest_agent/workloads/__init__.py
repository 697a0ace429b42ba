"""Which page operation n of the guest writes: pure functions of n and its hash.

To add one: a file here with a dataclass whose fields are its parameters (their types say their units; ``working_set``
and ``write_rate`` are among them), registered by name, and one method, ``pages``. ``uniform.py`` is the example to
copy. The page an operation writes may depend on nothing else, or a replay would not give the same memory. A user's own
is a file anywhere (``own_file``).
"""

from typing import Protocol, runtime_checkable

from guest_agent.memory.hashing import Numbers
from guest_agent.workloads.own_file import OWN_WORKLOAD
from testbed.core.parameters import Parameter
from testbed.core.registry import Registry
from testbed.core.text.quantity import parse
from testbed.core.units import PAGE_SIZE, ByteRate, Bytes, Dimension

HEARTBEAT = 1000.0
"""Operations per second of a workload that writes no pages."""


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


def pace(workload: Workload, operation: int) -> tuple[float, int | None]:
    """Operations per second at this operation, and where that changes (None: never)."""
    if isinstance(workload, Varying):
        return workload.pace(operation)
    return workload.write_rate / PAGE_SIZE or HEARTBEAT, None


def size_in_pages(workload: Workload, most: int) -> int:
    """Pages of its working set where ``most`` can be had. Whole pages, at least one."""
    return most if workload.working_set is None else max(1, min(workload.working_set // PAGE_SIZE, most))


def _value(parameter: Parameter, value: object) -> object:
    """Quantities bare in base units or written with a unit; all else as it is."""
    dimension = parameter.dimension
    if dimension is None or dimension is Dimension.NUMBER or value is None:
        return value
    try:
        number = parse(value, dimension)
    except ValueError as error:
        raise ValueError(f"{parameter.name}: {error}") from error
    if number == 0:
        raise ValueError(f"{parameter.name} must be above 0 (a guest that writes nothing is the workload 'idle')")
    return int(number) if dimension is Dimension.SIZE else number


registry: Registry[Workload] = Registry("workload", __name__, read=_value, own=OWN_WORKLOAD)
register, build = registry.register, registry.build

"""A workload out of a file that the user wrote (``vm.workload: ./mine.py``), and what is asked of it.

    @dataclass(frozen=True, kw_only=True)
    class Mine:                                             its fields are its parameters; these two it has to have
        working_set: Bytes | None = None
        write_rate: ByteRate = 100e6
        def pages(self, operations, random, size): ...      an array: the page, 0 to size - 1, of each operation

Which page an operation writes follows from its number, its hash and its parameters alone: the guest does it, its
successor may do it again, and the proof of memory recomputes it. So it is tried when it is made, whole and in pieces.
"""

from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any

import numpy as np

from guest_agent.memory.hashing import NOWHERE, Numbers, mix
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.own.file import OwnFile
from testbed.core.own.words import defined_at, raised_at, shown, told

TRIED = 3000
"""Operations that it is tried on when it is made."""
SIZES = (1, 1000)
"""Pages of the working sets that it is tried on."""
TWICE = (
    "'pages' gives other pages when it is asked again: they are to follow from each operation's number and hash alone"
)
PACE = "is to return a rate in operations a second, and from which operation on it changes or None"


@cache
def guarded(found: type) -> type:
    """A user's class, whose answers are looked at: what is none is its fault, ``ScenarioError`` with file and line."""

    def made(self: Any, *args: Any, **values: Any) -> None:
        super(guard, self).__init__(*args, **values)
        _check(self, found)

    def pages(self: Any, operations: Numbers, random: Numbers, size: int) -> Numbers:
        given = _to_read(operations), _to_read(random)
        answer = _asked(found, "pages", lambda: super(guard, self).pages(*given, size))
        if (wrong := _wrong(answer, operations, size)) is not None:
            raise ScenarioError(f"{defined_at(found, 'pages')}: the workload's 'pages' {wrong}")
        numbers: Numbers = answer.astype(np.uint64, copy=False)
        return numbers

    def pace(self: Any, operation: int) -> tuple[float, int | None]:
        answer: Any = _asked(found, "pace", lambda: super(guard, self).pace(operation))
        if not _is_pace(answer, operation):
            raise ScenarioError(f"{defined_at(found, 'pace')}: the workload's 'pace' {PACE}, not {shown(answer)}")
        rate, until = answer
        return float(rate), until

    own = {"pages": pages, "__init__": made, "__module__": found.__module__}
    guard: Any = type(found.__name__, (found,), own | ({"pace": pace} if hasattr(found, "pace") else {}))
    kind: type = guard
    return kind


OWN_WORKLOAD = OwnFile("workload", ("pages",), checked=guarded)
"""What a file has to define."""


def _asked(found: type, method: str, do: Callable[[], Any]) -> Any:
    try:
        return do()
    except TestbedError:
        raise
    except (Exception, SystemExit) as fault:
        place = raised_at(found, method, fault)
        raise ScenarioError(f"{place}: the workload failed in '{method}': {told(fault)}") from fault


def _to_read(numbers: Numbers) -> Numbers:
    """They are the guest's: whoever writes into them is told, with the line."""
    view = numbers.view()
    view.flags.writeable = False
    return view


def _wrong(answer: Any, operations: Numbers, size: int) -> str | None:
    wanted = "is to return an array of whole numbers, one for each operation"
    if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "ui" or answer.shape != operations.shape:
        kind = f"{answer.dtype} {answer.shape}" if isinstance(answer, np.ndarray) else shown(answer)
        return f"{wanted}, not {kind}"
    numbers = answer.astype(np.uint64)
    beyond = answer[(numbers >= size) & ((numbers != NOWHERE) | (answer < 0))]
    return f"is to return pages from 0 to {size - 1}, not {int(beyond[0])}" if len(beyond) else None


def _is_pace(answer: Any, operation: int) -> bool:
    if not isinstance(answer, tuple) or len(answer) != 2:
        return False
    rate, until = answer
    later = until is None or (isinstance(until, int) and until > operation)
    return isinstance(rate, int | float) and isfinite(rate) and rate > 0 and later


def _check(made: Any, found: type) -> None:
    """Refuse what shows before it runs. Raises ``ValueError``."""
    place = defined_at(found, "pages")
    rate, size = getattr(made, "write_rate", None), getattr(made, "working_set", 0)
    if not isinstance(rate, int | float) or not isfinite(rate) or rate <= 0:
        raise ValueError(f"{place}: it needs a 'write_rate' above 0, bytes per second, not {shown(rate)}")
    if size is not None and (not isinstance(size, int) or size < 1):
        raise ValueError(f"{place}: it needs a 'working_set', bytes or None, not {shown(size)}")
    operations = np.arange(TRIED, dtype=np.uint64)
    random = mix(operations, 1)
    for pages in SIZES:
        whole = made.pages(operations, random, pages)
        for part in (slice(1000, TRIED), slice(1, 1000), slice(0, 1), slice(0, 0)):
            if not np.array_equal(made.pages(operations[part], random[part], pages), whole[part]):
                raise ValueError(f"{place}: {TWICE}")

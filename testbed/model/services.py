"""What the guest's services dirty of their own areas, as far as that follows from their parameters.

    iometer    its pool of buffers, in turn, by every operation; all of it where no rate is set
    oltp       rows at random in its tables, and the history, a row after the other
    echo       a page

Areas are small beside a working set, so this is told to a few pages and no better. Like workloads, services are known
here by name only (guest_agent/services).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from testbed.core.units import PAGE_SIZE
from testbed.model.closed_forms import distinct

HEADER = 1
"""Pages of an area that every operation touches."""
WORD, ROW = 8, 64
"""Bytes of a balance, and of a row of the history."""
TRANSACTION_S = 1e-3
"""What a transaction takes beside its client's thinking: a round trip and a durable write. Taken, not measured."""


def area_pages(services: Sequence[Mapping[str, Any]]) -> int:
    """Pages that they take of the RAM before the working set."""
    return round(sum(_limit(each) for each in services))


def connections(services: Sequence[Mapping[str, Any]]) -> int:
    """TCP connections of their clients, which move with the guest."""
    return sum(int(each.get("connections", each.get("sessions", 0))) for each in services)


def dirtied_pages(services: Sequence[Mapping[str, Any]], seconds: float) -> float:
    """Pages that they dirty in that time, starting clean, running as fast as they were asked to."""
    return sum(min(_limit(each), HEADER + _pages(each, seconds)) for each in services) if seconds > 0 else 0.0


def _limit(service: Mapping[str, Any]) -> float:
    match service["name"]:
        case "iometer":
            return HEADER + _whole(_pool(service))
        case "oltp":
            return HEADER + sum(map(_whole, _tables(service))) + _whole(ROW * int(service["history"]))
        case _:
            return HEADER


def _pages(service: Mapping[str, Any], seconds: float) -> float:
    match service["name"]:
        case "iometer" if service["iops"]:
            return float(service["iops"]) * seconds * _whole(service["block"])
        case "iometer":
            return _whole(_pool(service))
        case "oltp":
            done = float(service["sessions"]) * seconds / (float(service["think_time"]) + TRANSACTION_S)
            tables = (distinct(_whole(size) * PAGE_SIZE, done * PAGE_SIZE) for size in _tables(service))
            return sum(tables) / PAGE_SIZE + min(done, float(service["history"])) * ROW / PAGE_SIZE
        case _:
            return 0.0


def _pool(service: Mapping[str, Any]) -> int:
    block = int(service["block"])
    return max(int(service["outstanding"]), int(service["buffers"] or 0) // block) * block


def _tables(service: Mapping[str, Any]) -> list[int]:
    """Bytes of the accounts, tellers, branches and sessions."""
    rows = (service["accounts"], service["tellers"], service["branches"], 3 * service["sessions"])
    return [WORD * count for count in rows]


def _whole(size: int) -> int:
    return -(-size // PAGE_SIZE)

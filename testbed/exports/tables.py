"""The record of a run as tables: a row a migration, round, stream, service, stretch of a service, order, fault.

    {"vm": {"ram_bytes": 9}, "downtime_phases_s": {"pause": 1}}     vm.ram_bytes=9  downtime_phases_s.pause=1

A column's name is the figure's path in ``summary.json``, and which columns there are the dataclasses of the record say:
so a run without a figure has its column all the same, and nothing in it. What has a length of its own (reasons,
findings) stands as JSON in one cell.
"""

import types
import typing
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from testbed.core.migration_key import MigrationKey
from testbed.core.records.link import StreamRecord
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.records.rounds import RoundRecord
from testbed.core.records.services import AROUND, ASIDE, FaultRecord, OrderRecord, ServicePhaseRecord, ServiceRecord
from testbed.core.records.stamps import PHASES
from testbed.exports.cells import KEY, CellKind, Column, Sheet, key_cells, table
from testbed.exports.units import unit_of
from testbed.model.full_scale import FIGURES

SPREAD = {
    "scale": ("size", "time"),
    "downtime_phases_s": PHASES,
    "full_scale": FIGURES,
    "parts": (*AROUND, *ASIDE),
    "settings": (),
}
"""Mappings whose keys are columns; those that every run has, and whatever else a record has there."""
OF_RUN = ("scenario", "engine", "started_at", "testbed_version")
_KINDS = {int: CellKind.INTEGER, float: CellKind.NUMBER, bool: CellKind.TRUTH}


def tables(summary: Summary) -> Iterator[Sheet]:
    """All of them, those without a row too."""
    run = {name: getattr(summary, name) for name in OF_RUN} | {"seed": summary.seed}
    first = [
        *KEY,
        *(Column(name=name, kind=CellKind.TEXT) for name in OF_RUN),
        Column(name="seed", kind=CellKind.INTEGER),
    ]
    own = [each for each in _columns(MigrationRecord) if each.name not in ("name", "repeat")]
    rows = [key_cells(each.key) | run | _values(each, ("name", "repeat")) for each in summary.migrations]
    yield table("migrations", [*first, *own], rows)
    yield _of_parts("rounds", RoundRecord, [(each.key, each.rounds) for each in summary.migrations])
    yield _of_parts("streams", StreamRecord, [(each.key, each.streams) for each in summary.migrations])
    yield _of_parts("services", ServiceRecord, [(each.key, each.services) for each in summary.migrations])
    yield _stretches(summary)
    yield _of_parts("orders", OrderRecord, [(each.key, each.controls) for each in summary.migrations])
    yield _of_parts("faults", FaultRecord, [(each.key, each.faults) for each in summary.migrations])


def _of_parts(name: str, kind: type, parts: Sequence[tuple[MigrationKey, Sequence[Any]]]) -> Sheet:
    rows = [key_cells(key) | _values(each) for key, several in parts for each in several]
    return table(name, [*KEY, *_columns(kind)], rows)


def _stretches(summary: Summary) -> Sheet:
    rows = [
        key_cells(done.key) | {"service": service.name} | _values(each)
        for done in summary.migrations
        for service in done.services
        for each in service.phases
    ]
    return table(
        "service_phases", [*KEY, Column(name="service", kind=CellKind.TEXT), *_columns(ServicePhaseRecord)], rows
    )


def _columns(kind: type, above: str = "") -> Iterator[Column]:
    """Those that every record of that type has."""
    hints = _hints(kind)
    for field in fields(kind):
        path, hint = f"{above}{field.name}", _known(hints[field.name])
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _columns(hint, f"{path}.")
        elif field.name in SPREAD:
            yield from (_number(f"{path}.{key}") for key in SPREAD[field.name])
        elif not _has_table(hint):
            found = _KINDS.get(hint, CellKind.TEXT)
            yield Column(
                name=path, kind=found, unit=unit_of(path) if found in (CellKind.INTEGER, CellKind.NUMBER) else None
            )


def _values(record: Any, without: Sequence[str] = (), above: str = "") -> dict[str, Any]:
    """What a record has for each of its columns."""
    hints, found = _hints(record.__class__), dict[str, Any]()
    for field in fields(record):
        path, value = f"{above}{field.name}", getattr(record, field.name)
        if path in without or _has_table(hints[field.name]) or value is None:
            continue
        if is_dataclass(value):
            found |= _values(value, (), f"{path}.")
        elif field.name in SPREAD and isinstance(value, dict):
            found |= {f"{path}.{key}": part for key, part in value.items()}
        else:
            found[path] = value
    return found


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The types of its fields: to find them out takes longer than a row."""
    return typing.get_type_hints(kind)


def _known(hint: Any) -> Any:
    """The type where there is a value."""
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint
    return next(each for each in typing.get_args(hint) if each is not type(None))


def _has_table(hint: Any) -> bool:
    """Whether that is a list of records, which have rows of their own."""
    return typing.get_origin(hint) is list and is_dataclass(typing.get_args(hint)[0])


def _number(path: str) -> Column:
    return Column(name=path, kind=CellKind.NUMBER, unit=unit_of(path))

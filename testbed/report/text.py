"""The tables at the end of a run, from its summary."""

import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from testbed.core.record import ComparisonRecord, MemoryRecord, MigrationRecord, Summary
from testbed.core.units import in_bytes, in_bytes_per_second, in_seconds

WIDE = 160
"""Columns where there is no terminal, so that a row stays a line."""
KINDS = {"stop_and_copy": "stop", "postcopy": "post"}
NOTHING = "-"
"""Stands for what was not measured."""


def show(summary: Summary, folder: Path | None = None, console: Console | None = None) -> None:
    """Prints the tables, on stderr unless another console is given, and where the files are."""
    console = console or Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)
    for part in render(summary):
        console.print(part)
    if folder is not None:
        console.print(Text(f"results: {folder}"), soft_wrap=True)


def render(summary: Summary) -> Iterator[RenderableType]:
    """The migrations; the rounds if there is one migration only; what was published; why it is not valid."""
    if summary.migrations:
        yield migrations_table(summary.migrations)
    if len(summary.migrations) == 1 and summary.migrations[0].rounds:
        yield rounds_table(summary.migrations[0])
        yield Text(f"memory: {proof(summary.migrations[0].memory)}")
    if summary.comparisons:
        yield comparisons_table(summary.comparisons)
    if summary.valid:
        yield Text("valid: every check of this run held", "green")
    for reason in summary.invalid_reasons if not summary.valid else []:
        yield Text(f"not valid: {reason}", "red")


def migrations_table(migrations: list[MigrationRecord]) -> Table:
    """A line a migration."""
    table = _table(
        "migration", "outcome", *(">total", ">downtime", ">rounds", ">sent", ">sent/RAM", ">dirty"), "memory"
    )
    table.add_column("valid")
    for each in migrations:
        name = each.name if each.repeat == 1 else f"{each.name} (repeat {each.repeat})"
        _row(table, name, each.outcome, *figures(each), memory(each.memory), "yes" if each.valid else "no")
    return table


def figures(migration: MigrationRecord) -> list[str]:
    """Total time, downtime, rounds, bytes sent, the same as a multiple of the RAM, the dirty rate of round 1."""
    first = migration.rounds[0] if migration.rounds else None
    ram = migration.vm.ram_bytes
    return [
        _seconds(migration.total_time_s),
        _seconds(migration.downtime_s),
        str(len(migration.rounds) or NOTHING),
        in_bytes(migration.bytes_sent),
        f"{migration.bytes_sent / ram:.3f}" if ram else NOTHING,
        in_bytes_per_second(first.dirty_rate) if first else NOTHING,
    ]


def rounds_table(migration: MigrationRecord) -> Table:
    """A line a round, with the policy's own words."""
    throttled = any(each.throttle for each in migration.rounds)
    table = _table(">round", ">sent", ">time", ">bandwidth", ">dirtied", *[">throttle"] * throttled, "decision")
    for each in migration.rounds:
        index = str(each.index) if each.kind == "precopy" else f"{KINDS[each.kind]} {each.index}"
        _row(
            table,
            index,
            in_bytes(each.sent_bytes),
            in_seconds(each.duration_s),
            in_bytes_per_second(each.bandwidth),
            in_bytes(each.dirtied_bytes),
            *[f"{each.throttle:.0%}"] * throttled,
            each.decision,
        )
    return table


def comparisons_table(comparisons: list[ComparisonRecord]) -> Table:
    """A line a published figure: what was measured, what was published, how far apart they are."""
    table = _table("published", ">measured", ">published", ">difference", "source")
    for each in comparisons:
        measured, published = _in_unit(each.measured, each.unit), _in_unit(each.published, each.unit)
        over = f"{each.name}, {each.over} {each.a} to {each.b}" if each.over else each.name
        _row(table, over, measured, published, difference(each), each.source)
    return table


def difference(each: ComparisonRecord) -> str:
    """In per cent of what was published; of shares in percentage points."""
    if each.measured is None or each.published is None:
        return NOTHING
    if each.unit == "share":
        return f"{(each.measured - each.published) * 100:+.1f} points"
    return f"{each.measured / each.published - 1:+.2%}" if each.published else NOTHING


def memory(found: MemoryRecord | None) -> str:
    """In a word."""
    if found is None or found.match is None:
        return NOTHING
    return "equal" if found.match else "DIFFERENT"


def proof(found: MemoryRecord | None) -> str:
    """In a line: ``equal: 262,144 pages compared, 12 that the guest wrote since replayed``."""
    if found is None or found.match is None:
        return "not checked"
    written = f"{found.pages_replayed:,} that the guest wrote since replayed"
    return f"{memory(found)}: {found.pages_compared:,} pages compared, {written}"


def _in_unit(value: float | None, unit: str) -> str:
    if value is None:
        return NOTHING
    match unit:
        case "bytes":
            return f"{value / 1e6:,.2f} MB"
        case "seconds":
            return f"{value:.2f} s" if value >= 1 else in_seconds(value)
        case _:
            return f"{value:.1%}"


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else in_seconds(value)


def _row(table: Table, *cells: str) -> None:
    """Cells as they are: a name in brackets is no markup."""
    table.add_row(*(Text(cell) for cell in cells))


def _table(*titles: str) -> Table:
    """A plain table; ``>`` before a title puts the column to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for title in titles:
        right = title.startswith(">")
        table.add_column(title.lstrip(">"), justify="right" if right else "left", no_wrap=right, overflow="fold")
    return table

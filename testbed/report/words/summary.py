"""The tables at the end of a run, from its summary."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from testbed.core.agents.moments import left
from testbed.core.expectation import said
from testbed.core.records.migration import ComparisonRecord, MemoryRecord, MigrationRecord, PredictionRecord, Summary
from testbed.core.text.printable import printable
from testbed.core.units import in_bits_per_second, in_bytes, in_bytes_per_second, in_seconds
from testbed.report.side.measures import throttled_real_s, throttled_s
from testbed.report.words.answers import verdict
from testbed.report.words.foretold import foretold
from testbed.report.words.services import WORDS, network, packets, service_heads, services
from testbed.report.words.tables import Fitting
from testbed.report.words.tables import console as terminal

KINDS = {"stop_and_copy": "stop", "postcopy": "post"}
NOTHING = "-"
"""Stands for what was not measured."""


def show(summary: Summary, folder: Path | None = None, console: Console | None = None) -> None:
    """Prints the tables, on stderr unless another console is given, and where the files are."""
    console = console or terminal(sys.stderr)
    for part in render(summary):
        console.print(part)
    if folder is not None:
        console.print(Text(f"results: {folder}"), soft_wrap=True)


def render(summary: Summary) -> Iterator[RenderableType]:
    """The migrations; the rounds if there is one migration only; what was published; why it is not valid."""
    yield from figures_of(summary.migrations)
    if len(summary.migrations) == 1 and summary.migrations[0].rounds:
        yield rounds_table(summary.migrations[0])
        yield Text(f"memory: {proof(summary.migrations[0].memory)}")
        yield from (Text(printable(line)) for line in network(summary.migrations[0]))
        yield from (Text(printable(line)) for line in _faults(summary.migrations[0]))
        yield from _sampling(summary.migrations[0])
    else:
        lacking = [(each, said) for each in summary.migrations if (said := packets(each))]
        yield from (Text(printable(f"{name_of(each)}: {said}")) for each, said in lacking)
    if summary.comparisons:
        yield comparisons_table(summary.comparisons)
    if summary.valid:
        yield Text(verdict(summary), "" if summary.engine == "simulated" else "green")
    for reason in summary.invalid_reasons if not summary.valid else []:
        yield Text(printable(f"not valid: {reason}"), "red")


def why_not(summary: Summary) -> str:
    """Why a run is not valid, in one line: the first reason, and how many there are beside it."""
    first, others = (summary.invalid_reasons or ["no reason was written down"])[0], len(summary.invalid_reasons) - 1
    return f"not valid: {' '.join(first.split())}" + (f" (and {others} more)" if others > 0 else "")


def _faults(migration: MigrationRecord) -> Iterator[str]:
    """What broke by plan, when, and who runs the guest after it."""
    if migration.faults:
        met = [f"{fault} at {in_seconds(fault.at_s)}" for fault in migration.faults if fault.at_s is not None]
        yield f"faults: {', '.join(met) or 'none was reached'}; the guest runs at {migration.runs_at or 'neither host'}"


def _sampling(migration: MigrationRecord) -> Iterator[Text]:
    """What the measuring itself cost: it runs beside what it measures."""
    if migration.cpu and migration.cpu.sampler_share is not None:
        probing = migration.cpu.probe_share
        probe = "" if probing is None else f", and the client's probe {probing:.1%}"
        yield Text(f"sampling took {migration.cpu.sampler_share:.1%} of a core{probe}")


def figures_of(migrations: list[MigrationRecord]) -> Iterator[RenderableType]:
    """As emulated; at full size, where that is another; and against what was predicted, where something was."""
    if migrations:
        yield migrations_table(migrations)
    if any(each.services for each in migrations):
        yield services_table(migrations)
    if any(each.scale != {"size": 1, "time": 1} and each.full_scale for each in migrations):
        yield full_scale_table(migrations)
    if any(each.predicted for each in migrations):
        yield predictions_table(migrations)


def migrations_table(migrations: list[MigrationRecord]) -> Fitting:
    """A line a migration; the blackout and the throttled time where there are any."""
    clients = any(each.client_blackout_s is not None for each in migrations)
    slowed = any(throttled_s(each) for each in migrations)
    first = ("migration", "outcome", ">total", ">downtime", *[">blackout"] * clients)
    same = all(each.outcome == "completed" for each in migrations)
    table = Fitting(
        (*first, ">rounds", *[">throttled"] * slowed, ">sent", ">sent/RAM", ">dirty", "memory", "valid"),
        spare=("dirty", "memory", *["outcome"] * same, "sent"),
    )
    for each in migrations:
        total, down, rounds, *others = figures(each)
        blackout = [_in(in_seconds, each.client_blackout_s)] * clients
        slow = [_in(in_seconds, throttled_s(each))] * slowed
        valid = "yes" if each.valid else "no"
        cells = (total, down, *blackout, rounds, *slow, *others, memory(each.memory), valid)
        table.row(name_of(each), said(each.outcome, each.valid, left(each.faults) is not None), *cells)
    return table


def services_table(migrations: list[MigrationRecord]) -> Fitting:
    """A line a service of each migration: what it got done, how long it halted, and whether nothing of it was lost."""
    heads = [head if head in WORDS else f">{head}" for head in service_heads(migrations)]
    table = Fitting(("services", *heads), spare=("seen by", "slowest", "MB/s before"))
    for each in migrations:
        for cells in services(each, migrations):
            table.row(name_of(each), *cells)
    return table


def full_scale_table(migrations: list[MigrationRecord]) -> Fitting:
    """A line a migration: what the emulated figures stand for."""
    slowed = any(throttled_s(each) for each in migrations)
    table = Fitting(
        ("at full size", ">RAM", ">goodput", ">writes", ">total", ">downtime", *[">throttled"] * slowed, ">sent"),
        spare=("goodput", "writes"),
    )
    for each in migrations:
        real = each.full_scale
        table.row(
            name_of(each),
            _in(in_bytes, real.get("ram_bytes")),
            _in(in_bits_per_second, real.get("goodput")),
            _in(in_bytes_per_second, real.get("write_rate")),
            _in(in_seconds, real.get("total_time_s")),
            _in(in_seconds, real.get("downtime_s")),
            *[_in(in_seconds, throttled_real_s(each))] * slowed,
            _in(in_bytes, real.get("bytes_sent")),
        )
    return table


def predictions_table(migrations: list[MigrationRecord]) -> Fitting:
    """A line a migration: what the model foreseen before it, and how far the measurement is from that."""
    table = Fitting(
        ("predicted", "outcome", ">total", ">off", ">downtime", ">off", ">rounds", ">off", ">sent", ">off"),
        spare=("outcome",) if all(each.outcome == "completed" for each in migrations) else (),
    )
    for each in migrations:
        if each.predicted:
            cells = [cell for figure in foretold(each) for cell in (figure.said, figure.off)]
            table.row(name_of(each), _ending(each.predicted), *cells)
    return table


def _ending(prediction: PredictionRecord) -> str:
    """How it was to end; with how many of how many, where chance decides that too."""
    return (
        prediction.outcome
        if prediction.alike == prediction.replicas
        else f"{prediction.outcome} ({prediction.alike} of {prediction.replicas})"
    )


def name_of(migration: MigrationRecord) -> str:
    """Its name, with which repeat it is."""
    return migration.name if migration.repeat == 1 else f"{migration.name} (repeat {migration.repeat})"


def figures(migration: MigrationRecord) -> list[str]:
    """Total time, downtime, rounds, bytes sent, the same as a multiple of the RAM, the dirty rate of round 1."""
    first = migration.rounds[0] if migration.rounds else None
    ram = migration.vm.ram_bytes
    return [
        _in(in_seconds, migration.total_time_s),
        _in(in_seconds, migration.downtime_s),
        str(len(migration.rounds) or NOTHING),
        in_bytes(migration.bytes_sent),
        f"{migration.bytes_sent / ram:.3f}" if ram else NOTHING,
        in_bytes_per_second(first.dirty_rate) if first else NOTHING,
    ]


def rounds_table(migration: MigrationRecord) -> Fitting:
    """A line a round, with the policy's own words."""
    throttled = any(each.throttle for each in migration.rounds)
    heads = (">round", ">sent", ">time", ">bandwidth", ">dirtied", *[">throttle"] * throttled, "decision")
    table = Fitting(heads, prose=("decision",))
    for each in migration.rounds:
        index = str(each.index) if each.kind == "precopy" else f"{KINDS[each.kind]} {each.index}"
        table.row(
            index,
            in_bytes(each.sent_bytes),
            in_seconds(each.duration_s),
            in_bytes_per_second(each.bandwidth),
            in_bytes(each.dirtied_bytes),
            *[f"{each.throttle:.0%}"] * throttled,
            each.decision,
        )
    return table


def comparisons_table(comparisons: list[ComparisonRecord]) -> Fitting:
    """A line a published figure: what was measured, what was published, how far apart they are."""
    heads = ("published figure", ">measured", ">published", ">difference", "within", "source")
    table = Fitting(heads, spare=("source",))
    for each in comparisons:
        measured, published = in_unit(each.measured, each.unit), in_unit(each.published, each.unit)
        over = f"{each.name}, {each.over} {each.a} to {each.b}" if each.over else each.name
        table.row(over, measured, published, difference(each), allowed(each), each.source)
    return table


def difference(each: ComparisonRecord) -> str:
    """In per cent of what was published; of shares in percentage points."""
    if each.measured is None or each.published is None:
        return NOTHING
    if each.unit == "ratio":
        return f"{each.measured / each.published:.1f} times" if each.published else NOTHING
    if each.unit == "share":
        return f"{(each.measured - each.published) * 100:+.1f} points"
    return f"{each.measured / each.published - 1:+.2%}" if each.published else NOTHING


def allowed(each: ComparisonRecord) -> str:
    """What the scenario allows, and whether it is kept."""
    if each.unit == "ratio" and each.published is not None:
        return f"at least {each.published:g}" + ("" if each.met is None else ": yes" if each.met else ": NO")
    if each.within is None:
        return NOTHING
    tolerance = f"{each.within * 100:g} points" if each.unit == "share" else f"{each.within * 100:g}%"
    return tolerance if each.met is None else f"{tolerance}: {'yes' if each.met else 'NO'}"


def memory(proof: MemoryRecord | None) -> str:
    """Whether memories were equal, in a word; ``NOTHING`` where they were not compared."""
    if proof is None or proof.match is None:
        return NOTHING
    return "equal" if proof.match else "DIFFERENT"


def proof(proof: MemoryRecord | None) -> str:
    """In a line: ``equal: 262,144 pages compared, 12 that the guest wrote since replayed``."""
    if proof is None or proof.match is None:
        return "not checked"
    written = f"{proof.pages_replayed:,} that the guest wrote since replayed"
    where = f"; different in {proof.difference}" if proof.difference else ""
    return f"{memory(proof)}: {proof.pages_compared:,} pages compared, {written}{where}"


def in_unit(value: float | None, unit: str) -> str:
    """A published figure, or one beside it, as people read it."""
    if value is None:
        return NOTHING
    match unit:
        case "bytes":
            return f"{value / 1e6:,.2f} MB"
        case "ratio":
            return f"{value:.1f} x"
        case "seconds":
            return f"{value:.2f} s" if value >= 1 else in_seconds(value)
        case _:
            return f"{value:.1%}"


def _in(write: Callable[[float], str], value: float | None) -> str:
    return NOTHING if value is None else write(value)

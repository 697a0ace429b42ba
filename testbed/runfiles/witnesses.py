"""A record against the run's other files: the rounds and marks of ``samples.jsonl``, the pages of ``pages.jsonl``, and
the comparisons that follow from the migrations.
"""

from collections.abc import Iterator, Sequence
from typing import get_args

from testbed.core.records.claims import Claim, Figure
from testbed.core.records.migration import ComparisonRecord, MigrationRecord, Summary
from testbed.core.records.rounds import RoundRecord
from testbed.core.rounds import Round
from testbed.core.text.from_json import built
from testbed.core.units import PAGE_SIZE
from testbed.runfiles.agreement import alike
from testbed.runfiles.pages import Cells
from testbed.runfiles.published import comparisons
from testbed.runfiles.samples import Recording

MARKS_S = 1e-3
"""The run writes down that a migration has ended, after the source has said so."""
OF_A_ROUND = ("started_s", "duration_s", "sent_bytes", "dirtied_bytes", "throttle", "bandwidth", "operations")


def of_events(record: MigrationRecord, recording: Recording | None) -> Iterator[str]:
    """The record of a migration against what was written down while it was made: of one that is not valid that may be
    less, as when the disk was full.
    """
    if recording is None:
        if record.valid:
            yield "samples.jsonl has nothing of it"
        return
    sampled = [row.get("round") for row in recording.events if row["event"] == "round"]
    if record.valid and len(sampled) != len(record.rounds):
        yield f"it has {len(record.rounds)} rounds, samples.jsonl has {len(sampled)} of it"
    whole = record.valid or len(sampled) == len(record.rounds)
    by_index = {row.get("index"): row for row in sampled if isinstance(row, dict) and isinstance(row.get("index"), int)}
    rows = sampled if whole else [by_index.get(each.index) for each in record.rounds]
    for each, row in zip(record.rounds, rows, strict=False):
        if whole or row is not None:
            yield from (f"round {each.index}: {said}" for said in _of_round(each, row))
    yield from _of_marks(record, recording, whole=whole)


def of_cells(record: MigrationRecord, cells: Cells | None) -> Iterator[str]:
    """Its rounds against the pages that each of them carried, and found dirty. A record without figures of real-world
    size is of a version that counted pages otherwise.
    """
    if cells is None or not record.full_scale:
        return
    rounds = {each.index: each for each in record.rounds}
    for number, sent, dirtied in zip(cells.rounds, cells.sent, cells.dirtied, strict=True):
        each = rounds.get(number)
        if each is None:
            yield f"pages.jsonl has a round {number} that it has not"
            continue
        for name, pages in (("sent_bytes", int(sent.sum())), ("dirtied_bytes", int(dirtied.sum()))):
            if getattr(each, name) != pages * PAGE_SIZE:
                yield f"round {number}: {name} is {getattr(each, name):,}, pages.jsonl says {pages * PAGE_SIZE:,}"


def of_comparisons(summary: Summary) -> Iterator[str]:
    """What was published against the migrations: measured anew."""
    for each in summary.comparisons:
        claim = _claim(each, summary.migrations)
        if claim is None:
            continue
        (again,) = comparisons([claim], summary.migrations)
        for name in ("measured", "reduction"):
            if not _alike(getattr(each, name), getattr(again, name)):
                yield f"{each.name}: {name} is {getattr(each, name)}, its migrations say {getattr(again, name)}"
        if each.met != again.met:
            yield f"{each.name}: met is {each.met}, its migrations say {again.met}"


def _of_round(each: RoundRecord, row: object) -> Iterator[str]:
    try:
        sampled = built(Round, row)
    except ValueError as error:
        yield f"samples.jsonl has another: {error}"
        return
    for name in OF_A_ROUND:
        if not _alike(getattr(each, name), getattr(sampled, name)):
            yield f"{name} is {_said(getattr(each, name))}, samples.jsonl says {_said(getattr(sampled, name))}"
    if (each.index, each.kind) != (sampled.index, sampled.kind.value):
        yield f"it is {each.kind}, samples.jsonl says round {sampled.index}, {sampled.kind.value}"


def _of_marks(record: MigrationRecord, recording: Recording, *, whole: bool) -> Iterator[str]:
    asked, ended = recording.mark("migrate"), recording.mark("ended")
    if asked is None or ended is None or record.total_time_s is None:
        return
    if record.total_time_s > ended - asked + MARKS_S:
        yield f"total_time_s is {record.total_time_s:.9g}, by samples.jsonl it had ended after {ended - asked:.9g}"
    switched = any(row.get("phase") == "switchover" for row in recording.events if row["event"] == "phase")
    if whole and record.outcome == "completed" and not switched:
        yield "it completed, and samples.jsonl knows of no switchover"


def _claim(each: ComparisonRecord, migrations: Sequence[MigrationRecord]) -> Claim | None:
    """What was claimed, by its name; None where the name does not say whom it means."""
    figure, _, rest = each.name.partition(" ")
    number = None
    if figure == "round":
        word, _, rest = rest.partition(" ")
        figure, number = "round_bytes", int(word) if word.isascii() and word.isdigit() and len(word) < 9 else None
    where = _where(rest, migrations)
    if figure not in get_args(Figure) or where is None or each.published is None:
        return None
    return Claim(
        figure=figure,  # type: ignore[arg-type]
        published=each.published,
        source=each.source,
        where=where,
        over=each.over,
        a=each.a,
        b=each.b,
        round=number,
        within=each.within,
        at_least=each.unit == "ratio",
    )


def _where(rest: str, migrations: Sequence[MigrationRecord]) -> dict[str, object] | None:
    """The settings that a name ends in."""
    for record in migrations:
        settings = {path: value for path, value in record.settings.items() if f"{path}={value}" in rest}
        if len(" ".join(f"{path}={value}" for path, value in settings.items())) == len(rest):
            return settings
    return None


def _said(number: float | None) -> str:
    return "not there" if number is None else f"{number:,}"


def _alike(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return alike(a, b)

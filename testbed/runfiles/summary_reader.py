"""The one way to a run's summary: typed, bounded, and held against itself and the run's other files.

A folder that cannot be read is one ``ScenarioError`` with file and place. One that can, and whose figures contradict
each other, is read as a run that is not valid, and says where: a reader has to see it, and may not trust it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.core.text.from_json import built
from testbed.runfiles import agreement, endings, pages, samples, witnesses
from testbed.runfiles.files import MOST_SUMMARY, parsed, there

SUMMARY, SAMPLES, PAGES, ENDINGS = "summary.json", "samples.jsonl", "pages.jsonl", "endings"
POINTS = "points"
"""Where a sweep has its runs."""
DOUBT = "summary.json does not agree with itself"
"""Begins the reason that a run is given for each thing that contradicts another."""
MOST_SAID = 20


def read(folder: Path) -> Summary:
    """The summary of the run in a folder, doubted where it contradicts itself. Raises as ``as_written`` does."""
    summary = as_written(folder)
    recordings, memory = samples.events(folder / SAMPLES), pages.read(folder / PAGES)
    for record in summary.migrations:
        contradictions = list(_of_migration(record, summary.engine, recordings, memory))
        _doubt(record, [f"{DOUBT}: {each}" for each in contradictions])
        _doubt(summary, [f"{DOUBT}: {record.key}: {each}" for each in contradictions])
    _doubt(
        summary, [f"{DOUBT}: {each}" for each in (*agreement.of_summary(summary), *witnesses.of_comparisons(summary))]
    )
    return summary


def as_written(folder: Path) -> Summary:
    """The summary of the run in a folder, held against nothing. Raises ``ScenarioError`` if there is none or it is not
    one.
    """
    summary = from_json(parsed(summary_of(folder), MOST_SUMMARY), str(folder / SUMMARY))
    endings.complete(summary, [_ending(known, where) for where, known in endings.read(folder / ENDINGS)])
    return summary


def summary_of(folder: Path) -> Path:
    """Where it is. Raises ``ScenarioError`` where no run is, and says what is there instead."""
    file = folder / SUMMARY
    if there(file):
        return file
    if folder.is_file():
        refusal = f"is a file; give the run's folder: {folder.parent}"
    elif folder.is_dir():
        runs = folder / POINTS
        swept = f"; it is a sweep's, whose runs are the folders in {runs}" if runs.is_dir() else ""
        refusal = f"no run lies here: there is no {SUMMARY}{swept}"
    else:
        refusal = "there is no such folder"
    raise ScenarioError(refusal, str(folder))


def doubts(summary: Summary) -> list[str]:
    """What contradicts what, of a summary that was read; nothing where all agrees."""
    return [reason for reason in summary.invalid_reasons if reason.startswith(DOUBT)]


def from_json(content: Any, where: str) -> Summary:
    """The summary that was written. Keys of a later version are passed over. Raises ``ScenarioError``."""
    if not isinstance(content, Mapping) or content.get("schema") != 1 or content["schema"] is True:
        raise ScenarioError("is not a summary of schema 1", where)
    try:
        summary = built(Summary, content)
        for index, each in enumerate(summary.migrations):
            _scaled(each, f"migrations[{index}].scale")
    except ValueError as error:
        raise ScenarioError(f"is not a complete summary: {error}", where) from error
    return summary


def migration_from_json(content: Any) -> MigrationRecord:
    """One migration of a summary, as ``from_json`` would read it. Raises ``ValueError``."""
    record = built(MigrationRecord, content)
    _scaled(record, "scale")
    return record


def _ending(content: Any, where: str) -> MigrationRecord:
    try:
        return migration_from_json(content)
    except ValueError as error:
        raise ScenarioError(f"is not a complete record of a migration: {error}", where) from error


def _scaled(record: MigrationRecord, place: str) -> None:
    if min(record.scale.get("size", 0), record.scale.get("time", 0)) <= 0:
        raise ValueError(f"{place}: expected a size and a time above 0")


def _of_migration(
    record: MigrationRecord,
    engine: str,
    recordings: list[samples.Recording],
    memory: Mapping[MigrationKey, pages.Cells],
) -> Iterator[str]:
    yield from agreement.of_migration(record, engine)
    if recordings:
        yield from witnesses.of_events(record, samples.find(recordings, record))
    yield from witnesses.of_cells(record, memory.get(record.key))


def _doubt(judged: MigrationRecord | Summary, reasons: list[str]) -> None:
    """What is doubted is not valid, and says why; of very much that is wrong the first things."""
    if reasons:
        more = [f"{DOUBT}: {len(reasons) - MOST_SAID} more of this kind"] if len(reasons) > MOST_SAID else []
        judged.valid = False
        judged.invalid_reasons = [*judged.invalid_reasons, *reasons[:MOST_SAID], *more]

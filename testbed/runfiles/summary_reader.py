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
DOUBT = "summary.json does not agree with itself"
"""Begins the reason that a run is given for each thing that contradicts another."""
MOST_SAID = 20


def read(folder: Path) -> Summary:
    """The summary of the run in a folder. Raises ``ScenarioError`` if there is none or it is not one."""
    summary = from_json(parsed(summary_of(folder), MOST_SUMMARY), str(folder / SUMMARY))
    endings.complete(summary, [_ending(known, where) for where, known in endings.read(folder / ENDINGS)])
    recordings, memory = samples.events(folder / SAMPLES), pages.read(folder / PAGES)
    for done in summary.migrations:
        found = list(_of_migration(done, summary.engine, recordings, memory))
        _doubt(done, [f"{DOUBT}: {each}" for each in found])
        _doubt(summary, [f"{DOUBT}: {done.name}: {each}" for each in found])
    _doubt(
        summary, [f"{DOUBT}: {each}" for each in (*agreement.of_summary(summary), *witnesses.of_comparisons(summary))]
    )
    return summary


def summary_of(folder: Path) -> Path:
    """Where it is. Raises ``ScenarioError`` where no run is, and says what is there instead."""
    file = folder / SUMMARY
    if there(file):
        return file
    if folder.is_file():
        said = f"is a file; give the run's folder: {folder.parent}"
    elif folder.is_dir():
        said = f"no run lies here: there is no {SUMMARY}"
    else:
        said = "there is no such folder"
    raise ScenarioError(said, str(folder))


def doubts(summary: Summary) -> list[str]:
    """What contradicts what, of a summary that was read; nothing where all agrees."""
    return [reason for reason in summary.invalid_reasons if reason.startswith(DOUBT)]


def from_json(known: Any, where: str) -> Summary:
    """The summary that was written. Keys of a later version are passed over. Raises ``ScenarioError``."""
    if not isinstance(known, Mapping) or known.get("schema") != 1 or known["schema"] is True:
        raise ScenarioError("is not a summary of schema 1", where)
    try:
        made = built(Summary, known)
        for index, each in enumerate(made.migrations):
            _scaled(each, f"migrations[{index}].scale")
    except ValueError as error:
        raise ScenarioError(f"is not a complete summary: {error}", where) from error
    return made


def migration_from_json(known: Any) -> MigrationRecord:
    """One migration of a summary, as ``from_json`` would read it. Raises ``ValueError``."""
    made = built(MigrationRecord, known)
    _scaled(made, "scale")
    return made


def _ending(known: Any, where: str) -> MigrationRecord:
    try:
        return migration_from_json(known)
    except ValueError as error:
        raise ScenarioError(f"is not a complete record of a migration: {error}", where) from error


def _scaled(done: MigrationRecord, place: str) -> None:
    if min(done.scale.get("size", 0), done.scale.get("time", 0)) <= 0:
        raise ValueError(f"{place}: expected a size and a time above 0")


def _of_migration(
    done: MigrationRecord,
    engine: str,
    recordings: list[samples.Recording],
    memory: Mapping[MigrationKey, pages.Cells],
) -> Iterator[str]:
    yield from agreement.of_migration(done, engine)
    if recordings:
        yield from witnesses.of_events(done, samples.find(recordings, done))
    yield from witnesses.of_cells(done, memory.get(done.key))


def _doubt(judged: MigrationRecord | Summary, found: list[str]) -> None:
    """What is doubted is not valid, and says why; of very much that is wrong the first things."""
    if found:
        more = [f"{DOUBT}: {len(found) - MOST_SAID} more of this kind"] if len(found) > MOST_SAID else []
        judged.valid = False
        judged.invalid_reasons = [*judged.invalid_reasons, *found[:MOST_SAID], *more]

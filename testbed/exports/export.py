"""The files that one run is exported to, and into which folder.

A run's folder is believed as little as anywhere (``runfiles``): read within bounds, doubted where it contradicts
itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from pathlib import Path

from testbed.core.records.migration import Summary
from testbed.exports import csv_text, openmetrics, package, parquet, sampled, tables, trace
from testbed.exports.cells import Sheet
from testbed.runfiles import samples
from testbed.runfiles.folder import RunFolder, put
from testbed.runfiles.samples import Recording

FOLDER = "export"
"""Within the run's own folder, where nobody names another."""


class Form(Enum):
    """What a run can be exported as."""

    CSV = "csv"
    PARQUET = "parquet"
    TRACE = "trace"
    METRICS = "metrics"


_TABLES = {".csv", ".parquet"}
ALWAYS = (Form.CSV, Form.TRACE, Form.METRICS)
"""Those that need nothing beside us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written, and what is to be said about it."""

    summary: Summary
    files: list[Path]
    notes: list[str]


def export(
    run: Path, out: Path | None, forms: tuple[Form, ...], told: Callable[[Path], None] = lambda _: None
) -> Exported:
    """Writes these forms of the run in a folder; of several that are the same name the new one is kept. ``told`` of
    each file as soon as it is there. Raises ``ScenarioError``, ``PrerequisiteMissing``, ``TestbedError``.
    """
    if Form.PARQUET in forms:
        parquet.required()
    folder = RunFolder(run)
    summary = folder.read_summary()
    recordings = [] if set(forms) == {Form.METRICS} else samples.read(folder.samples)
    into, files, notes = out or run / FOLDER, list[Path](), list[str]()
    for name, content in _contents(summary, recordings, forms, notes):
        put(file := into / name, content)
        files.append(file)
        told(file)
    tables = {file.suffix for file in files} & _TABLES
    stays = sorted(file.name for end in tables for file in into.glob(f"*{end}") if file not in files)
    notes += [f"{each} in {into} was there before, and is not of this run" for each in stays]
    return Exported(summary=summary, files=files, notes=notes)


def tables_of(summary: Summary, recordings: list[Recording]) -> Iterator[Sheet]:
    """Those of the record, and those of the samples."""
    return chain(tables.tables(summary), sampled.tables(recordings))


def _contents(
    summary: Summary, recordings: list[Recording], forms: tuple[Form, ...], notes: list[str]
) -> Iterator[tuple[str, bytes]]:
    """Each file's name and what is in it; one at a time, since samples may be many."""
    made: list[Sheet] = []
    if Form.CSV in forms or Form.PARQUET in forms:
        for each in tables_of(summary, recordings):
            made.append(Sheet(name=each.name, columns=each.columns, values=[]))
            if Form.CSV in forms:
                yield f"{each.name}.csv", csv_text.text(each).encode()
            if Form.PARQUET in forms:
                yield f"{each.name}.parquet", parquet.content(each)
    if Form.CSV in forms:
        yield "datapackage.json", package.text(summary, made).encode()
    if Form.TRACE in forms:
        written, lost = trace.text(summary, recordings)
        notes += [f"{each} has no place in the trace: nothing says when it was" for each in lost]
        yield "trace.json", written.encode()
    if Form.METRICS in forms:
        yield "metrics.prom", openmetrics.text(summary).encode()

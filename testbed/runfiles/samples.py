"""``samples.jsonl`` as arrays: what was sampled and what happened, migration by migration."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord
from testbed.core.text.from_json import number, plain, text, value
from testbed.runfiles.files import DAMAGED, MOST_SAMPLES, json_lines, there

Column: TypeAlias = npt.NDArray[Any]
Columns: TypeAlias = dict[str, Column]
Row: TypeAlias = dict[str, Any]

TEXTS = frozenset({"kind", "host", "interface", "qdisc", "name", "congestion"})
NUMBERS = frozenset({"t", "rx_bytes", "tx_bytes", "bytes", "drops", "cpu_s", "rss_bytes", "operations", "latency_s"})
"""Fields of samples whose type matters to a reader; of any other it is enough that it holds one word or number."""
LEAD_S = 0.1
"""The sampler starts this long, at most, before it writes down which migration it samples."""


@dataclass(slots=True, kw_only=True)
class Recording:
    """One migration's samples: ``rows`` by kind in the order they were written, and the events among them."""

    name: str
    repeat: int
    rows: dict[str, list[Row]] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)

    def columns(self, kind: str) -> Columns:
        """Every field of ``kind`` as an array of one entry a sample; none at all where nothing was sampled."""
        return to_columns(self.rows.get(kind, []))

    @property
    def kinds(self) -> dict[str, Columns]:
        """All of them."""
        return {kind: self.columns(kind) for kind in self.rows}

    def mark(self, name: str) -> float | None:
        """When (s, CLOCK_MONOTONIC) the edge ``name`` was passed."""
        times = (each["t"] for each in self.events if each["event"] == "mark" and each["name"] == name)
        return next(times, None)


def read(path: Path) -> list[Recording]:
    """The recordings of a run, in order; none if there is no such file, as for a simulated run.

    A last line that was cut off (a killed run) is passed over. Raises ``ScenarioError`` for other damage.
    """
    found: list[Recording] = []
    early: list[Row] = []
    for row in _rows(path):
        if row["kind"] == "event" and row["event"] == "migration":
            begun = Recording(name=row["name"], repeat=row["repeat"])
            for sample in _taken_early(found, row["t"]) if found else early:
                begun.rows.setdefault(sample["kind"], []).append(sample)
            found.append(begun)
        elif not found:
            early.append(row)
        elif row["kind"] == "event":
            found[-1].events.append(row)
        else:
            found[-1].rows.setdefault(row["kind"], []).append(row)
    for rows in (rows for each in found for rows in each.rows.values()):
        rows.sort(key=lambda row: float(row["t"]))
    return found


def events(path: Path) -> list[Recording]:
    """The same without what was sampled, in a fraction of the time."""
    found: list[Recording] = []
    for row in _rows(path, only=b'"event"'):
        if row["kind"] != "event":
            continue
        if row["event"] == "migration":
            found.append(Recording(name=row["name"], repeat=row["repeat"]))
        elif found:
            found[-1].events.append(row)
    return found


def find(recordings: list[Recording], done: MigrationRecord) -> Recording | None:
    """The recording of a migration."""
    return next((each for each in recordings if (each.name, each.repeat) == (done.name, done.repeat)), None)


def to_columns(rows: list[Row]) -> Columns:
    """Numbers become int64 or float64, with NaN for what a sample lacks; text stays text."""
    names = dict.fromkeys(name for row in rows[:1] + rows[-1:] for name in row if name != "kind")
    return {name: _array([row.get(name) for row in rows]) for name in names}


def _array(values: list[Any]) -> Column:
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values])
    if any(value is None or isinstance(value, float) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array(values, np.int64)


def _taken_early(found: list[Recording], begun: float) -> Iterator[Row]:
    """Takes back from the one before what was sampled just before a migration was named, in the order of time."""
    for rows in found[-1].rows.values():
        kept = len(rows)
        while kept and begun - LEAD_S <= rows[kept - 1]["t"] <= begun:
            kept -= 1
        yield from rows[kept:]
        del rows[kept:]


def _rows(path: Path, only: bytes = b"") -> Iterator[Row]:
    if not there(path):
        return
    for place, row in json_lines(path, MOST_SAMPLES, only):
        try:
            yield _checked(row)
        except ValueError as error:
            raise ScenarioError(f"is not a sample: {error}; {DAMAGED}", place) from error


def _checked(row: Row) -> Row:
    """Numbers where numbers are, text where text is. Raises ``ValueError``."""
    number(row.get("t"), "t")
    if text(row.get("kind"), "kind") == "event":
        text(row.get("event"), "event")
        if row["event"] == "migration":
            value(int, row.get("repeat"), "repeat")
        if row["event"] in ("migration", "mark"):
            text(row.get("name"), "name")
        return row
    for name, known in row.items():
        if name in TEXTS:
            text(known, name)
        elif name not in NUMBERS:
            plain(known, name, depth=1)
        elif known is not None:
            number(known, name)
    return row

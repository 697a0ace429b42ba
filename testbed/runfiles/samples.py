"""``samples.jsonl`` as arrays: what was sampled and what happened, migration by migration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord
from testbed.core.records.sample_owner import NAMED, NUMBER, owner
from testbed.core.text.from_json import number, plain, text, value
from testbed.runfiles.files import DAMAGED, MOST_SAMPLES, json_lines, there

Column: TypeAlias = npt.NDArray[Any]
Columns: TypeAlias = dict[str, Column]
Row: TypeAlias = dict[str, Any]

TEXTS = frozenset({"kind", "host", "interface", "qdisc", "name", "congestion"})
NUMBERS = frozenset({"t", "rx_bytes", "tx_bytes", "bytes", "drops", "cpu_s", "rss_bytes", "operations", "latency_s"})
"""Fields of samples whose type matters to a reader; of any other it is enough that it holds one word or number."""
LEAD_S = 0.1
"""Of schema 1: the sampler starts this long, at most, before it writes down which migration it samples."""


@dataclass(slots=True, kw_only=True)
class Recording:
    """One migration's samples: ``rows`` by kind in the order of time, and the events among them; ``seed`` as it was
    said there.
    """

    key: MigrationKey
    seed: int | None = None
    rows: dict[str, list[Row]] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The migration's name, without repeat and guest."""
        return self.key.name

    @property
    def repeat(self) -> int:
        """Which repeat it is."""
        return self.key.repeat

    def columns(self, kind: str) -> Columns:
        """Every field of ``kind`` as an array of one entry a sample; none at all where nothing was sampled."""
        return to_columns(self.rows.get(kind, []))

    @property
    def kinds(self) -> dict[str, Columns]:
        """The columns of every kind of sample that was recorded, by kind."""
        return {kind: self.columns(kind) for kind in self.rows}

    def mark(self, name: str) -> float | None:
        """When (s, CLOCK_MONOTONIC) the edge ``name`` was passed."""
        times = (each["t"] for each in self.events if each["event"] == "mark" and each["name"] == name)
        return next(times, None)


class Recordings:
    """The rows of a file, put to their migrations. Of schema 2 whatever stands between them (``sample_owner``)."""

    def __init__(self) -> None:
        self._found: dict[int, Recording] = {}
        self._unnamed: dict[int, list[Row]] = {}
        self._place = -1
        """Of schema 1: stands for the number, and counts downwards."""

    def read(self, path: Path, only: Sequence[bytes] = (b"",)) -> None:
        """Takes in a file, or the next part of it: of its lines those that hold one of ``only``. Nothing if it is
        not there.

        A last line that was cut off (a killed run) is passed over. Raises ``ScenarioError`` for other damage.
        """
        if not there(path):
            return
        for place, row in json_lines(path, MOST_SAMPLES, only):
            try:
                migration = value(int, row.pop(NUMBER), NUMBER) if NUMBER in row else None
                self._take(migration, _checked(row))
            except ValueError as error:
                raise ScenarioError(f"is not a sample: {error}; {DAMAGED}", place) from error

    def all(self) -> list[Recording]:
        """In the order in which the migrations were named."""
        return [_in_order(each) for each in self._found.values()]

    def pop(self, migration: MigrationKey) -> Recording | None:
        """The recording of a migration that is over, held no more. None where nothing was recorded of it."""
        place = next((place for place, each in self._found.items() if each.key == migration), None)
        return None if place is None else _in_order(self._found.pop(place))

    def _take(self, place: int | None, row: Row) -> None:
        if row["kind"] == "event" and row["event"] == NAMED:
            self._name(place, row)
            return
        place = self._place if place is None else place
        if place in self._found:
            _put(self._found[place], row)
        else:
            self._unnamed.setdefault(place, []).append(row)

    def _name(self, place: int | None, row: Row) -> None:
        if place is None:
            before = self._found.get(self._place)
            early = list(_taken_early(before, row["t"])) if before else self._unnamed.pop(self._place, [])
            place = self._place = self._place - 1
        elif place in self._found:
            raise ValueError(f"{NUMBER} {place} was {self._found[place].key} before")
        else:
            early = self._unnamed.pop(place, [])
        named = self._found[place] = Recording(key=owner(row), seed=value(int | None, row.get("seed"), "seed"))
        for each in early:
            _put(named, each)


def read(path: Path) -> list[Recording]:
    """The recordings of a run, in order; none if there is no such file, as for a simulated run. Raises as
    ``Recordings.read`` does.
    """
    found = Recordings()
    found.read(path)
    return found.all()


def events(path: Path) -> list[Recording]:
    """The recordings of a run, their events alone, in a fraction of the time. Raises as ``Recordings.read`` does."""
    found = Recordings()
    found.read(path, only=(b'"event"',))
    return found.all()


def _put(recording: Recording, row: Row) -> None:
    if row["kind"] == "event":
        recording.events.append(row)
    else:
        recording.rows.setdefault(row["kind"], []).append(row)


def _in_order(recording: Recording) -> Recording:
    for rows in recording.rows.values():
        rows.sort(key=lambda row: float(row["t"]))
    return recording


def find(recordings: list[Recording], done: MigrationRecord) -> Recording | None:
    """The recording of a migration."""
    return next((each for each in recordings if each.key == done.key), None)


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


def _taken_early(before: Recording, begun: float) -> Iterator[Row]:
    """Takes back from the one before what was sampled just before a migration was named, in the order of time."""
    for rows in before.rows.values():
        kept = len(rows)
        while kept and begun - LEAD_S <= rows[kept - 1]["t"] <= begun:
            kept -= 1
        yield from rows[kept:]
        del rows[kept:]


def _checked(row: Row) -> Row:
    """Numbers where numbers are, text where text is. Raises ``ValueError``."""
    number(row.get("t"), "t")
    if text(row.get("kind"), "kind") == "event":
        if text(row.get("event"), "event") == "mark":
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

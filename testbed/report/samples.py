"""``samples.jsonl`` as arrays: what was sampled and what happened, migration by migration."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from testbed.core import json_text
from testbed.core.errors import ScenarioError

Column: TypeAlias = npt.NDArray[Any]
Columns: TypeAlias = dict[str, Column]
Row: TypeAlias = dict[str, Any]

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
    if not path.exists():
        return []
    found: list[Recording] = []
    early: list[Row] = []
    for row in _rows(path):
        if row["kind"] == "event" and row.get("event") == "migration":
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
    return found


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


def _rows(path: Path) -> Iterator[Row]:
    for number, line in enumerate(json_text.lines_of(path), 1):
        try:
            row = json_text.parse(line)
            yield {**row, "t": float(row["t"]), "kind": str(row["kind"])}
        except (ValueError, KeyError, TypeError) as error:
            if not line.endswith("\n") and len(line) < json_text.MAX_LINE:
                return
            raise ScenarioError("is not a sample; the run's files are damaged", f"{path}:{number}") from error

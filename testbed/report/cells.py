"""``pages.jsonl``: the guest's memory as at most 1,024 cells, and how many pages of each were dirtied and sent.

A line a round, written when the round's dirty pages have been found:

    {"migration": "hello", "repeat": 1, "round": 1, "pages": 62500, "cell_pages": 62,
     "sent": [62, 62, ...], "dirtied": [0, 17, ...]}

``pages`` are the guest's, ``cell_pages`` those of a cell: ceil(pages / 1024). Both lists have ceil(pages / cell_pages)
entries; cell ``i`` stands for the pages from ``i * cell_pages`` on, the last cell for what is left. ``sent`` counts the
pages that the round carried, ``dirtied`` those found dirty at its end. Their sums times 4096 are the round's
``sent_bytes`` and ``dirtied_bytes``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from testbed.core import json_text
from testbed.core.errors import ScenarioError
from testbed.core.extents import cell_pages

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cells:
    """One migration's: ``sent`` and ``dirtied`` have shape (rounds, cells); ``rounds`` are their indices, rising."""

    pages: int
    cell_pages: int
    rounds: list[int]
    sent: Counts
    dirtied: Counts

    @property
    def sizes(self) -> Counts:
        """Pages of each cell: the last one may have fewer."""
        cells = self.sent.shape[1]
        return np.minimum(self.cell_pages, self.pages - np.arange(cells) * self.cell_pages)

    def coarser(self, most: int) -> "Cells":
        """With at most ``most`` cells, neighbours taken together."""
        factor = -(-self.sent.shape[1] // most)
        if factor <= 1:
            return self
        starts = np.arange(0, self.sent.shape[1], factor)
        return Cells(
            pages=self.pages,
            cell_pages=self.cell_pages * factor,
            rounds=self.rounds,
            sent=np.add.reduceat(self.sent, starts, axis=1),
            dirtied=np.add.reduceat(self.dirtied, starts, axis=1),
        )


def line(*, migration: str, repeat: int, index: int, pages: int, sent: Counts, dirtied: Counts) -> str:
    """A line of the file, for rounds whose pages (numbers from 0) were ``sent`` and found ``dirtied``."""
    known: dict[str, Any] = {"migration": migration, "repeat": repeat, "round": index, "pages": pages}
    known |= {"cell_pages": cell_pages(pages), "sent": histogram(sent, pages), "dirtied": histogram(dirtied, pages)}
    return json.dumps(known, separators=(",", ":")) + "\n"


def histogram(numbers: Counts, pages: int) -> list[int]:
    """How many of these pages lie in each cell."""
    each = cell_pages(pages)
    counts: list[int] = np.bincount(np.asarray(numbers, np.int64) // each, minlength=-(-pages // each)).tolist()
    return counts


def read(path: Path) -> dict[tuple[str, int], Cells]:
    """By migration and repeat; empty where there is no such file. Raises ``ScenarioError`` if it is damaged."""
    if not path.exists():
        return {}
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in _rows(path):
        found.setdefault((row["migration"], row["repeat"]), []).append(row)
    return {key: _cells(rows, path) for key, rows in found.items()}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    needed = {"migration", "repeat", "round", "pages", "cell_pages", "sent", "dirtied"}
    for number, text in enumerate(json_text.lines_of(path), 1):
        try:
            row = json_text.parse(text)
        except ValueError as error:
            if not text.endswith("\n") and len(text) < json_text.MAX_LINE:
                return
            raise ScenarioError("is not JSON; the run's files are damaged", f"{path}:{number}") from error
        if not isinstance(row, dict) or not needed <= row.keys():
            raise ScenarioError(f"expected {', '.join(sorted(needed))}", f"{path}:{number}")
        yield row


def _cells(rows: list[dict[str, Any]], path: Path) -> Cells:
    first, rows = rows[0], sorted(rows, key=lambda row: int(row["round"]))
    try:
        sent = np.array([row["sent"] for row in rows], np.int64)
        dirtied = np.array([row["dirtied"] for row in rows], np.int64)
    except (ValueError, TypeError) as error:
        raise ScenarioError(f"rounds of {first['migration']} differ in their number of cells", str(path)) from error
    if sent.ndim != 2 or sent.shape != dirtied.shape or sent.shape[1] != -(-first["pages"] // first["cell_pages"]):
        raise ScenarioError(f"cells of {first['migration']} do not cover its pages", str(path))
    return Cells(
        pages=first["pages"],
        cell_pages=first["cell_pages"],
        rounds=[row["round"] for row in rows],
        sent=sent,
        dirtied=dirtied,
    )

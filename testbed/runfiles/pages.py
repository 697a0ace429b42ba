"""``pages.jsonl``: the guest's memory as at most 1,024 cells, and how many pages of each were dirtied and sent.

A line a round, written when the round's dirty pages have been found:

    {"migration": "hello", "repeat": 1, "guest": "vm", "round": 1, "pages": 62500, "cell_pages": 62,
     "sent": [62, 62, ...], "dirtied": [0, 17, ...]}

``pages`` are the guest's, ``cell_pages`` those of a cell: ceil(pages / 1024). Both lists have ceil(pages / cell_pages)
entries; cell ``i`` stands for the pages from ``i * cell_pages`` on, the last cell for what is left. ``sent`` counts the
pages that the round carried, ``dirtied`` those found dirty at its end. Their sums times 4096 are the round's
``sent_bytes`` and ``dirtied_bytes``.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from testbed.core.agents.told import RoundCells
from testbed.core.errors import ScenarioError
from testbed.core.extents import MOST_CELLS
from testbed.core.migration_key import GUEST, MigrationKey
from testbed.core.text.from_json import built
from testbed.linux.files import owned
from testbed.runfiles.files import DAMAGED, MOST_SAMPLES, json_lines, there

MOST_PAGES = 1 << 40
"""4 PiB: no guest has more."""
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


def append(path: Path, migration: MigrationKey, rounds: Sequence[RoundCells]) -> None:
    """A line for each of a migration's rounds: all of them, or none. Raises ``OSError``, ``ScenarioError``."""
    with owned.append(path, buffering=0) as file:
        owned.extend(file, "".join(_line(migration, cells) for cells in rounds).encode())


def _line(migration: MigrationKey, cells: RoundCells) -> str:
    line = _Line(
        migration=migration.name,
        repeat=migration.repeat,
        guest=migration.guest,
        round=cells.round,
        pages=cells.pages,
        cell_pages=cells.cell_pages,
        sent=list(cells.sent),
        dirtied=list(cells.dirtied),
    )
    return json.dumps(asdict(line)) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line as it is written and read."""

    migration: str
    repeat: int
    guest: str = GUEST
    round: int
    pages: int
    cell_pages: int
    sent: list[int]
    dirtied: list[int]

    @property
    def key(self) -> MigrationKey:
        return MigrationKey(name=self.migration, repeat=self.repeat, guest=self.guest)

    def check(self) -> None:
        """Raises ``ValueError`` where the cells are not those of the pages."""
        if not 0 < self.pages < MOST_PAGES or self.cell_pages < 1:
            raise ValueError("there are no such pages")
        if not len(self.sent) == len(self.dirtied) == -(-self.pages // self.cell_pages) <= MOST_CELLS:
            raise ValueError("the cells do not cover the pages")
        if max(*self.sent, *self.dirtied) > self.cell_pages:
            raise ValueError("a cell has more pages than it holds")


def read(path: Path) -> dict[MigrationKey, Cells]:
    """By migration; empty where there is no such file. Raises ``ScenarioError`` if it is damaged."""
    if not there(path):
        return {}
    found: dict[MigrationKey, list[_Line]] = {}
    for place, row in json_lines(path, MOST_SAMPLES):
        try:
            line = built(_Line, row)
            line.check()
            lines = found.setdefault(line.key, [])
            if lines and (lines[0].pages, lines[0].cell_pages) != (line.pages, line.cell_pages):
                raise ValueError(f"rounds of {line.migration} differ in their number of cells")
        except ValueError as error:
            raise ScenarioError(f"is not a round's pages: {error}; {DAMAGED}", place) from error
        lines.append(line)
    return {key: _cells(lines) for key, lines in found.items()}


def _cells(lines: list[_Line]) -> Cells:
    lines = sorted(lines, key=lambda line: line.round)
    return Cells(
        pages=lines[0].pages,
        cell_pages=lines[0].cell_pages,
        rounds=[line.round for line in lines],
        sent=np.array([line.sent for line in lines], np.int64),
        dirtied=np.array([line.dirtied for line in lines], np.int64),
    )

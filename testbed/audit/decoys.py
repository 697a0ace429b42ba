"""How like a seed's workload the pages are that were found dirty, against the workloads of other seeds.

    found      ▁▃▂▅▁▄▂▁      what a round dirtied, cell by cell
    expected   ▁▃▂▅▁▄▂▁      what the operations of that round would dirty, under the seed
    decoys     ▃▂▂▃▃▂▂▃      the same operations under other seeds; on average what the workload's shape alone says

What all seeds have in common (a working set, hot pages, a sweep) is taken away from both before they are correlated, so
only what the seed decides counts: 1 for the right one, about 0.1 for any other. Where seeds do not differ, as under
``sequential``, nothing is left, and nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from guest_agent.config import GuestConfig
from guest_agent.memory.hashing import mix_one
from guest_agent.memory.program import Program

DECOYS = 8
CHUNK = 1 << 16
"""Operations recomputed at a time."""
LEAST_CELLS = 64
"""So many that differ from seed to seed, and chance does not come near the threshold."""
Cells = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The operations ``first`` to ``until`` (without it), and the pages ``found`` dirty after them, cell by cell."""

    first: int
    until: int
    found: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """``correlation`` -1..1 over as many ``cells`` as tell seeds apart."""

    correlation: float
    cells: int


def likeness(config: GuestConfig, cell_pages: int, windows: Sequence[Window]) -> Likeness | None:
    """None where too little differs from seed to seed. Raises ``ScenarioError`` for a guest that cannot be."""
    expected = _dirtied(config, cell_pages, windows)
    seeds = [mix_one(config.seed, 7 + count) >> 1 for count in range(DECOYS)]
    decoys = np.stack([_dirtied(replace(config, seed=seed), cell_pages, windows) for seed in seeds])
    usual, varies = decoys.mean(axis=0), decoys.var(axis=0)
    cells = float(varies.sum()) ** 2 / float((varies**2).sum()) if varies.any() else 0.0
    if cells < LEAST_CELLS:
        return None
    found = np.stack([each.found for each in windows]).astype(np.float64)
    ours = _worked_on(config, cell_pages, found.shape[1])
    a, b = ((side - usual)[:, ours].ravel() for side in (expected, found))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return Likeness(correlation=float(a @ b) / size if size else 0.0, cells=round(cells))


def _worked_on(config: GuestConfig, cell_pages: int, cells: int) -> npt.NDArray[np.bool_]:
    """Those cells in which the workload alone writes: services write to the first pages."""
    return np.arange(cells) * cell_pages >= config.reserved_pages


def _dirtied(config: GuestConfig, cell_pages: int, windows: Sequence[Window]) -> Cells:
    """Pages that each window's operations write, cell by cell: shape (windows, cells)."""
    program, found = Program(config), []
    ours = _worked_on(config, cell_pages, len(windows[0].found))
    for each in windows:
        written = np.zeros(len(each.found) * cell_pages, np.bool_)
        for first in range(each.first, each.until, CHUNK):
            pages = program.pages(np.arange(first, min(first + CHUNK, each.until), dtype=np.uint64))
            written[pages] = True
        counts = written.reshape(-1, cell_pages).sum(axis=1).astype(np.float64)
        found.append(np.where(ours, counts, 0.0))
    return np.stack(found)

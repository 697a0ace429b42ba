"""How a workload spreads its writes over its pages, as a few cells of pages that are alike.

    sequential  one cell, swept      uniform  one cell, at random      hot-cold  two cells
    zipf        a cell a rank at the head, then cells that grow by a fixed ratio
    phases      the cells of all phases cut at each other's edges, so that what is dirty carries from one to the next

The parameters are those of the workloads themselves (guest_agent/workloads), which this module knows by name only: a
model that asked the guest for its future would prove nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from testbed.core.errors import ScenarioError
from testbed.core.units import PAGE_SIZE

Vector = npt.NDArray[np.float64]

HEARTBEAT = 1000.0
"""Operations per second of a guest that writes no pages."""
OWN_PAGES = 1
"""Pages of its own state, which every operation touches: page 0."""
HEAD = 32
"""Ranks of Zipf's law that get a cell each."""
GROWTH = 1.1
"""Each later cell is longer than the one before by this ratio; its pages are taken to be alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """One workload: ``edges`` in pages (n + 1), ``share`` of the writes that fall into each cell (n), page writes per
    second; ``swept`` when they go through the pages in order. ``operations`` until the next phase, None: for ever.
    """

    edges: Vector
    share: Vector
    rate: float
    swept: bool
    operations: float | None = None

    @property
    def pace(self) -> float:
        """Operations per second, those of the heartbeat where no page is written."""
        return self.rate or HEARTBEAT


def phases(workload: Mapping[str, Any], ram_bytes: int) -> list[Phase]:
    """The workload of a plan as phases over the same cells. Raises ``ScenarioError`` for one that has no model."""
    parts = workload["phases"] if workload["name"] == "phases" else [workload]
    built = [_phase(part, ram_bytes // PAGE_SIZE - OWN_PAGES) for part in parts]
    edges = np.unique(np.concatenate([phase.edges for phase in built]))
    return [_cut(phase, edges) for phase in built]


def _phase(workload: Mapping[str, Any], room: int) -> Phase:
    asked = workload.get("working_set")
    pages = float(room if asked is None else max(1, min(int(asked) // PAGE_SIZE, room)))
    edges, share = _cells(workload, pages)
    rate = 0.0 if workload["name"] == "idle" else float(workload["write_rate"]) / PAGE_SIZE
    duration = workload.get("duration")
    operations = None if duration is None else max(1.0, round(duration * (rate or HEARTBEAT)))
    return Phase(edges, share, rate, workload["name"] == "sequential", operations)


def _cells(workload: Mapping[str, Any], pages: float) -> tuple[Vector, Vector]:
    match workload["name"]:
        case "idle":
            return np.array([0.0, pages]), np.zeros(1)
        case "sequential" | "uniform":
            return np.array([0.0, pages]), np.ones(1)
        case "hot-cold" if pages > 1:
            hot = max(1.0, min(pages - 1, round(pages * workload["hot_share"])))
            share = workload["hot_rate_share"]
            return np.array([0.0, hot, pages]), np.array([share, 1 - share])
        case "hot-cold":
            return np.array([0.0, pages]), np.ones(1)
        case "zipf":
            return _zipf(pages, workload["exponent"])
        case name:
            raise ScenarioError(f"there is no model of the workload '{name}'; choose one that 'list workloads' names")


def _zipf(pages: float, exponent: float) -> tuple[Vector, Vector]:
    """The continuous law on 1..pages+1, density in proportion to 1 / x^exponent, summed over each cell."""
    edges = [float(rank) for rank in range(1, min(HEAD, int(pages)) + 1)]
    while edges[-1] * GROWTH < pages + 1:
        edges.append(float(max(edges[-1] + 1, np.floor(edges[-1] * GROWTH))))
    if edges[-1] < pages + 1:
        edges.append(pages + 1)
    x = np.array(edges)
    power = 1 - exponent
    until = np.log(x) if abs(power) < 1e-9 else (x**power - 1) / power
    return x - 1, np.diff(until) / until[-1]


def _cut(phase: Phase, edges: Vector) -> Phase:
    """The same phase over finer cells; a cell outside its working set gets nothing."""
    until = np.interp(edges, phase.edges, np.concatenate(([0.0], np.cumsum(phase.share))))
    return Phase(edges, np.diff(until), phase.rate, phase.swept, phase.operations)

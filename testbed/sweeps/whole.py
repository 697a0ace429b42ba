"""A sweep from end to end: its points made by whoever makes them, and what all of them say together written down."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from testbed.engines import registry
from testbed.runfiles.folder import RESULTS
from testbed.sweeps.conduct import Sweep, SweepProgress
from testbed.sweeps.folder import KeptPoint, SweepFolder
from testbed.sweeps.grid import Grid
from testbed.sweeps.makers.here import Makers
from testbed.sweeps.points import Point, Points
from testbed.sweeps.state import SweepState
from testbed.sweeps.together.cost import SweepCost
from testbed.sweeps.together.finish import finish


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepDone:
    """A sweep that has ended. ``done``: the points that are there, with their runs; ``files``: the names of those that
    tell of all of them; ``cost``: None where nothing was made, or elsewhere.
    """

    folder: SweepFolder
    state: SweepState
    done: list[tuple[Point, KeptPoint]]
    files: list[str]
    cost: SweepCost | None = None


def prepared(grid: Grid, engine: str | None, out: Path | None) -> tuple[Points, SweepFolder]:
    """The points by an engine, else the grid's own, and the folder that they go into, else one of the grid's name.
    Raises ``ScenarioError`` for an engine that there is not, and for a folder in which something else lies.
    """
    chosen = engine or grid.engine
    registry.get(chosen)
    folder = SweepFolder(out or RESULTS / f"{grid.name}-sweep")
    folder.check_own()
    return Points(grid, chosen), folder


def carried_out(
    points: Points,
    folder: SweepFolder,
    makers: Callable[[], Makers],
    *,
    limit: int | None = None,
    say: Callable[[str], None] = lambda _line: None,
    told: Callable[[SweepProgress], None] = lambda _progress: None,
) -> SweepDone:
    """Makes what is left, at most ``limit``, and writes down what there is. Raises as ``Sweep.run`` does."""
    conducted = Sweep(points, folder, limit=limit, say=say, told=told)
    state = conducted.run(makers)
    began = monotonic()
    done = conducted.done()
    files = finish(folder, state, done)
    cost = conducted.cost
    cost.told_s = monotonic() - began
    known = cost if cost.made and cost.count else None
    return SweepDone(folder=folder, state=state, done=done, files=files, cost=known)

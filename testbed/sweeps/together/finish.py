"""What is written once all points are there, or as many as there are: the tables, and the page."""

from collections.abc import Sequence

from testbed.sweeps.folder import KeptPoint, SweepFolder
from testbed.sweeps.points import Point
from testbed.sweeps.state import SweepState
from testbed.sweeps.together import page, rows
from testbed.sweeps.together.cells import cells


def finish(folder: SweepFolder, state: SweepState, done: Sequence[tuple[Point, KeptPoint]]) -> list[str]:
    """Writes them of the points that are ``done``; the names of the files. Raises ``TestbedError`` where one cannot be
    written.
    """
    written = rows.write(folder, done, state.axes)
    page.write(folder, state, cells(done))
    return ["sweep.json", *written, "sweep.html"]

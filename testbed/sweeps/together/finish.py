"""What is written once all points are there, or as many as there are: the tables, and the page."""

from testbed.sweeps.ended import NOT_VALID, VALID
from testbed.sweeps.folder import KeptPoint, SweepFolder
from testbed.sweeps.points import Point, Points
from testbed.sweeps.state import SweepState
from testbed.sweeps.together import page, rows
from testbed.sweeps.together.cells import cells


def finish(points: Points, folder: SweepFolder, state: SweepState) -> list[str]:
    """Writes them; the names of the files. Raises ``TestbedError`` where one cannot be written."""
    done: list[tuple[Point, KeptPoint]] = []
    for each in state.points:
        if each.state in (VALID, NOT_VALID):
            point = points.numbered(each.number)
            kept = folder.there(point.id)
            if kept is not None:
                done.append((point, kept))
    written = rows.write(folder, done, list(points.grid.axes))
    page.write(folder, state, cells(done))
    return ["sweep.json", *written, "sweep.html"]

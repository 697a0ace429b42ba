"""``sweep.html``: all of a sweep in one file that opens offline, with a link to each run beside it."""

from collections.abc import Sequence
from urllib.parse import quote

from testbed.core.text.label import label
from testbed.report.drawing import export
from testbed.report.page.figures import Figure
from testbed.report.page.html import render
from testbed.report.words.digits import quoted
from testbed.report.words.tables import Fitting
from testbed.sweeps.ended import LEFT, REFUSED, VALID
from testbed.sweeps.folder import KeptPoint, SweepFolder
from testbed.sweeps.state import SweepState
from testbed.sweeps.together import heat
from testbed.sweeps.together.cells import SHOWN, SweptCell, SweptFigure

MOST_ROWS, MOST_LINKS = 2_000, 60
"""Combinations in the table, and links to runs in one of its cells."""
REPORT = "report.html"


def write(folder: SweepFolder, state: SweepState, cells: Sequence[SweptCell]) -> None:
    """Writes the page. Raises ``TestbedError`` if it cannot be written."""
    folder.write("sweep.html", html(state, cells).encode())


def html(state: SweepState, cells: Sequence[SweptCell]) -> str:
    """The page; text of the grid is escaped."""
    with export.unchecked():
        drawn = figures_of(state, cells)
    foretold = _foretold(cells)
    return render(
        "sweep.html.j2",
        drawn,
        state=state,
        answers=answers(state),
        heads=[*_heads(foretold), "runs"],
        rows=[_row(cell, foretold) for cell in cells[:MOST_ROWS]],
        hidden=max(0, len(cells) - MOST_ROWS),
        drawn=drawn,
        unmapped=heat.unmapped(cells, _axes(state)),
        machines=_machines(cells),
        refused=[each for each in state.points if each.state == REFUSED][:MOST_LINKS],
    )


def figures_of(state: SweepState, cells: Sequence[SweptCell]) -> list[Figure]:
    """The charts of the page."""
    return list(heat.figures(cells, _axes(state)))


def table(cells: Sequence[SweptCell]) -> Fitting:
    """The page's table for a terminal and a notebook, without its links."""
    foretold = _foretold(cells)
    fitting = Fitting([f">{head}" if head == "valid" else head for head in _heads(foretold)])
    for cell in cells:
        fitting.row(_name(cell), *_cell_texts(cell, foretold))
    return fitting


def _foretold(cells: Sequence[SweptCell]) -> bool:
    """Whether the model's word stands beside a figure."""
    return any(found.predicted is not None for cell in cells for found in cell.figures.values())


def _axes(state: SweepState) -> dict[str, list[str]]:
    """The labels of each axis's values, in the order of the combinations."""
    return {
        axis: list(dict.fromkeys(label(arm.settings[axis]) for arm in state.arms if axis in arm.settings))
        for axis in state.axes
    }


def answers(state: SweepState) -> list[str]:
    """How many points are there and valid, and what canaries have told."""
    ended = [each for each in state.points if each.state != LEFT]
    valid = sum(each.state == VALID for each in ended)
    said = [f"{len(ended)} of {len(state.points)} points are there; {valid} of them are valid."]
    return said + [f"{each}." for each in state.drifts]


def _heads(foretold: bool) -> list[str]:
    """``foretold``: the model's word stands beside each figure."""
    words = [head for each in SHOWN for head in ((each.words, "model") if foretold else (each.words,))]
    return ["combination", "valid", *words]


def _row(cell: SweptCell, foretold: bool) -> dict[str, object]:
    return {
        "name": _name(cell),
        "texts": _cell_texts(cell, foretold),
        "links": [_link(kept) for kept in cell.runs[:MOST_LINKS]],
        "more": max(0, len(cell.runs) - MOST_LINKS),
    }


def _name(cell: SweptCell) -> str:
    return " ".join([cell.name, cell.migration]).strip()


def _cell_texts(cell: SweptCell, foretold: bool) -> list[str]:
    texts = [f"{cell.valid} of {cell.ran}"]
    for measure in SHOWN:
        texts += _texts(cell.figures.get(measure.key))[: 2 if foretold else 1]
    return texts


def _texts(figure: SweptFigure | None) -> list[str]:
    if figure is None:
        return ["–", "–"]
    spread, unit = figure.spread, figure.measure.unit
    foreseen = "–" if figure.predicted is None else quoted(unit, figure.predicted)
    return [quoted(unit, spread.mean, spread.low, spread.high), foreseen]


def _link(kept: KeptPoint) -> dict[str, object]:
    """Its page where it has one, else its folder."""
    page = REPORT if (kept.path / REPORT).is_file() else ""
    where = f"points/{kept.record.id}/{page}"
    return {"href": quote(where), "text": str(kept.record.repeat), "valid": kept.summary.valid}


def _machines(cells: Sequence[SweptCell]) -> list[list[str]]:
    """Each machine with what it is, and how many points it made."""
    rows: dict[str, tuple[str, str, set[str]]] = {}
    for cell in cells:
        for kept in cell.runs:
            here = kept.summary.environment
            known = rows.setdefault(kept.record.machine, (str(here.get("cpu")), str(here.get("kernel")), set()))
            known[2].add(kept.record.id)
    return [[name, cpu, kernel, str(len(ids))] for name, (cpu, kernel, ids) in rows.items()]

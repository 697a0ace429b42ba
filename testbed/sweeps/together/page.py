"""``sweep.html``: all of a sweep in one file that opens offline, with a link to each run beside it."""

from collections.abc import Sequence
from urllib.parse import quote

from testbed.core.text.label import label
from testbed.report.charts import export
from testbed.report.page.html import render
from testbed.report.words.digits import quoted
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
        drawn = list(heat.figures(cells, _axes(state)))
    foretold = any(found.predicted is not None for cell in cells for found in cell.figures.values())
    return render(
        "sweep.html.j2",
        drawn,
        state=state,
        answers=list(_answers(state)),
        heads=["combination", "valid", *_heads(foretold), "runs"],
        rows=[_row(cell, foretold) for cell in cells[:MOST_ROWS]],
        hidden=max(0, len(cells) - MOST_ROWS),
        drawn=drawn,
        machines=_machines(cells),
        refused=[each for each in state.points if each.state == REFUSED][:MOST_LINKS],
    )


def _axes(state: SweepState) -> dict[str, list[str]]:
    """The labels of each axis's values, in the order of the combinations."""
    return {
        axis: list(dict.fromkeys(label(arm.settings[axis]) for arm in state.arms if axis in arm.settings))
        for axis in state.axes
    }


def _answers(state: SweepState) -> list[str]:
    ended = [each for each in state.points if each.state != LEFT]
    valid = sum(each.state == VALID for each in ended)
    said = [f"{len(ended)} of {len(state.points)} points are there; {valid} of them are valid."]
    return said + [f"{each}." for each in state.drifts]


def _heads(foretold: bool) -> list[str]:
    """``foretold``: the model's word stands beside each figure."""
    return [head for each in SHOWN for head in ((each.words, "model") if foretold else (each.words,))]


def _row(cell: SweptCell, foretold: bool) -> dict[str, object]:
    texts = [f"{cell.valid} of {cell.ran}"]
    for measure in SHOWN:
        texts += _texts(cell.figures.get(measure.key))[: 2 if foretold else 1]
    return {
        "name": " ".join([cell.name, cell.migration]).strip(),
        "texts": texts,
        "links": [_link(kept) for kept in cell.runs[:MOST_LINKS]],
        "more": max(0, len(cell.runs) - MOST_LINKS),
    }


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

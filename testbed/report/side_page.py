"""The page of a comparison: the verdicts first, the table, every repeat as a point."""

from collections.abc import Sequence
from pathlib import Path

from testbed.report import side_words
from testbed.report.charts import export
from testbed.report.charts.overlay import TITLES, overlay_chart
from testbed.report.figures import Figure
from testbed.report.folder import writing
from testbed.report.page_html import render
from testbed.report.side_by_side import Line, Run


def write(file: Path, runs: Sequence[Run], lines: Sequence[Line], reasons: Sequence[str]) -> None:
    """Raises ``TestbedError`` if it cannot be written."""
    made = html(runs, lines, reasons)
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made, encoding="utf-8")


def html(runs: Sequence[Run], lines: Sequence[Line], reasons: Sequence[str]) -> str:
    """One file that opens offline."""
    with export.unchecked():
        made = figures_of(lines)
    first = 0 if any(line.migration for line in lines) else 1
    return render(
        "compare.html.j2",
        made,
        title=_title(lines),
        runs=runs,
        reasons=reasons,
        answers=[_answer(line) for line in lines if side_words.verdict(line)],
        heads=side_words.HEADS[first:],
        rows=[row[first:] for row in side_words.rows(lines)],
        right=[index - first for index in (3, 4, 5, 6)],
        drawn=made,
    )


def figures_of(lines: Sequence[Line]) -> list[Figure]:
    """A chart for each figure that somebody has."""
    made = [(name, overlay_chart(lines, name)) for name in TITLES]
    caption = "A dot is a repeat, the tick the median, the bar the 95 % interval of the mean."
    return [
        Figure(
            name=name.replace("_", "-"), title=TITLES[name][:1].upper() + TITLES[name][1:], caption=caption, chart=chart
        )
        for name, chart in made
        if chart is not None
    ]


def _title(lines: Sequence[Line]) -> str:
    groups = list(dict.fromkeys(line.group for line in lines))
    return " against ".join(groups) if len(groups) <= 3 else f"{groups[0]} against {len(groups) - 1} others"


def _answer(line: Line) -> str:
    where = f"{line.migration}: " if line.migration else ""
    return f"{where}{line.figure}, {line.group}: {side_words.change(line)}; {side_words.verdict(line)}."

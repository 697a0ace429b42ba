"""A board as a page of its own: one file, in the style of all our pages; text of others is escaped."""

from collections.abc import Sequence
from pathlib import Path

from testbed.arena import formats
from testbed.arena.board import Board, Standing
from testbed.report.charts.overlay import overlay_chart
from testbed.report.drawing import export
from testbed.report.page.figures import Figure
from testbed.report.page.html import render
from testbed.report.side.comparison import ComparisonLine
from testbed.report.side.measures import Measure
from testbed.runfiles.folder import ANOTHER_FILE, put

PRICE = Measure(key="price", words="price, the lower the better", unit="", emulated=lambda _done: None)


def write(file: Path, board: Board) -> None:
    """Raises ``TestbedError`` if it cannot be written."""
    put(file, html(board).encode(), ANOTHER_FILE)


def html(board: Board) -> str:
    """One file that opens offline."""
    with export.unchecked():
        drawn = [_figure("prices", "The price of each guest", board.standings)]
        drawn += [_figure("finals", "The finals, each migration", board.finals)] if board.finals else []
    return render(
        "arena.html.j2",
        drawn,
        board=board,
        laid=[formats.laid(board.standings), formats.laid(board.finals)],
        notes=list(formats.notes(board)),
        drawn=drawn,
    )


def _figure(name: str, title: str, standings: Sequence[Standing]) -> Figure:
    lines = [
        ComparisonLine(
            migration="",
            measure=PRICE,
            group=each.name,
            spread=each.price,
            values=[match.price for match in each.matches],
        )
        for each in standings
    ]
    caption = "A dot is a match, the tick the median, the bar the 95 % interval of the mean."
    return Figure(name=name, title=title, caption=caption, chart=overlay_chart(lines))

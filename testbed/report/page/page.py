"""``report.html`` and ``figures/``: a run to be looked at, from its files alone, in one page that opens offline."""

from collections.abc import Callable
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.linux.files import owned
from testbed.report.axis.timeline import COLUMNS, Timeline, timeline
from testbed.report.charts.grid import shown
from testbed.report.charts.moves import moves_of
from testbed.report.drawing import export
from testbed.report.page import figures
from testbed.report.page.html import html
from testbed.report.page.model import Page, Section
from testbed.report.words import page as page_words
from testbed.runfiles import files, pages, samples
from testbed.runfiles.folder import RunFolder, write_whole, writing

POINTS = 9600
"""Points of all time axes together: with many migrations each gets fewer, so that the page stays small."""
LEAST = 80
MOST_DRAWN = 8
"""Migrations whose charts are also files; the page has those of all."""

IN_PLACE = "take away what has its name, or copy the run elsewhere"
"""What helps a page, which lies where its run does."""


def write(folder: Path, say: Callable[[str], None] = lambda _line: None) -> Path | None:
    """Writes the page and the figures of the run in ``folder``; never fails it.

    What goes wrong is said in one line, and None returned. For a run's end; ``rebuild`` raises.
    """
    try:
        return rebuild(folder)
    except Exception as error:  # noqa: BLE001 - a run is worth more than its page, and its files are complete already
        say(f"the page was not written: {' '.join(str(error).split())}; try: testbed report {folder}")
        return None


def rebuild(folder: Path) -> Path:
    """Writes the page and the figures of the run in ``folder``; the page's path. Raises ``ScenarioError`` for damaged
    files, ``TestbedError`` if nothing can be written.
    """
    page = load(folder)
    run = RunFolder(folder)
    target = folder / "report.html"
    with writing(folder, IN_PLACE):
        write_whole(target, html(page).encode(), IN_PLACE)
        _draw(page, run.path / "figures")
    return target


def load(folder: Path) -> Page:
    """What the page of a run shows. Raises ``ScenarioError`` for what is no run."""
    with export.unchecked():
        return _load(folder)


def _load(folder: Path) -> Page:
    run = RunFolder(folder)
    summary = run.read_summary()
    recordings, memory = samples.read(run.samples), pages.read(run.pages)
    points = columns(len(summary.migrations))
    lines = [timeline(done, samples.find(recordings, done), points) for done in summary.migrations]
    names = figures.names(summary.migrations)
    sections = [
        section(done, line, memory.get(done.key), name, len(summary.migrations))
        for done, line, name in zip(summary.migrations, lines, names, strict=True)
    ]
    return Page(
        summary=summary,
        scenario=files.text(run.scenario, files.MOST_SCENARIO) if files.there(run.scenario) else "",
        published=figures.of_published(summary),
        overview=figures.of_run(summary, _first_repeats(summary, lines)),
        sections=sections,
    )


def section(
    record: MigrationRecord, line: Timeline, memory: pages.Cells | None, name: str, migrations: int = 1
) -> Section:
    """One migration's part; ``name`` is that of its element and its files, ``migrations`` how many share the page."""
    cells = None if memory is None else shown(memory, migrations)
    with export.unchecked():
        drawn = list(figures.of_migration(record, line, cells, name))
    moves = moves_of(record, cells, f"memory-{name}") if cells is not None else None
    return Section(name=name, title=page_words.title(record), migration=record, figures=drawn, moves=moves)


def columns(migrations: int) -> int:
    """Points of each series where there are so many migrations."""
    return max(LEAST, min(COLUMNS, POINTS // max(1, migrations)))


def _first_repeats(summary: Summary, lines: list[Timeline]) -> list[Timeline]:
    return [line for done, line in zip(summary.migrations, lines, strict=True) if done.repeat == 1]


def _draw(page: Page, folder: Path) -> None:
    """Pictures of what stands side by side and of the first migrations; pictures of an earlier page go."""
    if folder.is_symlink():
        raise ScenarioError("is a link; pictures are drawn in the run's own folder", str(folder))
    there = owned.make_folder(folder)
    drawn = [
        *page.published,
        *page.overview,
        *(figure for section in page.sections[:MOST_DRAWN] for figure in section.figures),
    ]
    wanted = {f"{figure.name}{end}" for figure in drawn for end in (".svg", ".png")}
    for old in there:
        if old.endswith((".svg", ".png")) and old not in wanted:
            owned.remove(folder / old)
    for figure in drawn:
        drawing = export.svg({**figure.spec, "title": figure.title})
        write_whole(folder / f"{figure.name}.svg", drawing.encode(), IN_PLACE)
        write_whole(folder / f"{figure.name}.png", export.png(drawing), IN_PLACE)

"""The memory map that plays: what its script is told, and that nothing in a record can get out of its attribute."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from testbed.core.records.migration import MigrationRecord
from testbed.report.axis.timeline import timeline
from testbed.report.charts.moves import moves_of
from testbed.report.page import page
from testbed.report.page.html import html, section_html
from testbed.runfiles import pages
from testbed.runfiles.pages import Cells
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import kept, made, with_pages


class _Stories(HTMLParser):
    """What stands in ``data-story``, as a browser reads it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.found += [value for name, value in attrs if name == "data-story" and value is not None]


def cells(rounds: list[int], count: int = 4) -> Cells:
    some = np.ones((len(rounds), count), np.int64)
    return Cells(pages=count * 2, cell_pages=2, rounds=rounds, sent=some, dirtied=some)


def story(record: MigrationRecord, memory: Cells) -> dict[str, object]:
    made = moves_of(record, memory, "memory-x")
    assert made is not None
    told: dict[str, object] = json.loads(made.story)
    return told


def test_rounds_have_the_times_of_the_record_and_the_throttle() -> None:
    record = a_migration()
    record.rounds[3].throttle = 0.92
    told = story(record, cells([1, 2, 3, 4, 5]))
    assert told["cells"] == 4 and told["end"] == record.total_time_s and told["of"] == "memory-x"
    seen = [(each["begin"], each["end"]) for each in told["rounds"]]  # type: ignore[attr-defined]
    assert seen == [(each.started_s, each.started_s + each.duration_s) for each in record.rounds]
    assert [each["throttle"] for each in told["rounds"]] == [0, 0, 0, 0.92, 0]  # type: ignore[attr-defined]


def test_a_round_without_cells_is_not_made_up() -> None:
    told = story(a_migration(), cells([1, 3]))
    assert [each["index"] for each in told["rounds"]] == [1, 3]  # type: ignore[attr-defined]
    assert moves_of(a_migration(), cells([17]), "memory-x") is None


def test_the_guest_stands_still_from_the_pause_on() -> None:
    record = a_migration(downtime_phases_s={"pause": 0.002, "last_scan": 0.001, "last_round": 0.06, "resume": 0.007})
    last = record.rounds[-1].started_s
    assert story(record, cells([1]))["still"] == pytest.approx([last - 0.003, last - 0.003 + 0.07])
    assert story(a_migration(downtime_s=None), cells([1]))["still"] is None


def test_cells_are_made_larger_once_for_the_chart_the_story_and_the_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    coarser, made = Cells.coarser, list[Cells]()

    def counted(self: Cells, most: int) -> Cells:
        made.append(coarser(self, most))
        return made[-1]

    monkeypatch.setattr(Cells, "coarser", counted)
    record = a_migration()
    part = page.section(record, timeline(record, None), cells([1, 2, 3, 4, 5], 1024), "x", 60)
    assert len(made) == 1 and part.moves is not None and part.moves.cell_pages == made[0].cell_pages > 2
    assert f" {part.moves.cell_pages} pages a cell" in part.figures[-1].caption


def test_the_cells_are_those_of_the_chart_of_memory(tmp_path: Path) -> None:
    seen = page.load(kept(tmp_path / "run"))
    (section,) = seen.sections
    assert section.moves is not None
    (memory,) = pages.read(tmp_path / "run" / "pages.jsonl").values()
    assert json.loads(section.moves.story)["cells"] == memory.sent.shape[1]
    assert _Stories(html(seen)).found == [section.moves.story]


def test_a_hostile_name_stays_within_its_attribute(tmp_path: Path) -> None:
    hostile = a_migration(name="\"'><script>alert(1)</script></figure>")
    folder = with_pages(made(tmp_path / "run", a_summary(hostile)), hostile, 5)
    (section,) = page.load(folder).sections
    seen = _Stories(section_html(section))
    assert seen.scripts == 0 and json.loads(*seen.found)["name"] == hostile.name


def test_without_cells_there_is_no_map(tmp_path: Path) -> None:
    seen = page.load(made(tmp_path / "run"))
    assert _Stories(html(seen)).found == [] and seen.sections[0].moves is None

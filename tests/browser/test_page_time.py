"""A cursor and a zoom that all charts over time share, in a real browser: by mouse, by keyboard, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from testbed.report.page.page import rebuild
from tests.browser.windows import complaints
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made, with_pages, with_samples

SEEN = "[...document.querySelectorAll('.cursor')].filter(c => !c.hidden).map(c => c.parentElement.id)"
ENDS = (
    "['timeline-slow', 'throughput'].map(n => FastMotion.views.get(n).view)"
    ".map(v => [v.signal('axis_from'), v.signal('axis_to')])"
)
PLOT = "#throughput .role-frame.root > g > path.background"
CURSOR, ZOOM = "TimeAxis.state().cursor", "TimeAxis.state().zoom"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    both = [a_migration(name=name) for name in ("slow", "fast")]
    run, samples = made(tmp_path_factory.mktemp("time") / "run", a_summary(*both)), ""
    for each in both:
        samples += with_samples(with_pages(run, each, 5), each, 25).joinpath("samples.jsonl").read_text("utf-8")
    (run / "samples.jsonl").write_text(samples, encoding="utf-8")
    rebuild(run)
    return run


@pytest.fixture
def report(page: Page, folder: Path) -> Page:
    page.goto((folder / "report.html").as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    page.evaluate("FastMotion.drawAll().then(() => 1)")
    return page


def drag(report: Page, begin: float, end: float) -> None:
    """From one share of the width of a plot to another."""
    report.locator("#throughput").scroll_into_view_if_needed()
    box = report.locator(PLOT).bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    report.mouse.move(box["x"] + begin * box["width"], y)
    report.mouse.down()
    report.mouse.move(box["x"] + end * box["width"], y, steps=3)
    report.mouse.up()


def test_a_moment_is_marked_in_every_chart_and_in_the_memory_map(report: Page) -> None:
    report.evaluate("TimeAxis.set(5, '', false)")
    assert set(report.evaluate(SEEN)) == {"throughput", "operations", "timeline-slow", "timeline-fast"}
    report.evaluate("TimeAxis.set(16.5, 'slow', true)")
    assert "timeline-fast" not in report.evaluate(SEEN) and "timeline-slow" in report.evaluate(SEEN)
    assert report.evaluate("FastMotion.maps.get('moves-slow').at().t") == 16.5
    assert report.evaluate("FastMotion.maps.get('moves-fast').at().t") != 16.5
    report.evaluate("FastMotion.maps.get('moves-fast').show(7)")
    assert report.evaluate(CURSOR) == {"t": 7, "of": "fast"}
    assert complaints(report) == []


def test_dragging_zooms_all_of_them_and_a_button_shows_the_whole(report: Page) -> None:
    whole = report.evaluate(ENDS)
    drag(report, 0.25, 0.5)
    report.wait_for_function(ZOOM)
    (first, second), width = report.evaluate(ENDS), whole[1][1] - whole[1][0]
    assert first == second and first[1] - first[0] == pytest.approx(width / 4, rel=0.02)
    report.locator("button.whole").first.click()
    assert report.evaluate(ENDS) == whole and report.locator("button.whole").count() == 0
    drag(report, 0.5, 0.5)  # a click holds the moment
    assert report.evaluate(ZOOM) is None
    assert report.evaluate(CURSOR)["t"] == pytest.approx(sum(whole[1]) / 2, rel=0.02)
    assert complaints(report) == []


def test_by_keyboard(report: Page) -> None:
    whole = report.evaluate(ENDS)
    report.evaluate("TimeAxis.set(10, '', false)")
    report.locator("#throughput").focus()
    for _ in range(2):
        report.keyboard.press("ArrowRight")
    moved = report.evaluate(CURSOR)["t"]
    assert moved > 10
    report.keyboard.press("+")
    report.keyboard.press("+")
    near = report.evaluate(ENDS)[1]
    assert near[0] < moved < near[1] and near[1] - near[0] == pytest.approx((whole[1][1] - whole[1][0]) / 4, rel=0.02)
    report.keyboard.press("-")
    wider = report.evaluate(ENDS)[1]
    assert wider[1] - wider[0] > near[1] - near[0]
    report.keyboard.press("Escape")
    assert report.evaluate(ENDS) == whole
    label = report.locator("#throughput").get_attribute("aria-label") or ""
    assert label.startswith("Link throughput over time") and "arrows move a cursor" in label


def test_a_zoom_outlasts_a_change_of_light(report: Page) -> None:
    report.evaluate("TimeAxis.zoom([2, 4])")
    report.locator("#theme").click()
    report.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    report.evaluate("FastMotion.drawAll().then(() => 1)")
    assert report.evaluate(ENDS) == [[2, 4], [2, 4]] and complaints(report) == []

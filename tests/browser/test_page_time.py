"""A cursor and a zoom that all charts over time share, in a real browser: by mouse, by keyboard, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.report.page import page
from tests.browser.driver import RIGHT, Browser
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made, with_pages, with_samples

SEEN = "return [...document.querySelectorAll('.cursor')].filter(c => !c.hidden).map(c => c.parentElement.id)"
ENDS = (
    "return ['timeline-slow', 'throughput'].map(n => FastMotion.views.get(n).view)"
    ".map(v => [v.signal('axis_from'), v.signal('axis_to')])"
)
ESCAPE = "\ue00c"
DRAG = """const svg = document.querySelector('#throughput svg');
const plot = svg.querySelector('.role-frame.root > g > path.background').getBoundingClientRect(), y = plot.top + 20;
const send = (kind, share, buttons) => svg.dispatchEvent(new PointerEvent(kind,
  {clientX: plot.left + share * plot.width, clientY: y, buttons, button: 0, bubbles: true}));
send('pointerdown', arguments[0], 1); send('pointermove', arguments[1], 1); send('pointerup', arguments[1], 0);"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    both = [a_migration(name=name) for name in ("slow", "fast")]
    run, samples = made(tmp_path_factory.mktemp("time") / "run", a_summary(*both)), ""
    for each in both:
        samples += with_samples(with_pages(run, each, 5), each, 25).joinpath("samples.jsonl").read_text("utf-8")
    (run / "samples.jsonl").write_text(samples, encoding="utf-8")
    page.rebuild(run)
    return run


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, folder: Path) -> Browser:
    window.open((folder / "report.html").as_uri())
    window.run("document.querySelectorAll('details').forEach(part => part.open = true)")
    window.run("return FastMotion.drawAll().then(() => 1)")
    return window


def test_a_moment_is_marked_in_every_chart_and_in_the_memory_map(browser: Browser) -> None:
    browser.run("TimeAxis.set(5, '', false)")
    assert set(browser.run(SEEN)) == {"throughput", "operations", "timeline-slow", "timeline-fast"}
    browser.run("TimeAxis.set(16.5, 'slow', true)")
    assert "timeline-fast" not in browser.run(SEEN) and "timeline-slow" in browser.run(SEEN)
    assert browser.run("return FastMotion.maps.get('moves-slow').at().t") == 16.5
    assert browser.run("return FastMotion.maps.get('moves-fast').at().t") != 16.5
    browser.run("FastMotion.maps.get('moves-fast').show(7)")
    assert browser.run("return TimeAxis.state().cursor") == {"t": 7, "of": "fast"}
    assert browser.console() == []


def test_dragging_zooms_all_of_them_and_a_button_shows_the_whole(browser: Browser) -> None:
    whole = browser.run(ENDS)
    browser.run(DRAG, 0.25, 0.5)
    browser.wait("return TimeAxis.state().zoom")
    (first, second), width = browser.run(ENDS), whole[1][1] - whole[1][0]
    assert first == second and first[1] - first[0] == pytest.approx(width / 4, rel=0.02)
    browser.run("document.querySelector('button.whole').click()")
    assert browser.run(ENDS) == whole
    browser.run(DRAG, 0.5, 0.5)  # a click holds the moment
    assert browser.run("return TimeAxis.state().zoom") is None
    assert browser.run("return TimeAxis.state().cursor.t") == pytest.approx(sum(whole[1]) / 2, rel=0.02)
    assert browser.console() == []


def test_by_keyboard(browser: Browser) -> None:
    whole = browser.run(ENDS)
    browser.run("TimeAxis.set(10, '', false); document.getElementById('throughput').focus()")
    browser.press(RIGHT * 2)
    moved = browser.run("return TimeAxis.state().cursor.t")
    assert moved > 10
    browser.press("++")
    near = browser.run(ENDS)[1]
    assert near[0] < moved < near[1] and near[1] - near[0] == pytest.approx((whole[1][1] - whole[1][0]) / 4, rel=0.02)
    browser.press("-")
    wider = browser.run(ENDS)[1]
    assert wider[1] - wider[0] > near[1] - near[0]
    browser.press(ESCAPE)
    assert browser.run(ENDS) == whole
    label = browser.run("return document.getElementById('throughput').ariaLabel")
    assert label.startswith("Link throughput over time") and "arrows move a cursor" in label


def test_a_zoom_outlasts_a_change_of_light(browser: Browser) -> None:
    browser.run("TimeAxis.zoom([2, 4])")
    browser.run("document.getElementById('theme').click()")
    browser.wait("return document.documentElement.dataset.theme === 'dark'")
    browser.run("return FastMotion.drawAll().then(() => 1)")
    assert browser.run(ENDS) == [[2, 4], [2, 4]] and browser.console() == []

"""The page in a real browser, opened from disk without any network: drawn without complaint, and it can be worked."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page

from testbed.report.page.page import rebuild
from tests.browser.samples import two_migrations
from tests.browser.windows import complaints, loaded
from tests.unit.records import a_migration, a_networked_migration, a_summary
from tests.unit.runs import kept, made, with_pages, with_samples
from tests.unit.test_report_services import with_services

DRAWN = "[...document.querySelectorAll('.chart')].every(place => place.dataset.drawn || !place.clientWidth)"
CELLS = "[...document.querySelectorAll('#memory-hello path')].map(p => p.getAttribute('fill')).join()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = kept(tmp_path_factory.mktemp("browser") / "run")
    rebuild(run)
    return run


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_migrations(tmp_path_factory.mktemp("many"))


@pytest.fixture
def report(page: Page, folder: Path) -> Page:
    page.goto((folder / "report.html").as_uri())
    page.evaluate("FastMotion.drawAll().then(() => 1)")
    page.wait_for_function(DRAWN)
    return page


def test_it_opens_from_disk_asks_for_nothing_and_complains_of_nothing(report: Page) -> None:
    assert report.evaluate("document.title") == "hello: valid: every check held"
    assert report.evaluate("document.querySelectorAll('.chart svg').length") == 3
    assert loaded(report) == [] and complaints(report) == []


def test_the_slider_moves_through_the_rounds(report: Page) -> None:
    assert report.evaluate("document.querySelector('#memory-hello input[type=range]').value") == "4"
    before = report.evaluate(CELLS)
    report.evaluate("document.querySelector('#memory-hello input[type=range]').focus()")
    for _ in range(3):
        report.keyboard.press("ArrowLeft")
    report.wait_for_function("FastMotion.views.get('memory-hello').view.signal('chosen') === 1")
    assert report.evaluate(CELLS) != before
    report.evaluate(
        "const s = document.querySelector('#memory-hello select'); s.selectedIndex = 1;"
        "s.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    report.wait_for_function("FastMotion.views.get('memory-hello').view.signal('shown') === 'dirtied in this round'")
    assert complaints(report) == []


def test_folding_with_the_keyboard_alone(report: Page) -> None:
    report.evaluate("document.querySelector('#again details summary').focus()")
    assert not report.evaluate("document.querySelector('#again details').open")
    report.keyboard.press("Enter")
    report.wait_for_function("document.querySelector('#again details').open")
    assert "write_rate" in report.evaluate("document.querySelector('#again pre').innerText")


def test_light_and_dark(report: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "document.querySelector('#timeline-hello text').getAttribute('fill')"
    light = report.evaluate(ground), report.evaluate(ink)
    report.evaluate("document.getElementById('theme').click()")
    report.wait_for_function(f"{ink} !== {light[1]!r}")
    assert report.evaluate("document.documentElement.dataset.theme") == "dark"
    assert report.evaluate(ground) != light[0] and complaints(report) == []
    inks = "getComputedStyle(document.documentElement).getPropertyValue('--ink')"
    assert report.evaluate(inks) == "rgb(232, 234, 237)", (
        "what is drawn by scripts gets a colour, and not a choice of two"
    )


def test_the_systems_wish_for_dark_is_followed(page: Page, folder: Path) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto((folder / "report.html").as_uri())
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_on_a_phone_nothing_is_wider_than_the_screen(phone: Page, folder: Path) -> None:
    phone.goto((folder / "report.html").as_uri())
    phone.evaluate("FastMotion.drawAll().then(() => 1)")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    widths = phone.evaluate("[...document.querySelectorAll('.chart svg')].map(s => s.getBoundingClientRect().width)")
    assert len(widths) == 3 and max(widths) <= 390 and complaints(phone) == []


def test_on_a_phone_type_keeps_its_size_and_decisions_are_in_sight(phone: Page, many: Path) -> None:
    """Charts that are wider than the screen are shrunk with all their type: eleven pixels may become ten, not less."""
    phone.goto((many / "report.html").as_uri())
    phone.evaluate("document.querySelectorAll('details.migration').forEach(part => part.open = true)")
    phone.evaluate("FastMotion.drawAll().then(() => 1)")
    sizes = phone.evaluate(
        "[...document.querySelectorAll('.chart svg')].map(svg =>"
        "[svg.closest('.chart').id, 11 * svg.getBoundingClientRect().width / svg.getAttribute('width')])"
    )
    assert len(sizes) > 10 and [name for name, size in sizes if size < 10] == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    edges = phone.evaluate(
        "[...document.querySelectorAll('.rounds td')].map(cell => cell.getBoundingClientRect().right)"
    )
    assert edges and max(edges) <= 390 and complaints(phone) == []


def test_controls_and_tables_are_called_by_what_they_are(report: Page) -> None:
    named = "[...document.querySelectorAll('#memory-hello .vega-bind *[aria-label]')].map(e => e.ariaLabel)"
    names = [f"{each}: The guest's memory, round by round, hello" for each in ("round", "show")]
    assert report.evaluate(named) == names
    report.evaluate("document.querySelector('#memory-hello input[type=range]').focus()")
    report.keyboard.press("ArrowLeft")
    report.wait_for_function("FastMotion.views.get('memory-hello').view.signal('chosen') === 3")
    assert report.evaluate(named) == names
    labels = report.evaluate("[...document.querySelectorAll('[role=region]')].map(e => e.ariaLabel)")
    assert {"figures of hello", "rounds of hello", "environment"} <= set(labels) and len(labels) == len(set(labels))


def test_marks_are_not_read_aloud_one_by_one(report: Page) -> None:
    """Their axes are, and legends."""
    assert report.evaluate("document.querySelectorAll('#memory-hello svg path').length") > 500
    assert report.evaluate("document.querySelectorAll('.chart svg [aria-label]').length") < 20


def test_three_minutes_of_samples_are_a_page(page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """How long that takes is for people to read, and for no test to judge; how large it is is."""
    done = a_networked_migration(name="long", total_time_s=178.0)
    folder = with_pages(with_services(made(tmp_path / "run", a_summary(done)), done, 180), done, 12)
    begun = time.monotonic()
    rebuild(folder)
    took = time.monotonic() - begun
    file = folder / "report.html"
    page.goto(file.as_uri())
    page.wait_for_function("performance.getEntriesByType('mark').length")
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    first = page.evaluate("performance.getEntriesByType('mark')[0].startTime")
    assert loaded > 0 and first > 0 and file.stat().st_size < 3e6 and complaints(page) == []
    sizes = [each.stat().st_size / 1e6 for each in (folder / "samples.jsonl", file)]
    with capsys.disabled():
        sys.stdout.write(
            f"\n3 minutes of samples, {sizes[0]:.1f} MB: page and pictures made in {took:.1f} s, {sizes[1]:.2f} MB; "
            f"loaded after {loaded:.0f} ms, first chart after {first:.0f} ms\n"
        )


def test_on_paper_everything_is_unfolded_and_light(report: Page) -> None:
    report.evaluate("document.getElementById('theme').click()")
    report.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert report.evaluate("[...document.querySelectorAll('details')].every(part => part.open)")
    assert report.evaluate("document.documentElement.dataset.theme") == "light"


def test_charts_can_be_fed_while_the_page_is_open(report: Page) -> None:
    """What a live page does: the same chart with other data is drawn in the same place."""
    report.evaluate(
        "const c = JSON.parse(document.getElementById('charts').textContent)['switchover-hello'];"
        "const d = Object.values(c.datasets)[0]; d.columns.label = Array(d.n).fill('fed');"
        "document.getElementById('switchover-hello').scrollIntoView(); FastMotion.feed({'switchover-hello': c})"
    )
    report.wait_for_function("document.querySelector('#switchover-hello').textContent.includes('fed')")
    assert complaints(report) == []


@pytest.mark.parametrize("by", ["click", "address"])
def test_a_link_to_a_folded_migration_opens_it_and_goes_there(page: Page, tmp_path: Path, by: str) -> None:
    many = [a_migration(name=f"m{i}") for i in range(6)]
    run = with_samples(made(tmp_path / "run", a_summary(*many)), many[5], 20)
    rebuild(run)
    page.goto((run / "report.html").as_uri() + ("#m-m5" if by == "address" else ""))
    if by == "click":
        assert not page.evaluate("document.getElementById('m-m5').open")
        page.evaluate("document.querySelector('a[href=\"#m-m5\"]').click()")
    page.wait_for_function("document.getElementById('m-m5').open")
    page.wait_for_function("document.querySelector('#timeline-m5 svg') !== null")
    page.wait_for_function("Math.abs(document.getElementById('m-m5').getBoundingClientRect().top) < 2")
    assert complaints(page) == []


def test_a_link_to_nothing_is_a_page_like_any_other(page: Page, folder: Path) -> None:
    page.goto((folder / "report.html").as_uri() + "#100%")
    page.wait_for_function("document.querySelector('.chart svg') !== null")
    assert complaints(page) == []

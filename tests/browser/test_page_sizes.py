"""One switch between emulated and real-world size, in a browser: text, axes, the memory map, and what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from testbed.report.page.page import rebuild
from tests.browser.windows import complaints
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made, with_pages, with_samples

SEEN = "document.querySelector('#main').innerText"
REAL, EMULATED = "button[data-size=real]", "button[data-size=emulated]"
AXIS = (
    "(() => { const v = FastMotion.views.get('timeline-hello').view; return [v.scale('x'), v.scale('concat_0_y')] })()"
)
ENDS = f"{AXIS}.map(scale => scale.domain()[1])"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = a_migration(name="hello", scale={"size": 32.0, "time": 8.0}, full_scale={})
    run = with_pages(made(tmp_path_factory.mktemp("sizes") / "run", a_summary(done)), done, 5)
    rebuild(with_samples(run, done, 25))
    return run


@pytest.fixture
def report(page: Page, folder: Path) -> Page:
    page.goto((folder / "report.html").as_uri())
    page.evaluate("FastMotion.drawAll().then(() => 1)")
    return page


def test_numbers_and_axes_change_together_and_back(report: Page) -> None:
    small, (until, rate) = report.evaluate(SEEN), report.evaluate(ENDS)
    assert "21.4 s" in small and "171 s" not in small
    report.locator(REAL).focus()
    report.keyboard.press("Enter")
    report.wait_for_function(f"{ENDS}[0] > 150")
    large, (later, faster) = report.evaluate(SEEN), report.evaluate(ENDS)
    assert "171 s" in large and "shown at real-world size" in large
    assert later > 7 * until and faster > 20 * rate
    assert report.locator(REAL).get_attribute("aria-pressed") == "true"
    assert report.evaluate("location.hash") == "#size=real"
    report.locator(EMULATED).click()
    report.wait_for_function(f"{ENDS}[0] < 30")
    assert report.evaluate(SEEN) == small and complaints(report) == []


def test_the_address_keeps_it_and_the_memory_map_follows(page: Page, folder: Path) -> None:
    page.goto((folder / "report.html").as_uri() + "#size=real")
    page.wait_for_function("FastMotion.maps.size")
    page.evaluate("FastMotion.maps.get('moves-hello').show(21.4)")
    assert page.evaluate("document.querySelector('.moment').textContent").startswith("171 s after the request")
    assert "171 s" in page.evaluate(SEEN) and complaints(page) == []


def test_paper_says_which(report: Page) -> None:
    report.locator(REAL).click()
    report.emulate_media(media="print")
    report.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert "Figures of this page are shown at real-world size" in report.evaluate(SEEN)

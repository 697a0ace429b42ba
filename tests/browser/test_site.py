"""The site in a real browser: opened from disk and served, and searched."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from testbed.web import folder
from tests.browser import windows
from tests.browser.looks import VIEWS, PageView, looked_at
from tests.unit.test_web_runs import serving_app

FOUND = "[...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href').split('#')[0])"
# Pages of each kind, and what is true once there is all of them.
LOOKED_AT = {
    "README.html": "true",
    "labs/03-downtime/README.html": "true",
    "docs/scenario.html": "true",
    "docs/capture.html": "true",
    "docs/api.html": "document.querySelector('dt.sig > dl').role",
    "search.html?q=downtime": f"{FOUND}.length > 9",
}


def test_from_a_file_the_front_page_opens_and_its_pages_are_found(page: Page, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    page.wait_for_function("location.pathname.endsWith('/README.html')")
    page.wait_for_function("document.querySelectorAll('.sidebar-tree a').length > 15")
    assert page.evaluate("document.querySelector('h1').innerText.startsWith('Fast Motion')")
    assert page.evaluate("[...document.images].every(each => each.naturalWidth > 0)")
    page.goto((site / "search.html").as_uri() + "?q=blackout")
    page.wait_for_function(f"{FOUND}.includes('docs/scenario.html')")
    assert windows.complaints(page) == []


def test_served_it_asks_nobody_else_and_shows_what_it_found(page: Page, site: Path) -> None:
    with serving_app(folder.site(site)) as url:
        for path in (
            "/",
            "/docs/scenario.html",
            "/docs/slides/00-hello.html",
            "/decks/00-hello.html",
            "/search.html?q=stun",
        ):
            page.goto(url + path)
            page.wait_for_function("document.readyState === 'complete'")
            assert [each for each in windows.loaded(page) if not each.startswith(url)] == [] and windows.loaded(page)
        page.wait_for_function("[...document.querySelectorAll('#search-results .context')].length > 2")
        assert windows.complaints(page) == []
        page.goto(url + "/README.html")
        page.evaluate("[...document.links].find(each => each.innerText === 'the whole page').click()")
        page.wait_for_function(
            "location.pathname.endsWith('/report.html') && document.querySelectorAll('.chart svg').length > 0"
        )
        assert windows.complaints(page) == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: str(view.name))
@pytest.mark.parametrize("path", LOOKED_AT)
def test_a_page_is_accessible_and_nothing_in_it_is_over_or_cut(
    chromium: Browser, site: Path, path: str, view: PageView
) -> None:
    name = path.partition(".")[0].removesuffix("/README").replace("/", "-")
    faults = looked_at(chromium, f"{site.as_uri()}/{path}", view, f"site-{name}", LOOKED_AT[path])
    assert not faults, "\n".join(faults)

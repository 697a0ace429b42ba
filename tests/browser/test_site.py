"""The site in a real browser: opened from disk and served, searched, and its slides turned."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from testbed.web.folder import site
from tests.browser import windows
from tests.browser.looks import VIEWS, PageView, looked_at
from tests.unit.sites import SITE, build, copied
from tests.unit.test_web_runs import serving_app

FOUND = "[...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href').split('#')[0])"
SHOWN = "document.querySelector('.slides section.present:not(.stack)').innerText"


def complaints(page: Page) -> list[str]:
    """But for one about a tag that sphinx-revealjs puts into decks, for old telephones."""
    return [line for line in windows.complaints(page) if "apple-mobile-web-app-capable" not in line]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = copied(tmp_path_factory.mktemp("checkout"))
    done = build(checkout)
    assert done.returncode == 0, done.stderr
    return checkout / SITE


def test_from_a_file_the_front_page_opens_and_its_pages_are_found(page: Page, built: Path) -> None:
    page.goto((built / "index.html").as_uri())
    page.wait_for_function("location.pathname.endsWith('/README.html')")
    page.wait_for_function("document.querySelectorAll('.sidebar-tree a').length > 15")
    assert page.evaluate("document.querySelector('h1').innerText.startsWith('Fast Motion')")
    assert page.evaluate("[...document.images].every(each => each.naturalWidth > 0)")
    page.goto((built / "search.html").as_uri() + "?q=blackout")
    page.wait_for_function(f"{FOUND}.includes('docs/scenario.html')")
    assert complaints(page) == []


def test_from_a_file_slides_are_turned(page: Page, built: Path) -> None:
    page.goto((built / "decks" / "02-limit.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert "When pre-copy cannot end" in page.evaluate(SHOWN)
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{SHOWN}.includes('The story')")
    assert page.evaluate("Reveal.getTotalSlides()") >= 6 and complaints(page) == []
    page.goto((built / "decks" / "02-limit.html").as_uri() + "#/3")
    page.wait_for_function("[...document.images].some(each => each.naturalWidth > 0)")


def test_every_slide_fits_its_screen(page: Page, built: Path) -> None:
    for deck in sorted((built / "decks").glob("[0-9]*.html")):
        page.goto(deck.as_uri())
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        tall = page.evaluate(
            "Reveal.getSlides().map(slide => {"
            "const place = Reveal.getIndices(slide); Reveal.slide(place.h, place.v);"
            "return [slide.innerText.slice(0, 40), slide.scrollHeight]; }).filter(each => each[1] > 720)"
        )
        assert tall == [], deck.name


def test_served_it_asks_nobody_else_and_shows_what_it_found(page: Page, built: Path) -> None:
    with serving_app(site(built)) as url:
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
        assert complaints(page) == []
        page.goto(url + "/README.html")
        page.evaluate("[...document.links].find(each => each.innerText === 'the whole page').click()")
        page.wait_for_function(
            "location.pathname.endsWith('/report.html') && document.querySelectorAll('.chart svg').length > 0"
        )
        assert complaints(page) == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: str(view.name))
@pytest.mark.parametrize("path", ["README.html", "docs/scenario.html"])
def test_a_page_is_accessible_and_nothing_in_it_is_over_or_cut(
    chromium: Browser, built: Path, path: str, view: PageView
) -> None:
    faults = looked_at(chromium, (built / path).as_uri(), view, f"site-{Path(path).stem}")
    assert not faults, "\n".join(faults)

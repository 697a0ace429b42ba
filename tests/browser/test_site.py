"""The site in a real browser: opened from disk and served, searched, and its slides turned."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.web.folder import site
from tests.browser.driver import RIGHT, Browser
from tests.unit.sites import SITE, build, copied
from tests.unit.test_web_runs import serving_app

FOUND = "return [...document.querySelectorAll('#search-results li a')].map(a => a.getAttribute('href').split('#')[0])"
SHOWN = "return document.querySelector('.slides section.present:not(.stack)').innerText"


def complaints(window: Browser) -> list[str]:
    """But for one about a tag that sphinx-revealjs puts into decks, for old telephones."""
    return [line for line in window.console() if "apple-mobile-web-app-capable" not in line]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = copied(tmp_path_factory.mktemp("checkout"))
    done = build(checkout)
    assert done.returncode == 0, done.stderr
    return checkout / SITE


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def test_from_a_file_the_front_page_opens_and_its_pages_are_found(window: Browser, built: Path) -> None:
    window.open((built / "index.html").as_uri())
    window.wait("return location.pathname.endsWith('/README.html')")
    window.wait("return document.querySelectorAll('.sidebar-tree a').length > 15")
    assert window.run("return document.querySelector('h1').innerText.startsWith('Fast Motion')")
    assert window.run("return [...document.images].every(each => each.naturalWidth > 0)")
    window.open((built / "search.html").as_uri() + "?q=blackout")
    window.wait(f"return (() => {{ {FOUND} }})().includes('docs/scenario.html')")
    assert complaints(window) == []


def test_from_a_file_slides_are_turned(window: Browser, built: Path) -> None:
    window.open((built / "decks" / "02-limit.html").as_uri())
    window.wait("return window.Reveal && Reveal.isReady()")
    assert "When pre-copy cannot end" in window.run(SHOWN)
    window.press(RIGHT)
    window.wait(f"return (() => {{ {SHOWN} }})().includes('The story')")
    assert window.run("return Reveal.getTotalSlides()") >= 6 and complaints(window) == []
    window.open((built / "decks" / "02-limit.html").as_uri() + "#/3")
    window.wait("return [...document.images].some(each => each.naturalWidth > 0)")


def test_every_slide_fits_its_screen(window: Browser, built: Path) -> None:
    for deck in sorted((built / "decks").glob("[0-9]*.html")):
        window.open(deck.as_uri())
        window.wait("return window.Reveal && Reveal.isReady()")
        tall = window.run(
            "return Reveal.getSlides().map(slide => {"
            "const place = Reveal.getIndices(slide); Reveal.slide(place.h, place.v);"
            "return [slide.innerText.slice(0, 40), slide.scrollHeight]; }).filter(each => each[1] > 720)"
        )
        assert tall == [], deck.name


def test_served_it_asks_nobody_else_and_shows_what_it_found(window: Browser, built: Path) -> None:
    with serving_app(site(built)) as url:
        for path in (
            "/",
            "/docs/scenario.html",
            "/docs/slides/00-hello.html",
            "/decks/00-hello.html",
            "/search.html?q=stun",
        ):
            window.open(url + path)
            window.wait("return document.readyState === 'complete'")
            assert [each for each in window.requests() if not each.startswith(url)] == [] and window.requests()
        window.wait("return [...document.querySelectorAll('#search-results .context')].length > 2")
        assert complaints(window) == []
        window.open(url + "/README.html")
        window.run("[...document.links].find(each => each.innerText === 'the whole page').click()")
        window.wait(
            "return location.pathname.endsWith('/report.html') && document.querySelectorAll('.chart svg').length > 0"
        )
        assert complaints(window) == []

"""Decks of slides in a real browser: turned by keys, on a projector and on a telephone, and printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import windows
from tests.browser.looks import FAULTS, PageView, looked_at, opened, picture
from tests.unit.documents import ROOT

DECKS = sorted(path.stem for path in (ROOT / "docs" / "slides").glob("[0-9]*.md"))
READY = "document.readyState === 'complete' && window.Reveal && Reveal.isReady()"
SHOWN = "document.querySelector('.slides section.present:not(.stack)').innerText"
SCREENS = (PageView(name="projector", height=720), PageView(name="phone", width=390, height=844))
# With ?print-pdf all slides stand below each other, as wide as reveal.js makes a sheet.
SHEETS = (
    PageView(name="light", width=1332),
    PageView(name="dark", width=1332, dark=True),
    PageView(name="print", width=1332, paper=True),
)
BEYOND = """() => {
    const slide = Reveal.getCurrentSlide(), { width, height } = Reveal.getConfig(), found = [];
    if (slide.scrollHeight > height) found.push(`${slide.scrollHeight} high of ${height}`);
    if (slide.scrollWidth > width + 1) found.push(`${slide.scrollWidth} wide of ${width}`);
    for (const each of slide.querySelectorAll('pre, code, table'))
        if (getComputedStyle(each).display !== 'inline' && each.scrollWidth > each.clientWidth + 1)
            found.push(`to be scrolled: ${each.innerText.slice(0, 60)}`);
    for (const each of slide.querySelectorAll('img')) if (!each.naturalWidth) found.push(`no picture: ${each.src}`);
    return found;
}"""


@pytest.mark.parametrize("view", SHEETS, ids=lambda view: str(view.name))
@pytest.mark.parametrize("deck", DECKS)
def test_a_deck_is_accessible_and_nothing_in_it_is_over_or_cut(
    chromium: Browser, site: Path, deck: str, view: PageView
) -> None:
    address = (site / "decks" / f"{deck}.html").as_uri()
    faults = looked_at(chromium, f"{address}?print-pdf", view, f"deck-{deck}", READY)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("view", SCREENS, ids=lambda view: str(view.name))
@pytest.mark.parametrize("deck", DECKS)
def test_every_slide_is_reached_by_the_keyboard_and_fits_its_screen(
    chromium: Browser, site: Path, deck: str, view: PageView
) -> None:
    with opened(chromium, (site / "decks" / f"{deck}.html").as_uri(), view, READY) as page:
        shown, faults = [], []
        for number in range(page.evaluate("Reveal.getTotalSlides()")):
            if number:
                page.keyboard.press("Space" if number % 2 else "ArrowRight")
            shown.append(page.evaluate(SHOWN))
            faults += [f"slide {number + 1}: {each}" for each in page.evaluate(FAULTS) + page.evaluate(BEYOND)]
            picture(page, f"deck-{deck}-{view.name}-{number + 1}.png")
        assert page.evaluate("Reveal.isLastSlide()") and len(set(shown)) == len(shown) >= 6
        assert not faults, "\n".join(faults)


def test_a_deck_says_nothing_in_the_console_and_can_be_enlarged(page: Page, site: Path) -> None:
    page.goto((site / "decks" / "02-limit.html").as_uri() + "#/3")
    page.wait_for_function(READY)
    assert "Rho of 1.5" in page.evaluate(SHOWN) and windows.complaints(page) == []
    assert "user-scalable" not in page.evaluate("document.head.innerHTML")
    page.keyboard.press("ArrowLeft")
    assert "where is the edge" in page.evaluate(SHOWN)

"""One switch between emulated and real-world size, in a browser: text, axes, the memory map, and what is printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.report.page import page
from tests.browser.driver import ENTER, Browser
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made, with_pages, with_samples

SEEN = "return document.querySelector('#main').innerText"
REAL = "document.querySelector('button[data-size=real]')"
AXIS = (
    "const v = FastMotion.views.get('timeline-hello').view;"
    "return [v.scale('x').domain(), v.scale('concat_0_y').domain()]"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = a_migration(name="hello", scale={"size": 32.0, "time": 8.0}, full_scale={})
    run = with_pages(made(tmp_path_factory.mktemp("sizes") / "run", a_summary(done)), done, 5)
    page.rebuild(with_samples(run, done, 25))
    return run


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, folder: Path) -> Browser:
    window.open("about:blank")
    window.open((folder / "report.html").as_uri())
    window.run("return FastMotion.drawAll().then(() => 1)")
    return window


def test_numbers_and_axes_change_together_and_back(browser: Browser) -> None:
    small, (times, rates) = browser.run(SEEN), browser.run(AXIS)
    assert "21.4 s" in small and "171 s" not in small
    browser.run(f"{REAL}.focus()")
    browser.press(ENTER)
    browser.wait(f"const drawn = (() => {{ {AXIS} }})(); return drawn[0][1] > 150 && drawn")
    large, (more, faster) = browser.run(SEEN), browser.run(AXIS)
    assert "171 s" in large and "shown at real-world size" in large
    assert more[1] > 7 * times[1] and faster[1] > 20 * rates[1]
    assert browser.run(f"return {REAL}.ariaPressed") == "true"
    assert browser.run("return location.hash") == "#size=real"
    browser.run("document.querySelector('button[data-size=emulated]').click()")
    browser.wait(f"return (() => {{ {AXIS} }})()[0][1] < 30")
    assert browser.run(SEEN) == small and browser.console() == []


def test_the_address_keeps_it_and_the_memory_map_follows(browser: Browser, folder: Path) -> None:
    browser.open("about:blank")
    browser.open((folder / "report.html").as_uri() + "#size=real")
    browser.wait("return FastMotion.maps.size")
    browser.run("FastMotion.maps.get('moves-hello').show(21.4)")
    assert browser.run("return document.querySelector('.moment').textContent").startswith("171 s after the request")
    assert "171 s" in browser.run(SEEN) and browser.console() == []


def test_paper_says_which(browser: Browser) -> None:
    browser.run(f"{REAL}.click(); dispatchEvent(new Event('beforeprint'))")
    assert "Figures of this page are shown at real-world size" in browser.run(SEEN)
    browser.run("dispatchEvent(new Event('afterprint'))")

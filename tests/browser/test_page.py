"""The page in a real browser, opened from disk without any network: drawn without complaint, and it can be worked."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.report.page import page
from tests.browser.driver import ENTER, LEFT, TAB, Browser
from tests.unit.records import a_migration, a_networked_migration, a_summary
from tests.unit.runs import kept, made, with_pages, with_samples
from tests.unit.test_report_services import with_services

DRAWN = "return [...document.querySelectorAll('.chart')].every(place => place.dataset.drawn || !place.clientWidth)"
CELLS = "return [...document.querySelectorAll('#memory-hello path')].map(p => p.getAttribute('fill')).join()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = kept(tmp_path_factory.mktemp("browser") / "run")
    page.rebuild(run)
    return run


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrations with long names, services, and pictures of memory."""
    names = ("ram=128GiB goodput=9.4Gbit", "ram=256GiB goodput=36Gbit")
    both = [a_networked_migration(name=name) for name in names]
    run = made(tmp_path_factory.mktemp("many") / "run", a_summary(*both))
    samples = [with_services(run, each).joinpath("samples.jsonl").read_text(encoding="utf-8") for each in both]
    (run / "samples.jsonl").write_text("".join(samples), encoding="utf-8")
    for each in both:
        with_pages(run, each)
    page.rebuild(run)
    return run


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(window: Browser, folder: Path) -> Browser:
    window.metrics(1200, 900, mobile=False)
    window.open((folder / "report.html").as_uri())
    window.run("return FastMotion.drawAll().then(() => 1)")
    window.wait(DRAWN)
    return window


def test_it_opens_from_disk_asks_for_nothing_and_complains_of_nothing(browser: Browser) -> None:
    assert browser.run("return document.title") == "hello: valid: every check held"
    assert browser.run("return document.querySelectorAll('.chart svg').length") == 3
    assert browser.requests() == [] and browser.console() == []


def test_the_slider_moves_through_the_rounds(browser: Browser) -> None:
    assert browser.run("return document.querySelector('#memory-hello input[type=range]').value") == "4"
    before = browser.run(CELLS)
    browser.run("document.querySelector('#memory-hello input[type=range]').focus()")
    browser.press(LEFT * 3)
    browser.wait("return FastMotion.views.get('memory-hello').view.signal('chosen') === 1")
    assert browser.run(CELLS) != before
    browser.run(
        "const s = document.querySelector('#memory-hello select'); s.selectedIndex = 1;"
        "s.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    browser.wait("return FastMotion.views.get('memory-hello').view.signal('shown') === 'dirtied in this round'")
    assert browser.console() == []


def test_folding_with_the_keyboard_alone(browser: Browser) -> None:
    browser.run("document.querySelector('#again details summary').focus()")
    assert not browser.run("return document.querySelector('#again details').open")
    browser.press(ENTER)
    browser.wait("return document.querySelector('#again details').open")
    assert "write_rate" in browser.run("return document.querySelector('#again pre').innerText")


def test_everything_that_can_be_done_can_be_reached_with_the_tab_key(browser: Browser) -> None:
    wanted = browser.run("return document.querySelectorAll('button, summary, select, input').length")
    browser.run("window.reached = new Set(); document.addEventListener('focusin', e => reached.add(e.target))")
    browser.press(TAB * (wanted + 40))
    missed = "return [...document.querySelectorAll('button, summary, select, input')].filter(e => !reached.has(e))"
    assert browser.run(f"{missed}.map(e => e.outerHTML)") == []


def test_light_and_dark(browser: Browser) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    ink = "return document.querySelector('#timeline-hello text').getAttribute('fill')"
    light = browser.run(ground), browser.run(ink)
    browser.run("document.getElementById('theme').click()")
    browser.wait(f"return (() => {{ {ink} }})() !== {light[1]!r}")
    assert browser.run("return document.documentElement.dataset.theme") == "dark"
    assert browser.run(ground) != light[0] and browser.console() == []


def test_the_systems_wish_for_dark_is_followed(folder: Path) -> None:
    with Browser(dark=True) as dark:
        dark.open((folder / "report.html").as_uri())
        assert dark.run("return document.documentElement.dataset.theme") == "dark"


def test_on_a_phone_nothing_is_wider_than_the_screen(browser: Browser, folder: Path) -> None:
    browser.metrics(390, 844, mobile=True)
    browser.open((folder / "report.html").as_uri())
    browser.run("return FastMotion.drawAll().then(() => 1)")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    widths = browser.run(
        "return [...document.querySelectorAll('.chart svg')].map(s => s.getBoundingClientRect().width)"
    )
    assert len(widths) == 3 and max(widths) <= 390 and browser.console() == []


def test_on_a_phone_type_keeps_its_size_and_decisions_are_in_sight(browser: Browser, many: Path) -> None:
    """Charts that are wider than the screen are shrunk with all their type: eleven pixels may become ten, not less."""
    browser.metrics(390, 844, mobile=True)
    browser.open((many / "report.html").as_uri())
    browser.run("document.querySelectorAll('details.migration').forEach(part => part.open = true)")
    browser.run("return FastMotion.drawAll().then(() => 1)")
    sizes = browser.run(
        "return [...document.querySelectorAll('.chart svg')].map(svg =>"
        "[svg.closest('.chart').id, 11 * svg.getBoundingClientRect().width / svg.getAttribute('width')])"
    )
    assert len(sizes) > 10 and [name for name, size in sizes if size < 10] == []
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    edges = browser.run(
        "return [...document.querySelectorAll('.rounds td')].map(cell => cell.getBoundingClientRect().right)"
    )
    assert edges and max(edges) <= 390 and browser.console() == []


def test_controls_and_tables_are_called_by_what_they_are(browser: Browser) -> None:
    named = "return [...document.querySelectorAll('#memory-hello .vega-bind *[aria-label]')].map(e => e.ariaLabel)"
    names = [f"{each}: The guest's memory, round by round, hello" for each in ("round", "show")]
    assert browser.run(named) == names
    browser.run("document.querySelector('#memory-hello input[type=range]').focus()")
    browser.press(LEFT)
    browser.wait("return FastMotion.views.get('memory-hello').view.signal('chosen') === 3")
    assert browser.run(named) == names
    labels = browser.run("return [...document.querySelectorAll('[role=region]')].map(e => e.ariaLabel)")
    assert {"figures of hello", "rounds of hello", "environment"} <= set(labels) and len(labels) == len(set(labels))


def test_marks_are_not_read_aloud_one_by_one(browser: Browser) -> None:
    """Their axes are, and legends."""
    assert browser.run("return document.querySelectorAll('#memory-hello svg path').length") > 500
    assert browser.run("return document.querySelectorAll('.chart svg [aria-label]').length") < 20


def test_three_minutes_of_samples_are_a_page(
    window: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How long that takes is for people to read, and for no test to judge; how large it is is."""
    done = a_networked_migration(name="long", total_time_s=178.0)
    folder = with_pages(with_services(made(tmp_path / "run", a_summary(done)), done, 180), done, 12)
    begun = time.monotonic()
    page.rebuild(folder)
    took = time.monotonic() - begun
    file = folder / "report.html"
    window.metrics(1200, 900, mobile=False)
    window.open(file.as_uri())
    window.wait("return performance.getEntriesByType('mark').length")
    loaded = window.run("return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    first = window.run("return performance.getEntriesByType('mark')[0].startTime")
    assert loaded > 0 and first > 0 and file.stat().st_size < 3e6 and window.console() == []
    sizes = [each.stat().st_size / 1e6 for each in (folder / "samples.jsonl", file)]
    with capsys.disabled():
        sys.stdout.write(
            f"\n3 minutes of samples, {sizes[0]:.1f} MB: page and pictures made in {took:.1f} s, {sizes[1]:.2f} MB; "
            f"loaded after {loaded:.0f} ms, first chart after {first:.0f} ms\n"
        )


def test_on_paper_everything_is_unfolded_and_light(browser: Browser) -> None:
    browser.run("document.getElementById('theme').click()")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("return [...document.querySelectorAll('details')].every(part => part.open)")
    assert browser.run("return document.documentElement.dataset.theme") == "light"


def test_charts_can_be_fed_while_the_page_is_open(browser: Browser) -> None:
    """What a live page does: the same chart with other data is drawn in the same place."""
    browser.run(
        "const c = JSON.parse(document.getElementById('charts').textContent)['switchover-hello'];"
        "const d = Object.values(c.datasets)[0]; d.columns.label = Array(d.n).fill('fed');"
        "document.getElementById('switchover-hello').scrollIntoView(); FastMotion.feed({'switchover-hello': c})"
    )
    browser.wait("return document.querySelector('#switchover-hello').textContent.includes('fed')")
    assert browser.console() == []


def test_a_link_to_a_folded_migration_opens_it(window: Browser, tmp_path: Path) -> None:
    many = [a_migration(name=f"m{i}") for i in range(6)]
    run = with_samples(made(tmp_path / "run", a_summary(*many)), many[5], 20)
    page.rebuild(run)
    window.open((run / "report.html").as_uri())
    assert not window.run("return document.getElementById('m-m5').open")
    window.run("document.querySelector('a[href=\"#m-m5\"]').click()")
    window.wait("return document.getElementById('m-m5').open")
    window.wait("return document.querySelector('#timeline-m5 svg') !== null")
    assert window.console() == []

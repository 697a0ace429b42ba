"""The memory map that plays, in a real browser: by keyboard and mouse, on a phone, without motion, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.report.page import page
from tests.browser.driver import ENTER, LEFT, RIGHT, Browser
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made, with_pages

NAME = "ram=1GiB"
MAP = "FastMotion.maps.get('moves-ram-1gib')"
STATE = f"return (() => {{ const m = {MAP}.at(); return {{at: m.at, t: m.t, share: m.share, playing: m.playing}} }})()"
BAR = "document.querySelector('.moves input[type=range]')"
COPY = """const c = document.querySelector('.moves .map'), copy = new OffscreenCanvas(c.width, c.height);
const pen = copy.getContext('2d', {willReadFrequently: true}); pen.drawImage(c, 0, 0); let seen = 0;
"""
INK = f"""{COPY} const d = pen.getImageData(0, 0, c.width, c.height).data;
for (let i = 3; i < d.length; i += 4) seen += d[i] > 0; return seen / (d.length / 4)"""
ORANGE = f"""{COPY} const d = pen.getImageData(arguments[0] ? c.width / 2 : 0, 40, c.width / 2, c.height - 40).data;
for (let i = 0; i < d.length; i += 4) seen += d[i] > 180 && d[i + 1] < 130 && d[i + 2] < 60; return seen"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = a_migration(name=NAME)
    done.rounds[3].throttle = 0.8
    run = with_pages(made(tmp_path_factory.mktemp("moves") / "run", a_summary(done)), done, 5)
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
    window.wait(f"return Boolean({MAP})")
    window.run("document.querySelector('.moves').scrollIntoView()")
    return window


def test_what_was_written_again_goes_back_to_the_source_and_is_stale_at_the_destination(browser: Browser) -> None:
    browser.run(f"{MAP}.show(0)")
    assert browser.run(ORANGE, False) == browser.run(ORANGE, True) == 0
    browser.run(f"{MAP}.show(16)")
    assert browser.run(STATE)["at"] == 1 and browser.run(STATE)["share"] == 0  # round 2 begins
    assert browser.run(ORANGE, False) > 100 and browser.run(ORANGE, True) > 100
    browser.run(f"{MAP}.show(1e9)")
    assert browser.run(STATE)["at"] == 4 and browser.console() == []


def test_it_plays_and_pauses_by_keyboard(browser: Browser) -> None:
    browser.run(f"{MAP}.show(0); document.querySelector('.moves .play').focus()")
    browser.press(ENTER)
    browser.wait(f"return {MAP}.at().t > 0.5")
    assert browser.run("return document.querySelector('.moves .play').textContent") == "pause"
    browser.press(ENTER)
    assert not browser.run(STATE)["playing"]
    browser.run(f"{MAP}.show(0); {BAR}.focus()")
    browser.press(RIGHT * 3)
    moved = browser.run(STATE)["t"]
    assert moved > 0
    browser.press(LEFT)
    assert browser.run(STATE)["t"] < moved
    browser.press("\ue00e")  # page up: the end of the next round
    assert browser.run(STATE)["at"] == 1
    assert "round 2 of 5, 0 %" in browser.run(f"return {BAR}.getAttribute('aria-valuetext')")
    assert browser.console() == []


def test_a_mouse_on_the_time_axis_chooses_a_moment(browser: Browser) -> None:
    browser.run(
        "const s = document.querySelector('.moves .strip'), r = s.getBoundingClientRect();"
        "s.dispatchEvent(new PointerEvent('pointermove', {clientX: r.left + r.width / 2, buttons: 1, bubbles: true}))"
    )
    assert browser.run(STATE)["t"] == pytest.approx(21.4 / 2, abs=0.1)
    assert "round 1 of 5" in browser.run("return document.querySelector('.moment').textContent")


def test_its_throttle_and_where_the_guest_runs_are_said(browser: Browser) -> None:
    browser.run(f"{MAP}.show(21.1)")
    told = browser.run("return document.querySelector('.moves .map').ariaLabel")
    assert "throttle 80 %" in told and "the guest runs at the source" in told and NAME in told
    browser.run(f"{MAP}.show(22)")
    assert "runs at the destination" in browser.run("return document.querySelector('.moment').textContent")


def test_who_wants_no_motion_sees_rounds_one_by_one(browser: Browser) -> None:
    wish = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    browser._do("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": wish})
    try:
        browser.run(f"{MAP}.show(0); document.querySelector('.moves .play').click()")
        browser.wait(f"return {MAP}.at().t > 0")
        assert browser.run(STATE)["at"] > 0 and browser.run(STATE)["share"] == 0  # no moment between
    finally:
        browser.run(f"{MAP}.pause()")
        browser._do("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": []}})


def test_on_a_phone_both_hosts_are_side_by_side(browser: Browser, folder: Path) -> None:
    browser.metrics(390, 844, mobile=True)
    browser.open((folder / "report.html").as_uri())
    browser.wait(f"return Boolean({MAP})")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    assert browser.run("return document.querySelector('.moves .map').getBoundingClientRect().width") > 300
    assert browser.run(INK) > 0.5 and browser.console() == []


def test_on_paper_it_is_a_still_picture(browser: Browser) -> None:
    browser.run(f"{MAP}.play(); dispatchEvent(new Event('beforeprint'))")
    assert not browser.run(STATE)["playing"] and browser.run(INK) > 0.5
    browser.run("dispatchEvent(new Event('afterprint'))")


def test_a_live_page_adds_rounds_as_they_end(browser: Browser) -> None:
    browser.run(
        "const place = document.createElement('div'); place.style.width = '400px'; document.body.append(place);"
        "window.live = FastMotion.memory(place, {name: 'live', cells: 4, rounds: [], end: 0, still: null});"
        "const cells = {sent: [1, 1, 1, 1], dirtied: [0, .5, 0, 0]};"
        "live.add({index: 1, kind: 'precopy', begin: 0, end: 2, throttle: 0, ...cells});"
        "live.show(2)"
    )
    state = browser.run("const {never, stale} = live.ended(); return [[...never], [...stale]]")
    assert state == [[0, 0, 0, 0], [0, 0.5, 0, 0]] and browser.console() == []

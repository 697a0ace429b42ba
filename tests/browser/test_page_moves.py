"""The memory map that plays, in a real browser: by keyboard and mouse, on a phone, without motion, on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from testbed.report.page.page import rebuild
from tests.browser.windows import complaints
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made, with_pages

NAME = "ram=1GiB"
MAP = "FastMotion.maps.get('moves-ram-1gib')"
STATE = f"(() => {{ const m = {MAP}.at(); return {{at: m.at, t: m.t, share: m.share, playing: m.playing}} }})()"
BAR = "document.querySelector('.moves input[type=range]')"
SAID = "document.querySelector('.moment').textContent"
COPY = """const c = document.querySelector('.moves .map'), copy = new OffscreenCanvas(c.width, c.height);
const pen = copy.getContext('2d', {willReadFrequently: true}); pen.drawImage(c, 0, 0); let seen = 0;
"""
INK = f"""() => {{ {COPY} const d = pen.getImageData(0, 0, c.width, c.height).data;
for (let i = 3; i < d.length; i += 4) seen += d[i] > 0; return seen / (d.length / 4) }}"""
ORANGE = f"""(right) => {{ {COPY} const x = right ? c.width / 2 : 0;
const d = pen.getImageData(x, 40, c.width / 2, c.height - 40).data;
for (let i = 0; i < d.length; i += 4) seen += d[i] > 180 && d[i + 1] < 130 && d[i + 2] < 60; return seen }}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = a_migration(name=NAME)
    done.rounds[3].throttle = 0.8
    run = with_pages(made(tmp_path_factory.mktemp("moves") / "run", a_summary(done)), done, 5)
    rebuild(run)
    return run


def opened(page: Page, folder: Path) -> Page:
    page.goto((folder / "report.html").as_uri())
    page.wait_for_function(f"Boolean({MAP})")
    page.locator(".moves").scroll_into_view_if_needed()
    return page


@pytest.fixture
def report(page: Page, folder: Path) -> Page:
    return opened(page, folder)


def test_what_was_written_again_goes_back_to_the_source_and_is_stale_at_the_destination(report: Page) -> None:
    report.evaluate(f"{MAP}.show(0)")
    assert report.evaluate(ORANGE, False) == report.evaluate(ORANGE, True) == 0
    report.evaluate(f"{MAP}.show(16)")
    assert report.evaluate(STATE)["at"] == 1 and report.evaluate(STATE)["share"] == 0  # round 2 begins
    assert report.evaluate(ORANGE, False) > 100 and report.evaluate(ORANGE, True) > 100
    report.evaluate(f"{MAP}.show(1e9)")
    assert report.evaluate(STATE)["at"] == 4 and complaints(report) == []


def test_it_plays_and_pauses_by_keyboard(report: Page) -> None:
    report.evaluate(f"{MAP}.show(0)")
    report.locator(".moves .play").focus()
    report.keyboard.press("Enter")
    report.wait_for_function(f"{MAP}.at().t > 0.5")
    assert report.locator(".moves .play").text_content() == "pause"
    report.keyboard.press("Enter")
    assert not report.evaluate(STATE)["playing"]
    report.evaluate(f"{MAP}.show(0); {BAR}.focus()")
    for _ in range(3):
        report.keyboard.press("ArrowRight")
    moved = report.evaluate(STATE)["t"]
    assert moved > 0
    report.keyboard.press("ArrowLeft")
    assert report.evaluate(STATE)["t"] < moved
    report.keyboard.press("PageUp")  # the end of the next round
    assert report.evaluate(STATE)["at"] == 1
    assert "round 2 of 5, 0 %" in report.evaluate(f"{BAR}.getAttribute('aria-valuetext')")
    assert complaints(report) == []


def test_a_mouse_on_the_time_axis_chooses_a_moment(report: Page) -> None:
    box = report.locator(".moves .strip").bounding_box()
    assert box is not None
    report.mouse.move(box["x"] + 5, box["y"] + 20)
    report.mouse.down()
    report.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    report.mouse.up()
    assert report.evaluate(STATE)["t"] == pytest.approx(21.4 / 2, abs=0.1)
    assert "round 1 of 5" in report.evaluate(SAID)


def test_its_throttle_and_where_the_guest_runs_are_said(report: Page) -> None:
    report.evaluate(f"{MAP}.show(21.1)")
    told = report.evaluate("document.querySelector('.moves .map').ariaLabel")
    assert "throttle 80 %" in told and "the guest runs at the source" in told and NAME in told
    report.evaluate(f"{MAP}.show(22)")
    assert "runs at the destination" in report.evaluate(SAID)


def test_who_wants_no_motion_sees_rounds_one_by_one(report: Page) -> None:
    report.emulate_media(reduced_motion="reduce")
    report.evaluate(f"{MAP}.show(0); document.querySelector('.moves .play').click()")
    report.wait_for_function(f"{MAP}.at().t > 0")
    assert report.evaluate(STATE)["at"] > 0 and report.evaluate(STATE)["share"] == 0  # no moment between
    report.evaluate(f"{MAP}.pause()")


def test_on_a_phone_both_hosts_are_side_by_side(phone: Page, folder: Path) -> None:
    opened(phone, folder)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.evaluate("document.querySelector('.moves .map').getBoundingClientRect().width") > 300
    assert phone.evaluate(INK) > 0.5 and complaints(phone) == []


def test_on_paper_it_is_a_still_picture(report: Page) -> None:
    report.evaluate(f"{MAP}.play(); dispatchEvent(new Event('beforeprint'))")
    assert not report.evaluate(STATE)["playing"] and report.evaluate(INK) > 0.5


def test_a_live_page_adds_rounds_as_they_end(report: Page) -> None:
    state = report.evaluate(
        """() => {
        const place = document.createElement('div'); place.style.width = '400px'; document.body.append(place);
        const live = FastMotion.memory(place, {name: 'live', cells: 4, rounds: [], end: 0, still: null});
        const cells = {sent: [1, 1, 1, 1], dirtied: [0, .5, 0, 0]};
        live.add({index: 1, kind: 'precopy', begin: 0, end: 2, throttle: 0, ...cells});
        live.show(2);
        const {never, stale} = live.ended();
        return [[...never], [...stale]];
        }"""
    )
    assert state == [[0, 0, 0, 0], [0, 0.5, 0, 0]] and complaints(report) == []


def test_its_colours_are_those_of_the_light(report: Page) -> None:
    """Each cell in the style sheet's colour for that light, and back on paper."""
    middle = """() => { const c = document.querySelector('.moves .map'), copy = new OffscreenCanvas(c.width, c.height);
    const pen = copy.getContext('2d'); pen.drawImage(c, 0, 0);
    const d = c.width / c.getBoundingClientRect().width; return [...pen.getImageData(3 * d, 26 * d, 1, 1).data] }"""
    report.evaluate(f"{MAP}.show(0)")
    assert report.evaluate(middle) == [0, 114, 178, 255]
    report.locator("#theme").click()
    report.wait_for_function(f"({middle})()[0] === 86")
    report.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert report.evaluate(middle) == [0, 114, 178, 255]

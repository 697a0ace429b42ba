"""The live page by the keyboard alone: all that a mouse can do, and nobody's place is lost when something happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from playwright.sync_api import Page

from testbed.core.events import Event, MigrationFinished, MigrationStarted, PhaseChanged
from testbed.core.migration_key import MigrationKey
from testbed.rig.orders import Order
from testbed.runfiles.summary_reader import PAGES, SAMPLES
from testbed.web.live.browser_events import as_json, end_as_json
from testbed.web.live.messages import RunEnded
from testbed.web.live.sections import Sections
from tests.browser.test_live_at_once import DB, LEFT, WEB, at_once
from tests.browser.test_live_narrow import speaking
from tests.browser.test_looks import OPERABLE
from tests.browser.windows import complaints
from tests.unit.records import a_networked_migration, a_summary
from tests.unit.runs import made, with_pages
from tests.unit.test_report_services import with_services

FIRST = MigrationKey(name="first")
PLACE = "(({ dataset, id, ariaLabel, innerText }) => dataset.order || dataset.size || id || ariaLabel || innerText)"
OVER = RunEnded(valid=True, reason="", folder="results/x", report_there=False)


def finished(key: MigrationKey) -> Event:
    return MigrationFinished(at=9.0, migration=key, outcome="completed", reason="done", valid=True)


def report_of_first(folder: Path) -> list[dict[str, Any]]:
    """A migration that has ended, and its part of the report: with charts over time and its memory."""
    done = a_networked_migration(name=FIRST.name)
    run = with_services(made(folder / "run", a_summary(done)), done)
    with_pages(run, done)
    sections = Sections()
    sections.take(*((run / name).read_text(encoding="utf-8") for name in (SAMPLES, PAGES)))
    begun = as_json(MigrationStarted(at=0.1, migration=FIRST, index=1, total=3))
    return [begun, as_json(finished(FIRST)) | {"section": sections.add(done, 3)}]


class Followed:
    """The page of a run whose first migration has ended while two are under way."""

    def __init__(self, page: Page, say: Callable[[dict[str, Any]], None], orders: SimpleQueue[Order]) -> None:
        self.page, self._say, self._orders = page, say, orders

    def say(self, event: dict[str, Any]) -> None:
        """One more event, and the page has heard it."""
        heard = int(self.page.evaluate("document.body.dataset.events"))
        self._say(event)
        self.page.wait_for_function(f"document.body.dataset.events == {heard + 1}")

    def at(self) -> str:
        """Where the keyboard is."""
        return str(self.page.evaluate(f"{PLACE}(document.activeElement)"))

    def to(self, place: str) -> None:
        """There, by the tab key."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if self.at().startswith(place):
                return
        raise AssertionError(f"{place} is not reached")

    def order(self) -> tuple[str, float | None]:
        """The next that was given."""
        given = self._orders.get(timeout=20)
        return given.what, given.value


@pytest.fixture
def live(page: Page, tmp_path: Path) -> Iterator[Followed]:
    orders: SimpleQueue[Order] = SimpleQueue()
    said = [*report_of_first(tmp_path), *(as_json(event) | LEFT for event in at_once())]
    with speaking(said, orders.put) as (url, say):
        page.goto(url)
        page.wait_for_function(f"document.body.dataset.events == {len(said)}")
        yield Followed(page, say, orders)
        assert complaints(page) == []


def test_all_is_reached_in_the_order_of_reading_and_seen_to_be(live: Followed) -> None:
    live.page.evaluate("FastMotion.drawAll()")
    live.page.evaluate(
        "window.seen = []; window.unseen = [];"
        "document.addEventListener('focusin', ({ target }) => { seen.push(target);"
        "if (getComputedStyle(target).outlineStyle === 'none') unseen.push(target.outerHTML.slice(0, 200)); })"
    )
    for _ in range(live.page.evaluate(f"{OPERABLE}.length")):
        live.page.keyboard.press("Tab")
    wanted = f"{OPERABLE}.map(each => each.outerHTML.slice(0, 200))"
    assert live.page.evaluate("seen.map(each => each.outerHTML.slice(0, 200))") == live.page.evaluate(wanted)
    assert live.page.evaluate("unseen") == []


def test_every_order_can_be_given(live: Followed) -> None:
    keys = live.page.keyboard
    for order in ("cancel", "cut", "mend"):
        live.to(order)
        keys.press("Space")
        assert live.order() == (order, None)
    live.to("rate")
    keys.press("ControlOrMeta+a")
    keys.type("250")
    keys.press("Enter")
    assert live.order() == ("rate", 250e6)
    live.to("throttle")
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        keys.press(key)
    assert live.order() == ("throttle", 0.1) and live.page.locator("#share").inner_text() == "10 %"
    live.to("throttle")
    keys.press("Space")
    assert live.order() == ("throttle", 0.1)
    live.to("stop")
    keys.press("Enter")
    assert live.order() == ("stop", None)


def test_another_guest_is_chosen_and_the_place_kept(live: Followed) -> None:
    live.to("which")
    live.page.keyboard.press("ArrowUp")
    live.page.wait_for_function("document.getElementById('now').textContent.includes('30.0 MB')")
    assert live.at() == "which"
    live.say(as_json(finished(DB)))  # there is no choice any more
    assert live.at() == "state"
    live.page.keyboard.press("Tab")
    assert live.at() == "cancel"


def test_nobodys_place_is_lost_when_orders_end(live: Followed) -> None:
    live.to("cut")
    live.say(as_json(PhaseChanged(at=5.0, migration=DB, phase="switchover")))
    assert live.at() == "cut"
    live.say(as_json(PhaseChanged(at=6.0, migration=DB, phase="cooldown")))
    assert live.at() == "state" and live.page.evaluate("document.activeElement.matches(':focus-visible')")
    live.say(as_json(finished(DB)))
    assert live.at() == "state", "and not at a button that means the other guest now"
    live.to("stop")
    live.say(as_json(finished(WEB)))
    assert live.at() == "stop"
    live.say(end_as_json(OVER))
    live.page.wait_for_function("document.body.dataset.over === 'yes'")
    assert live.at() == "state" and live.page.locator("#state").inner_text() == "the run has ended and is valid"


def test_nobodys_place_is_lost_when_a_chart_goes(live: Followed) -> None:
    live.to("save as SVG: ")
    live.say(as_json(MigrationStarted(at=7.0, migration=MigrationKey(name="third"), index=3, total=3)))
    live.page.wait_for_function("document.activeElement.id === 'state'")


def test_the_report_of_one_that_ended_is_unfolded_zoomed_and_played(live: Followed) -> None:
    keys = live.page.keyboard
    live.to("real")
    keys.press("Space")
    assert live.at() == "real" and live.page.evaluate("document.documentElement.dataset.size") == "real"
    live.to("first")  # its link in the table, then its fold
    keys.press("Enter")
    live.page.wait_for_function("document.querySelector('#m-first').open")
    live.page.evaluate("FastMotion.drawAll()")
    live.to("timeline-first")
    for key in ("ArrowRight", "+", "ArrowRight"):
        keys.press(key)
    state = live.page.evaluate("TimeAxis.state()")
    assert state["cursor"]["t"] > 0 and state["zoom"]
    live.say(as_json(PhaseChanged(at=5.0, migration=DB, phase="switchover")))
    assert live.at() == "timeline-first" and live.page.evaluate("TimeAxis.state()") == state
    live.to("play")
    keys.press("Enter")
    live.page.wait_for_function("document.querySelector('.moves').dataset.playing")
    keys.press("Enter")
    live.page.wait_for_function("!document.querySelector('.moves').dataset.playing")

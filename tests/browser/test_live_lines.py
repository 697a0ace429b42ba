"""The live page's lines: the goal beside what is left, what somebody did told apart, and something to see at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from testbed.core.events import Controlled, Event, MigrationStarted, PhaseChanged, Progress, RoundFinished, Sampled
from testbed.core.migration_key import MigrationKey
from testbed.core.rounds import Round, RoundKind
from testbed.web.live.browser_events import as_json
from tests.browser.looks import VIEWS, looked_at
from tests.browser.test_live_narrow import served
from tests.browser.windows import complaints

KEY = MigrationKey(name="vm.ram=256GiB network.vmotion.rate=40Gbit")
LEFT = {"left_s": 9.0, "all_left_s": None}
ROWS = """(what) => FastMotion.views.get('live-left').view.data('rows')
    .filter((row) => row.what.startsWith(what)).map((row) => Math.round(row.value))"""


def started(goal_s: float | None = 0.5) -> list[Event]:
    begun = MigrationStarted(at=1.0, migration=KEY, index=1, total=1, expected_s=12.0, goal_s=goal_s)
    phases = [PhaseChanged(at=1.0 + i, migration=KEY, phase=phase) for i, phase in enumerate(("network", "warmup"))]
    return [begun, *phases]


def under_way(goal_s: float | None = 0.5) -> list[Event]:
    """Three rounds at 100 MB/s that leave 80, 60 and 30 MB; the link is cut and mended in the second."""
    events: list[Event] = [*started(goal_s), PhaseChanged(at=3.0, migration=KEY, phase="precopy")]
    for index, (sent, left) in enumerate(((100, 80), (80, 60), (60, 30)), 1):
        at = 3.0 + index
        events += [
            Progress(at=at - 0.5, migration=KEY, round=index, sent_bytes=sent * 500_000, round_bytes=sent * 10**6),
            Sampled(at=at - 0.2, migration=KEY, link_bytes=index * 10**8, operations=index * 1000, silence_s=0.002),
        ]
        if index == 2:
            for what, before in (("cut", 0.6), ("mend", 0.4)):
                events.append(Controlled(at=at - before, migration=KEY, what=what, value=None, fault=None))
        done = Round(
            index=index,
            kind=RoundKind.PRECOPY,
            started_s=index - 1.0,
            duration_s=sent / 100,
            sent_bytes=sent * 10**6,
            dirtied_bytes=left * 10**6,
        )
        events.append(RoundFinished(at=at, migration=KEY, round=done, decision=None))
    return events


@contextmanager
def shown(page: Page, events: list[Event]) -> Iterator[Page]:
    said: list[dict[str, Any]] = [as_json(event) | LEFT for event in events]
    with served(said) as url:
        page.goto(url)
        page.wait_for_function(f"document.body.dataset.events == {len(said)}")
        yield page
        assert complaints(page) == []


def drawn(page: Page) -> None:
    """Waits for the chart of what is left, with all three rounds in it."""
    page.evaluate("FastMotion.drawAll()")
    page.wait_for_function(f"() => FastMotion.views.has('live-left') && ({ROWS})('left at').length === 3")


def test_before_anything_is_sent_the_page_says_where_the_migration_is(page: Page) -> None:
    with shown(page, started()):
        stages = page.locator("#stages li")
        assert stages.count() == 8 and page.locator("#stages .done").count() == 3
        assert page.locator("#stages [aria-current]").inner_text() == "the guest warms up"


def test_the_goal_stands_beside_what_is_left_after_each_round(page: Page) -> None:
    with shown(page, under_way()):
        drawn(page)
        assert page.evaluate(ROWS, "left at a round's end") == [80, 60, 30]
        assert page.evaluate(ROWS, "goal: sent within 500 ms") == [50, 50, 50]
        assert page.evaluate(ROWS, "left of the round") == [50, 40, 30]


def test_a_policy_without_a_goal_has_no_such_line(page: Page) -> None:
    with shown(page, under_way(None)):
        drawn(page)
        assert page.evaluate(ROWS, "goal") == [] and page.evaluate(ROWS, "left at a round's end") == [80, 60, 30]


def test_what_comes_in_while_a_chart_is_drawn_is_in_it(page: Page) -> None:
    rows = (
        "{kind: 'edge', t: 0, what: 'precopy', mark: 'phase'}, {kind: 'round', t: 1, what: 'goal', value: 7},"
        "{kind: 'line', t: 1, what: 'left of the round', value: 7}"
    )
    with shown(page, under_way()):
        drawn(page)
        page.evaluate(
            # Once a second the page brings its own rows; timers end in order, so it has none left to put over these.
            "async () => { await new Promise((done) => setTimeout(done, 1001));"
            "const before = FastMotion.views.get('live-left'); document.getElementById('theme').click();"
            "for (let turn = 0; turn < 5; turn++) await null;"  # its drawing has begun
            f"FastMotion.update('live-left', [{rows}]);"
            "while (FastMotion.views.get('live-left') === before) await new Promise((done) => setTimeout(done, 10)); }"
        )
        page.wait_for_function(f"() => JSON.stringify(({ROWS})('left')) === '[7]'")


def test_cut_mend_round_and_phase_are_told_apart_and_explained(page: Page) -> None:
    marks = """[...document.querySelectorAll('#live-link .mark-rule.role-mark line')]
        .map((line) => `${line.getAttribute('stroke')} ${line.getAttribute('stroke-dasharray')}`)"""
    with shown(page, under_way()):
        page.evaluate("FastMotion.drawAll()")
        page.wait_for_function(f"{marks}.length >= 6")
        assert len(set(page.evaluate(marks))) == 4, "a phase, rounds, the cut and the mend"
        said = [each.strip() for each in page.locator("#marks li").all_inner_texts()]
        assert said[1:4] == ["a round ends", "the link is cut", "the link is mended"]


def test_it_is_accessible_with_nothing_over_anything_else(chromium: Browser) -> None:
    with served([as_json(event) | LEFT for event in under_way()]) as url:
        ready = "document.body.dataset.events >= 15 && !document.getElementById('panel-live-left').hidden"
        for view in VIEWS:
            faults = looked_at(chromium, url, view, "live", ready)
            assert not faults, f"{view.name}: " + "\n".join(faults)

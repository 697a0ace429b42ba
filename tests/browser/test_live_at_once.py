"""The live page while two guests migrate at once: what is of one is shown as its own, and a button means that one."""

from collections.abc import Iterator
from queue import SimpleQueue

import pytest
from playwright.sync_api import Page

from testbed.core.events import (
    Event,
    MigrationFinished,
    MigrationStarted,
    PhaseChanged,
    Progress,
    RoundFinished,
    Sampled,
)
from testbed.core.migration_key import MigrationKey
from testbed.core.rounds import Round, RoundKind
from testbed.rig.orders import Order
from testbed.web.live.browser_events import as_json
from tests.browser.test_live_narrow import served
from tests.browser.windows import complaints

WEB, DB = MigrationKey(name="both", guest="web"), MigrationKey(name="both", guest="db")
LEFT = {"left_s": None, "all_left_s": None}
STATE = "document.getElementById('state').textContent"
NOW = "document.getElementById('now').textContent"
CHOICE = "[...document.getElementById('which').options].map((each) => each.textContent)"
RATES = """(() => {
    const made = FastMotion.views.get('live-link');
    return made ? made.view.data('rows').filter((row) => row.kind === 'line').map((row) => Math.round(row.value)) : [];
})()"""
CHOOSE = """{
    const which = document.getElementById('which');
    which.value = [...which.options].find((each) => each.textContent === 'both, guest %s').value;
    which.dispatchEvent(new Event('change', { bubbles: true }));
}"""


def story(key: MigrationKey, begun: float, rate: int) -> list[Event]:
    """``rate`` in MB/s, as the link's counter has it."""
    done = Round(
        index=1,
        kind=RoundKind.PRECOPY,
        started_s=0,
        duration_s=1.0,
        sent_bytes=rate * 10**6,
        dirtied_bytes=rate * 10**5,
    )
    samples = [
        Sampled(at=begun + tick / 4, migration=key, link_bytes=tick * rate * 250_000, operations=tick)
        for tick in range(5)
    ]
    return [
        MigrationStarted(at=begun, migration=key, index=1, total=1),
        PhaseChanged(at=begun, migration=key, phase="precopy"),
        *samples,
        Progress(at=begun + 1, migration=key, round=1, sent_bytes=0, round_bytes=rate * 10**6),
        RoundFinished(at=begun + 1, migration=key, round=done, decision=None),
    ]


def at_once() -> list[Event]:
    """One event of each in turn."""
    return [event for pair in zip(story(WEB, 1.0, 30), story(DB, 1.1, 70), strict=True) for event in pair]


@pytest.fixture
def given() -> SimpleQueue[Order]:
    return SimpleQueue()


@pytest.fixture
def followed(page: Page, given: SimpleQueue[Order], request: pytest.FixtureRequest) -> Iterator[Page]:
    said = [as_json(event) | LEFT for event in [*at_once(), *getattr(request, "param", [])]]
    with served(said, given.put) as url:
        page.goto(url)
        page.wait_for_function(f"document.body.dataset.events == {len(said)}")
        yield page
        assert complaints(page) == []


def test_each_has_its_own_charts_and_orders(followed: Page, given: SimpleQueue[Order]) -> None:
    assert followed.evaluate(CHOICE) == ["both, guest web", "both, guest db"]
    for guest, key, rate in (("db", DB, 70), ("web", WEB, 30)):
        followed.evaluate(CHOOSE % guest)
        assert followed.evaluate(NOW).endswith(f"{rate}.0 MB of {rate}.0 MB left")
        followed.wait_for_function(f"(rates => rates.length === 4 && rates.every((rate) => rate === {rate}))({RATES})")
        followed.evaluate("document.querySelector('[data-order=cut]').click()")
        assert given.get(timeout=20) == Order(what="cut", migration=key)
    names = "[...document.querySelectorAll('#rows td:first-child')].map((each) => each.textContent)"
    assert followed.evaluate(names) == ["both, guest web", "both, guest db"]


END = MigrationFinished(at=3.0, migration=DB, outcome="completed", reason="done", valid=True)


@pytest.mark.parametrize("followed", [[END]], indirect=True)
def test_when_one_has_ended_the_page_shows_the_other(followed: Page) -> None:
    assert followed.evaluate(STATE) == "migration 1 of 1: precopy" and followed.evaluate(NOW).startswith(
        "round 1: 30.0 MB"
    )
    assert followed.evaluate("document.getElementById('choice').hidden")
    assert not followed.evaluate("document.getElementById('under-way').disabled")

"""The live page's server as a browser sees it: a real process, real requests, and orders for who has the page only."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import psutil
import pytest

from testbed.core.errors import Interrupted, ScenarioError, TestbedError
from testbed.core.events import MigrationFinished, MigrationStarted, PhaseChanged, Progress, RoundFinished
from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord
from testbed.core.rounds import Round, RoundKind
from testbed.rig.orders import NONE_UNDER_WAY, Order, Orders
from testbed.runfiles.folder import RunFolder
from testbed.web.guard import LOCAL
from testbed.web.live.browser_events import as_json
from testbed.web.live.messages import Report
from testbed.web.live.run_side import LivePage
from testbed.web.live.sections import FIGURES
from tests.unit.runs import kept

_OPENER = build_opener(ProxyHandler({}))
PATIENCE_S = 60.0
"""For the server's first answer, which is when it has loaded what it needs."""
KEY = MigrationKey(name="m")
STARTED = MigrationStarted(at=0.0, migration=KEY, index=1, total=1)


@pytest.fixture
def controls() -> Orders:
    return Orders()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def page(controls: Orders, folder: Path) -> Iterator[LivePage]:
    with LivePage("a <run>", folder, LOCAL, 0, controls) as made:
        yield made


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LivePage, Orders]]:
    """One page for all that is refused and all that leaves it as it was, while a migration is under way."""
    controls = Orders()
    controls.open(KEY)
    with LivePage("a", tmp_path_factory.mktemp("refusing") / "results", LOCAL, 0, controls) as made:
        yield made, controls


def events(page: LivePage, after: str = "") -> Iterator[dict[str, Any]]:
    """Until the end of the run, or of the test's interest."""
    asked = Request(f"{page.url}events?after={after}", headers=with_token(page))  # noqa: S310 - our own
    with _OPENER.open(asked, timeout=PATIENCE_S) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))


def ask(url: str, body: object = None, **headers: str) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    try:
        asked = Request(url, data=data, headers=headers)  # noqa: S310 - our own
        with _OPENER.open(asked, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def ended(done: MigrationRecord) -> MigrationFinished:
    return MigrationFinished(
        at=5.0, migration=done.key, outcome=done.outcome, reason=done.reason, valid=done.valid, record=done
    )


def with_token(page: LivePage) -> dict[str, str]:
    return {"X-Token": page.token}


def order(page: LivePage, body: object, **headers: str) -> int:
    return ask(f"{page.url}order", body, **(with_token(page) | {"Content-Type": "application/json"} | headers))[0]


def test_the_page_names_the_run_and_nothing_in_it_is_markup(page: LivePage) -> None:
    status, text = ask(page.address)
    assert status == 200 and "<h1>a &lt;run&gt;</h1>" in text and "connect-src" in text


def test_an_order_of_the_page_reaches_the_run(page: LivePage, controls: Orders) -> None:
    controls.open(KEY)
    assert order(page, {"what": "throttle", "value": 0.5}) == 200
    assert order(page, {"what": "cancel", "migration": {"name": "m"}}) == 200
    page.__exit__(None, None, None)
    assert (controls.take(KEY), controls.take(KEY)) == (
        Order(what="throttle", value=0.5),
        Order(what="cancel", migration=KEY),
    )


def test_an_order_that_nothing_can_obey_is_answered(page: LivePage) -> None:
    assert order(page, {"what": "cut"}) == 200
    said = next(event for event in events(page) if event["event"] == "Controlled")
    assert (said["what"], said["fault"], said["migration"]) == ("cut", NONE_UNDER_WAY, None)


def test_of_two_under_way_the_page_has_to_say_which(page: LivePage, controls: Orders) -> None:
    controls.open(KEY)
    controls.open(MigrationKey(name="another"))
    assert order(page, {"what": "cut"}) == 200
    said = next(event for event in events(page) if event["event"] == "Controlled")
    assert said["fault"] == "2 migrations are under way; say which: another, m"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Token": "guessed"}, 403),
        ({"X-Token": ""}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Host": "elsewhere.example"}, 400),
    ],
)
def test_orders_from_elsewhere_are_refused(
    refusing: tuple[LivePage, Orders], headers: dict[str, str], status: int
) -> None:
    page, controls = refusing
    assert order(page, {"what": "cancel"}, **headers) == status
    assert controls.take(KEY) is None


@pytest.mark.parametrize(
    "body", [{"what": "explode"}, {}, [], "cancel", {"what": "rate"}, {"what": "rate", "value": -1}, {"what": 3},
             {"what": "throttle", "value": 0.95}, {"what": "throttle", "value": True}],
)  # fmt: skip
def test_what_is_no_order_is_refused_with_a_reason(refusing: tuple[LivePage, Orders], body: object) -> None:
    page, controls = refusing
    assert order(page, body) == 400
    assert controls.take(KEY) is None
    with pytest.raises(ScenarioError):
        Order.read(body)


@pytest.mark.parametrize("body", [b"[" * 1000, b'{"what": "cut"', b"\xff", b'{"what": "throttle", "value": NaN}'])
def test_what_is_no_json_is_refused_and_nothing_is_printed(
    refusing: tuple[LivePage, Orders], body: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    page, controls = refusing
    asked = Request(f"{page.url}order", data=body, headers=with_token(page))  # noqa: S310 - our own
    with pytest.raises(HTTPError, match="400"):
        _OPENER.open(asked, timeout=PATIENCE_S)
    assert controls.take(KEY) is None
    assert capfd.readouterr().err == ""


def test_events_are_numbered_and_given_again_from_where_a_browser_was(page: LivePage) -> None:
    for index in range(1, 4):
        page.observe(MigrationStarted(at=0.0, migration=MigrationKey(name=f"m{index}"), index=index, total=3))
    asked = Request(f"{page.url}events", headers=with_token(page))  # noqa: S310 - our own
    with _OPENER.open(asked, timeout=PATIENCE_S) as answer:
        lines = [answer.readline().decode().strip() for _ in range(3)]
    assert lines[0].startswith("retry: ") and lines[2].startswith("id: ") and lines[2].endswith("-1")
    seen = events(page, after=lines[2].removeprefix("id: "))
    assert [next(seen)["name"], next(seen)["name"]] == ["m2", "m3"]
    assert next(events(page, after="another-3")) == {"event": "Reload"}


def test_how_long_it_will_take_comes_with_the_progress(page: LivePage) -> None:
    page.observe(MigrationStarted(at=0.0, migration=KEY, index=1, total=2, expected_s=9.0, others_s=20.0))
    page.observe(PhaseChanged(at=1.0, migration=KEY, phase="precopy"))
    page.observe(Progress(at=2.0, migration=KEY, round=1, sent_bytes=1, round_bytes=2))
    said = next(event for event in events(page) if event["event"] == "Progress")
    assert (said["left_s"], said["all_left_s"]) == (8.0, 28.0)


def test_a_migration_that_ended_comes_with_its_part_of_the_report(page: LivePage, folder: Path) -> None:
    kept(folder)
    done = RunFolder(folder).read_summary().migrations[0]
    page.observe(replace(STARTED, migration=done.key))
    page.observe(ended(done))
    said = next(event for event in events(page) if event["event"] == "MigrationFinished")
    part = said["section"]
    assert part["title"] == done.name and f'id="{part["id"]}"' in part["html"] and len(part["cells"]) == len(FIGURES)
    assert any(name.startswith("timeline-") for name in part["charts"]) and "record" not in said
    named = next(name for name in part["charts"] if name.startswith("timeline-"))
    assert f'id="{named}"' in part["html"]


def test_who_looks_at_the_end_gets_the_report(page: LivePage, folder: Path) -> None:
    assert ask(f"{page.url}report", **with_token(page))[0] == 404
    folder.mkdir()
    (folder / "report.html").write_text("<p>done")
    page.observe(STARTED)
    looks = threading.Event()

    def looking() -> tuple[dict[str, Any], tuple[int, str]]:
        for said in events(page):
            looks.set()
            if said["event"] == "Ended":
                return said, ask(f"{page.url}report", **with_token(page))
        raise AssertionError("the end was not said")

    with ThreadPoolExecutor(1) as pool:
        looked = pool.submit(looking)
        assert looks.wait(20)
        page.ended(True)
        page.__exit__(None, None, None)
        said, report = looked.result(20)
    assert (said["valid"], said["report_there"], report) == (True, True, (200, "<p>done"))


def test_a_run_that_is_broken_off_says_so(controls: Orders, folder: Path) -> None:
    looks = threading.Event()

    def looking(page: LivePage) -> dict[str, Any]:
        for said in events(page):
            looks.set()
            if said["event"] == "Ended":
                return said
        raise AssertionError("the end was not said")

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(Interrupted), LivePage("a", folder, LOCAL, 0, controls) as page:
            page.observe(STARTED)
            looked = pool.submit(looking, page)
            assert looks.wait(20)
            raise Interrupted("interrupted by SIGINT")
        said = looked.result(20)
    assert (said["valid"], said["reason"], said["report_there"]) == (None, "interrupted by SIGINT", False)


def test_a_port_that_is_taken_is_said(refusing: tuple[LivePage, Orders], controls: Orders) -> None:
    page, _ = refusing
    port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
    with pytest.raises(TestbedError, match="--live PORT"), LivePage("b", Path("x"), LOCAL, port, controls):
        pass


def test_nobody_may_put_the_page_into_a_frame(refusing: tuple[LivePage, Orders]) -> None:
    page, _ = refusing
    with _OPENER.open(page.address, timeout=20) as answer:
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_an_event_is_plain_json_with_a_rounds_rates() -> None:
    done = Round(index=1, kind=RoundKind.PRECOPY, started_s=0, duration_s=2, sent_bytes=200, dirtied_bytes=50)
    made = as_json(RoundFinished(at=1.0, migration=KEY, round=done, decision=None))
    assert json.loads(json.dumps(made))["round"]["bandwidth"] == 100 and made["event"] == "RoundFinished"


def test_a_server_that_was_killed_or_hangs_is_no_fault_of_the_run(
    controls: Orders, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("testbed.web.live.run_side._END_S", 0.0)
    before = psutil.Process().children()
    for number in (signal.SIGKILL, signal.SIGSTOP):
        threads = threading.active_count()
        with LivePage("a", folder, LOCAL, 0, controls) as page:
            ask(page.address)
            os.kill(page.pid, number)
            for _ in range(3):
                page.tell(Report(html="x" * (1 << 20)))
        assert psutil.Process().children() == before and threading.active_count() == threads

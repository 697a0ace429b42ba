"""The live page's server as a browser sees it: a real process, real requests, and orders for who has the page only."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import psutil
import pytest

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.events import MigrationStarted, RoundFinished
from testbed.core.rounds import Round, RoundKind
from testbed.engines.control import Controls, Order
from testbed.web.live import LOCAL, LivePage, as_json

_OPENER = build_opener(ProxyHandler({}))


@pytest.fixture
def controls() -> Controls:
    return Controls()


@pytest.fixture
def page(controls: Controls) -> Iterator[LivePage]:
    with LivePage("a <run>", LOCAL, 0, controls) as made:
        yield made


def ask(url: str, body: object = None, **headers: str) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with _OPENER.open(Request(url, data=data, headers=headers), timeout=20) as answer:  # noqa: S310 - our own
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def token(page: LivePage) -> str:
    found = re.search(r'data-token="([^"]+)"', ask(page.url)[1])
    assert found
    return found[1]


def order(page: LivePage, body: object, **headers: str) -> int:
    return ask(f"{page.url}order", body, **({"X-Token": token(page), "Content-Type": "application/json"} | headers))[0]


def test_the_page_names_the_run_and_nothing_in_it_is_markup(page: LivePage) -> None:
    status, text = ask(page.url)
    assert status == 200 and "<h1>a &lt;run&gt;</h1>" in text and "connect-src" in text


def test_an_order_of_the_page_reaches_the_run(page: LivePage, controls: Controls) -> None:
    assert order(page, {"what": "throttle", "value": 0.5}) == 200
    assert order(page, {"what": "cancel"}) == 200
    page.__exit__(None, None, None)
    page._threads[1].join(10)
    assert (controls.take(), controls.take()) == (Order(what="throttle", value=0.5), Order(what="cancel"))


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
    page: LivePage, controls: Controls, headers: dict[str, str], status: int
) -> None:
    assert order(page, {"what": "cancel"}, **headers) == status
    assert controls.take() is None


@pytest.mark.parametrize(
    "body", [{"what": "explode"}, {}, [], "cancel", {"what": "rate"}, {"what": "rate", "value": -1}, {"what": 3},
             {"what": "throttle", "value": 0.95}, {"what": "throttle", "value": True}],
)  # fmt: skip
def test_what_is_no_order_is_refused_with_a_reason(page: LivePage, controls: Controls, body: object) -> None:
    assert order(page, body) == 400
    assert controls.take() is None
    with pytest.raises(ScenarioError):
        Order.read(body)


def test_events_are_numbered_and_given_again_from_where_a_browser_was(page: LivePage) -> None:
    for index in range(1, 4):
        page.observe(MigrationStarted(at=0.0, name=f"m{index}", index=index, total=3))
    with _OPENER.open(f"{page.url}events?after=1", timeout=20) as answer:
        lines = [answer.readline().decode().strip() for _ in range(6)]
    assert lines[0] == "id: 2" and json.loads(lines[1].removeprefix("data: "))["name"] == "m2" and lines[3] == "id: 3"


def test_the_report_is_given_once_it_is_there(page: LivePage, tmp_path: Path) -> None:
    assert ask(f"{page.url}report")[0] == 404
    (tmp_path / "report.html").write_text("<p>done")
    page.ended(True, tmp_path)
    assert ask(f"{page.url}report") == (200, "<p>done")


def test_the_server_has_no_root_and_ends_with_the_page(page: LivePage) -> None:
    ask(page.url)
    server = psutil.Process(page.pid)
    assert server.uids().effective != 0
    page.__exit__(None, None, None)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_a_port_that_is_taken_is_said(page: LivePage, controls: Controls) -> None:
    port = int(page.url.rsplit(":", 1)[1].rstrip("/"))
    with pytest.raises(TestbedError, match="--live PORT"), LivePage("b", LOCAL, port, controls):
        pass


def test_an_event_is_plain_json_with_a_rounds_rates() -> None:
    done = Round(index=1, kind=RoundKind.PRECOPY, started_s=0, duration_s=2, sent_bytes=200, dirtied_bytes=50)
    made = as_json(RoundFinished(at=1.0, round=done, decision=None))
    assert json.loads(json.dumps(made))["round"]["bandwidth"] == 100 and made["event"] == "RoundFinished"

"""The live page on a phone, fed with events of a run that need not be: what is beside what, and nothing over it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Page

from testbed.core.events import Controlled, MigrationStarted, PhaseChanged, RoundFinished
from testbed.core.migration_key import MigrationKey
from testbed.core.rounds import Action, Decision, Round, RoundKind
from testbed.rig.orders import Order
from testbed.web.live.app import LiveApp
from testbed.web.live.browser_events import as_json
from testbed.web.live.hub import Hub
from testbed.web.live.page import live_page

TOKEN = "narrow-token"  # noqa: S105 - of a page of a test
NAME = "vm.ram=256GiB network.vmotion.rate=40Gbit migration.policy=auto-converge"
KEY = MigrationKey(name=NAME)
OVERLAPS = """() => {
const cells = [...document.querySelectorAll('#rows td')];
const shared = (a, b, from, to) => Math.min(a[to], b[to]) - Math.max(a[from], b[from]) > 1;
const over = (a, b) => shared(a, b, 'left', 'right') && shared(a, b, 'top', 'bottom');
const pairs = cells.flatMap((a, i) => cells.slice(i + 1).map(b => [a, b]))
  .filter(([a, b]) => over(a.getBoundingClientRect(), b.getBoundingClientRect()));
return [...pairs, ...cells.filter(e => e.scrollWidth > e.clientWidth + 1)].map(String);
}"""


def events() -> list[dict[str, Any]]:
    decision = Decision(
        action=Action.GO_ON, reason="went on after round 1: 8,994 pages (36.8 MB) left, 328 ms at 112 MB/s"
    )
    done = [
        Round(index=i, kind=kind, started_s=i * 1.0, duration_s=0.9, sent_bytes=256 * 10**6, dirtied_bytes=36 * 10**6)
        for i, kind in ((1, RoundKind.PRECOPY), (2, RoundKind.STOP_AND_COPY))
    ]
    return [
        as_json(MigrationStarted(at=1.0, migration=KEY, index=1, total=2)),
        as_json(PhaseChanged(at=2.0, migration=KEY, phase="precopy")),
        *(as_json(RoundFinished(at=3.0, migration=KEY, round=each, decision=decision)) for each in done),
        as_json(Controlled(at=4.0, migration=KEY, what="rate", value=3e8, fault=None)),
        as_json(Controlled(at=4.0, migration=KEY, what="throttle", value=0.5, fault="no")),
    ]


@contextmanager
def served(said: list[dict[str, Any]], give: Callable[[Order], None] = lambda _order: None) -> Iterator[str]:
    """The page of a run that has said this."""
    with speaking(said, give) as (url, _):
        yield url


@contextmanager
def speaking(
    said: list[dict[str, Any]], give: Callable[[Order], None]
) -> Iterator[tuple[str, Callable[[dict[str, Any]], None]]]:
    """The same, and what says more."""
    hub = Hub("a")
    app = LiveApp(hub, give, live_page("narrow", TOKEN), TOKEN, "narrow")
    server = uvicorn.Server(uvicorn.Config(app.app, port=0, log_level="error", lifespan="off"))
    started = threading.Event()

    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        for event in said:
            await hub.add(event)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        started.set()
        await serving

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(20)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    yield (
        f"http://{host}:{port}/?token={TOKEN}",
        lambda event: asyncio.run_coroutine_threadsafe(hub.add(event), loops[0]).result(20),
    )
    server.force_exit = server.should_exit = True
    thread.join(20)


@pytest.mark.parametrize("kind", ["phone", "page"])
def test_a_migrations_name_is_not_printed_over_its_figures(kind: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(kind)
    with served(events()) as url:
        page.goto(url)
        page.wait_for_function("document.querySelectorAll('#rows tr').length == 2")
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        text = page.locator("#done").inner_text()
        assert "by hand: rate 300 Mbit/s" in text and "by hand: throttle 50 %: not done, no" in text

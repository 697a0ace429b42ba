"""The live page in a real browser, beside a real migration: it follows it to its end, and its buttons work."""

from __future__ import annotations

import os
import re
import select
import socket
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.windows import complaints
from tests.netns.launching import Launched, launch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="real migrations need root")
ROUNDS = "document.querySelectorAll('#rows tr').length"
OVER = "document.body.dataset.over === 'yes'"
UNDER_WAY = "!document.getElementById('under-way').disabled"
ROUND_1 = "document.getElementById('now').textContent.startsWith('round 1')"
PANELS = ("live-link", "live-guest", "live-services", "live-silence", "live-throttle")
STANDS_STILL = """() => {
    const made = FastMotion.views.get('live-link'), rows = made ? made.view.data('rows') : [];
    return rows.filter((row) => row.kind === 'line').slice(-3).length === 3
        && rows.filter((row) => row.kind === 'line').slice(-3).every((row) => row.value < 0.5);
}"""
STATE = "document.getElementById('state').textContent"
GENTLE = [
    *("hello", "--live", "0", "--set", "network.vmotion.goodput=300Mbit"),
    *("--set", "vm.ram=96MB", "--set", "vm.workload.working_set=16MB", "--set", "vm.workload.write_rate=4MB/s"),
]
"""A browser that draws all of it takes the processors that a faster link would need."""
LONG = ("hello", "--set", "vm.ram=512MiB", "--set", "network.vmotion.goodput=300Mbit", "--live", "0")
"""A browser is asked for much meanwhile."""


def address(run: Launched) -> str:
    found = re.search(r"http://\S+", run.wait_for("live: http"))
    assert found
    return found[0]


def test_it_follows_a_migration_to_its_end(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *GENTLE) as run:
        page.goto(address(run))
        page.wait_for_function(UNDER_WAY)
        page.wait_for_function(OVER)
        (done,) = run.valid()
        assert page.evaluate(STATE) == f"the run has ended and is {'valid' if done['valid'] else 'not valid'}"
        assert page.evaluate(ROUNDS) == len(run_rounds(run))
        shown = {panel for panel in PANELS if page.evaluate(f"!document.getElementById('panel-{panel}').hidden")}
        assert shown == {"live-link", "live-guest", "live-silence"}, "nothing else was there to be seen"
        part = "#sections details.migration"
        page.evaluate(f"document.querySelector('{part}').open = true")
        page.evaluate(f"document.querySelector('{part} .chart').scrollIntoView()")
        page.wait_for_function(f"document.querySelectorAll('{part} .chart svg').length >= 1")
        page.evaluate("FastMotion.drawAll()")
        page.wait_for_function(f"document.querySelectorAll('{part} .chart svg').length === 3")
        page.screenshot(path=tmp_path / "live.png")
        valid = page.evaluate("document.querySelector('#ended tr td:last-child').textContent")
        assert valid == ("yes" if done["valid"] else "no")
        assert complaints(page) == []
        report = page.evaluate("document.getElementById('report').href")
        page.goto(report)  # the server has gone, and the page has it
        assert page.evaluate("document.querySelector('h1').textContent") == "hello"
        assert complaints(page) == []


def test_of_two_migrations_the_first_stays_when_the_second_begins(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *GENTLE, "--set", "vm.ram=[64MB, 96MB]") as run:
        page.goto(address(run))
        page.wait_for_function("document.querySelectorAll('#ended tr').length === 1")
        page.wait_for_function("document.getElementById('state').textContent.startsWith('migration 2 of 2')")
        assert page.evaluate("document.getElementById('under-way').disabled"), "between two nothing can be ordered"
        page.wait_for_function(OVER)
        assert page.evaluate("document.querySelectorAll('#sections details.migration').length") == 2
        names = "[...document.querySelectorAll('#ended td:first-child')].map((each) => each.textContent)"
        assert page.evaluate(names) == ["ram=64MB", "ram=96MB"]
        assert complaints(page) == []
        run.valid()


def test_one_that_comes_back_has_missed_nothing(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *GENTLE) as run:
        where = address(run)
        page.goto(where)
        page.wait_for_function(ROUNDS)
        page.goto("about:blank")
        run.wait_for("switchover")
        page.goto(where)
        page.wait_for_function(OVER)
        assert page.evaluate(ROUNDS) == len(run_rounds(run))
        run.valid()


def test_one_whose_connection_breaks_gets_each_event_once(page: Page, tmp_path: Path) -> None:
    """The browser's own reconnect, with its Last-Event-ID, through a relay that is cut in the midst of an event."""
    with launch(tmp_path / "run", *GENTLE) as run, Relay(address(run), cut_at=b'"RoundFinished"') as relay:
        page.goto(relay.url)
        run.wait_for("round 2")
        relay.was_cut.wait()
        assert page.evaluate(ROUNDS) == 0
        relay.mend()
        page.wait_for_function(OVER)
        assert page.evaluate(ROUNDS) == len(run_rounds(run))
        run.valid()


def test_without_the_token_a_browser_is_told_where_it_is(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *LONG) as run:
        bare = address(run).partition("?")[0]
        page.goto(bare)
        assert "line that begins with live:" in page.evaluate("document.body.innerText")
        page.goto(address(run))
        page.wait_for_function(UNDER_WAY)
        assert page.evaluate("location.href") == bare, "who looks over the shoulder sees no token"
        assert page.evaluate("document.cookie") == "", "nor does a script"
        page.goto(bare)
        page.wait_for_function(UNDER_WAY)
        assert complaints(page) == []


def test_a_page_of_an_earlier_run_is_sent_to_the_address_of_the_new_one(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "one", *LONG) as run, Relay(address(run)) as relay:
        page.goto(relay.url)
        page.wait_for_function(UNDER_WAY)
        relay.cut()
        run.process.kill()
        run.end()
        with launch(tmp_path / "two", "hello", "--set", "title=another", "--live", "0") as another:
            relay.mend(address(another))
            page.wait_for_function("document.getElementById('now').textContent.startsWith('another run is here now')")
            page.goto(f"{relay.url.partition('?')[0]}?{urlsplit(address(another)).query}")
            page.wait_for_function("document.title.includes('another')")
            page.wait_for_function(OVER)
            assert page.evaluate(ROUNDS) == len(run_rounds(another))
            assert another.end() == 0


def test_the_cancel_button_cancels(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *LONG) as run:
        page.goto(address(run))
        page.wait_for_function(ROUND_1)
        press(page, "cancel")
        assert run.end() == 1
        assert run.migration["outcome"] == "cancelled" and "by hand" in run.migration["reason"]
        assert [each["what"] for each in run.migration["controls"]] == ["cancel"]


def test_a_link_that_is_cut_can_be_cancelled(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *LONG) as run:
        page.goto(address(run))
        page.wait_for_function(ROUND_1)
        press(page, "cut")
        run.wait_for("by hand: cut")
        press(page, "cancel")
        assert run.end() == 1
        assert run.migration["outcome"] == "cancelled" and "by hand" in run.migration["reason"]


def test_the_stop_button_ends_the_run_as_ctrl_c_does(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *LONG) as run:
        page.goto(address(run))
        page.wait_for_function(ROUND_1)
        press(page, "stop")
        assert run.end() == 130
        assert run.migration["outcome"] == "cancelled" and run.migration["interrupted"]
        page.wait_for_function(OVER)
        assert page.evaluate(STATE) == "the run was broken off"
        assert page.evaluate("document.getElementById('report') !== null")


def test_the_link_and_the_guest_are_in_the_hands_of_the_page(page: Page, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *LONG) as run:
        page.goto(address(run))
        page.wait_for_function(ROUND_1)
        press(page, "cut")
        run.wait_for("by hand: cut")
        page.wait_for_function(STANDS_STILL)
        press(page, "mend")
        run.wait_for("by hand: mend")
        page.evaluate("document.getElementById('throttle').value = 50")
        press(page, "throttle")
        run.wait_for("by hand: throttle 50%")
        page.evaluate("document.getElementById('rate').value = 2000")
        press(page, "rate")
        run.wait_for("by hand: rate 2.0 Gbit/s")
        assert run.end() == 1
        done = run.migration
        assert done["outcome"] == "completed" and done["memory"]["match"] is True
        assert [each["what"] for each in done["controls"]] == ["cut", "mend", "throttle", "rate"]
        assert all(each["fault"] is None for each in done["controls"])
        assert any("changed by hand" in reason for reason in done["invalid_reasons"])
        assert done["rounds"][0]["throttle"] > 0 and "by hand" in done["throttle"]["mechanism"]
        fast, asked = max(each["bandwidth"] for each in done["rounds"]), done["link"]["expected_goodput"] / 8
        assert fast > 3 * asked, "it went at the rate that was set"
        page.wait_for_function(OVER)
        assert page.evaluate("document.querySelectorAll('#done li').length") == 4
        assert complaints(page) == []


def press(page: Page, order: str) -> None:
    """The button, which must be one that can be pressed."""
    button = f"document.querySelector('[data-order={order}]')"
    assert page.evaluate(f"!{button}.matches(':disabled')"), order
    page.evaluate(f"{button}.click()")


class Relay:
    """Between a browser and the page's server: connections that can be cut, and a server that can be another. After the
    bytes ``cut_at`` they are, once.
    """

    def __init__(self, url: str, cut_at: bytes = b"") -> None:
        self._cut_at, self.was_cut = cut_at, threading.Event()
        self._target = self._address(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/?{urlsplit(url).query}"
        self._open = True
        self._ends: set[socket.socket] = set()
        self._workers = [threading.Thread(target=self._accept)]
        self._workers[0].start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        for worker in self._workers:
            worker.join()
        self._listener.close()

    def cut(self) -> None:
        """All connections end, and new ones do at once."""
        self._open = False
        self.was_cut.set()
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self, url: str | None = None) -> None:
        """As before, or to another server."""
        self._target = self._address(url) if url else self._target
        self._open = True

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._workers.append(threading.Thread(target=self._carry, args=(client,)))
                self._workers[-1].start()

    def _carry(self, client: socket.socket) -> None:
        """Both ways, until either end has no more."""
        with client, suppress(OSError):
            if not self._open:
                return
            with socket.create_connection(self._target) as server:
                self._ends |= {client, server}
                other = {client: server, server: client}
                while ready := select.select([client, server], [], [])[0]:
                    for end in ready:
                        data = end.recv(1 << 16)
                        if not data:
                            return
                        before, there, _ = data.partition(self._cut_at) if self._cut_at else (data, b"", b"")
                        other[end].sendall(before + there)
                        if there:
                            self._cut_at = b""
                            self.cut()

    @staticmethod
    def _address(url: str) -> tuple[str, int]:
        found = urlsplit(url)
        return str(found.hostname), int(found.port or 80)


def run_rounds(run: Launched) -> list[str]:
    """As the terminal said them."""
    return [line for line in run.lines if re.match(r"\s+round \d+ \(", line)]

"""The live page in a real browser, beside a real migration: it follows it to its end, and its buttons work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.driver import Browser
from tests.netns.launching import Launched, launch

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="real migrations need root")
ROUNDS = "return document.querySelectorAll('#rows tr').length"
OVER = "return document.body.dataset.over === 'yes'"
STATE = "return document.getElementById('state').textContent"
LONG = ("hello", "--set", "vm.ram=512MiB", "--set", "network.vmotion.goodput=300Mbit", "--live", "0")


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def address(run: Launched) -> str:
    found = re.search(r"http://\S+", run.wait_for("live: http"))
    assert found
    return found[0]


def test_it_follows_a_migration_to_its_end(window: Browser, tmp_path: Path) -> None:
    with launch(tmp_path / "run", "hello", "--live", "0") as run:
        window.open(address(run))
        window.wait(OVER)
        assert window.run(STATE) == "the run has ended and is valid"
        assert window.run(ROUNDS) == len(run_rounds(run))
        assert window.run("return document.querySelectorAll('.chart svg').length") == 3
        window.screenshot(tmp_path / "live.png")
        assert window.console() == []
        assert run.end() == 0


def test_one_that_comes_back_has_missed_nothing(window: Browser, tmp_path: Path) -> None:
    with launch(tmp_path / "run", "hello", "--live", "0") as run:
        where = address(run)
        window.open(where)
        window.wait(ROUNDS)
        window.open("about:blank")
        run.wait_for("switchover")
        window.open(where)
        window.wait(OVER)
        assert window.run(ROUNDS) == len(run_rounds(run))
        assert run.end() == 0


def test_the_cancel_button_cancels(window: Browser, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *LONG) as run:
        window.open(address(run))
        run.wait_for("precopy")
        window.wait("return document.getElementById('now').textContent.startsWith('round 1')")
        window.run("document.querySelector('[data-order=cancel]').click()")
        assert run.end() == 1
        assert run.migration["outcome"] == "cancelled" and "by hand" in run.migration["reason"]
        assert [each["what"] for each in run.migration["controls"]] == ["cancel"]


def test_the_link_and_the_guest_are_in_the_hands_of_the_page(window: Browser, tmp_path: Path) -> None:
    with launch(tmp_path / "run", *LONG) as run:
        window.open(address(run))
        run.wait_for("precopy")
        window.wait("return document.getElementById('now').textContent.startsWith('round 1')")
        window.run("document.querySelector('[data-order=cut]').click()")
        run.wait_for("by hand: cut")
        window.run("document.querySelector('[data-order=mend]').click()")
        run.wait_for("by hand: mend")
        window.run("document.getElementById('rate').value = 2000; document.querySelector('[data-order=rate]').click()")
        run.wait_for("by hand: rate 2e+09")
        window.run("document.getElementById('throttle').value = 50")
        window.run("document.querySelector('[data-order=throttle]').click()")
        run.wait_for("by hand: throttle 0.5")
        assert run.end() == 1
        done = run.migration
        assert done["outcome"] == "completed" and done["memory"]["match"] is True
        assert [each["what"] for each in done["controls"]] == ["cut", "mend", "rate", "throttle"]
        assert any("changed by hand" in reason for reason in done["invalid_reasons"])
        window.wait(OVER)
        assert window.run("return document.querySelectorAll('#done li').length") == 4
        assert window.console() == []


def run_rounds(run: Launched) -> list[str]:
    """As the terminal said them."""
    return [line for line in run.lines if re.match(r"\s+round \d+ \(", line)]

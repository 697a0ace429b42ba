"""Every page in every view: accessible by axe's rules, nothing over anything else, nothing cut, nothing too wide.

With TESTBED_PICTURES=results/pictures a picture of each is kept there, to be looked at by people.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from testbed.report.page.page import rebuild
from tests.browser import samples
from tests.browser.looks import SETTLED, VIEWS, PageView, looked_at
from tests.unit.runs import kept


class Addresses:
    """Pages by name, made when they are first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.of = cache(self._made)

    def _made(self, name: str) -> str:
        folder = self._folder / name
        folder.mkdir()
        match name:
            case "report":
                return (samples.two_migrations(folder) / "report.html").as_uri()
            case "report-kept":
                return (rebuild(kept(folder / "run"))).as_uri()
            case "compare":
                return samples.compared(folder, (20.0, 20.2, 19.9), (10.0, 10.1, 9.9), name=samples.NAMES[0]).as_uri()
            case "sweep":
                return samples.swept(folder).as_uri()
            case "runs":
                return self._stack.enter_context(samples.listed(folder))
        return samples.board(folder).as_uri()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with ExitStack() as stack:
        yield Addresses(tmp_path_factory.mktemp("pages"), stack)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: str(view.name))
@pytest.mark.parametrize("name", ["report", "report-kept", "compare", "sweep", "runs", "arena"])
def test_a_page_is_accessible_and_nothing_in_it_is_over_or_cut(
    chromium: Browser, addresses: Addresses, name: str, view: PageView
) -> None:
    faults = looked_at(chromium, addresses.of(name), view, name)
    assert not faults, "\n".join(faults)


OPERABLE = """[...document.querySelectorAll('a[href], button, summary, select, input, [tabindex="0"]')]
    .filter(each => !each.disabled && each.type !== 'hidden' && each.checkVisibility())"""


@pytest.mark.parametrize("name", ["report", "compare", "sweep", "runs", "arena"])
def test_all_that_can_be_done_is_reached_with_the_tab_key_and_seen_to_be(
    page: Page, addresses: Addresses, name: str
) -> None:
    page.goto(addresses.of(name))
    page.evaluate(SETTLED)
    page.evaluate(
        "window.reached = new Set(); window.unseen = [];"
        "document.addEventListener('focusin', ({ target }) => { reached.add(target);"
        "if (getComputedStyle(target).outlineStyle === 'none') unseen.push(target.outerHTML.slice(0, 200)); })"
    )
    for _ in range(page.evaluate(f"{OPERABLE}.length") + 10):
        page.keyboard.press("Tab")
    missed = page.evaluate(f"{OPERABLE}.filter(each => !reached.has(each)).map(each => each.outerHTML.slice(0, 200))")
    assert missed == [] and page.evaluate("unseen") == []


def test_runs_are_found_and_compared_by_the_keyboard_alone(page: Page, addresses: Addresses) -> None:
    def to(label: str) -> None:
        """The next of that name by the tab key."""
        named = "(on => on.ariaLabel || on.labels?.[0]?.innerText || on.innerText)(document.activeElement)"
        for _ in range(40):
            page.keyboard.press("Tab")
            if str(page.evaluate(named)).strip().startswith(label):
                return
        raise AssertionError(f"{label} is not reached")

    page.goto(addresses.of("runs"))
    to("with the words")
    page.keyboard.type("opvizor completed")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=opvizor+completed**")
    assert page.locator("tbody tr").count() == 2
    for name in ("compare 20260103-fast", "compare 20260102-opvizor"):
        to(name)
        page.keyboard.press("Space")
    page.locator("input[type=checkbox]").last.press("Enter")
    page.wait_for_url("**/compare?**")
    assert "no difference can be told between" in page.locator("#answer").inner_text()

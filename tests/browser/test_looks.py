"""Every page in every view: accessible by axe's rules, nothing over anything else, nothing cut, nothing too wide.

With TESTBED_PICTURES=results/pictures a picture of each is kept there, to be looked at by people.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from testbed.report.page.page import rebuild
from tests.browser import samples
from tests.browser.looks import VIEWS, PageView, looked_at
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
                return samples.compared(folder, (20.0, 20.2, 19.9), (10.0, 10.1, 9.9)).as_uri()
            case "runs":
                return self._stack.enter_context(samples.listed(folder))
        return samples.board(folder).as_uri()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with ExitStack() as stack:
        yield Addresses(tmp_path_factory.mktemp("pages"), stack)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: str(view.name))
@pytest.mark.parametrize("name", ["report", "report-kept", "compare", "runs", "arena"])
def test_a_page_is_accessible_and_nothing_in_it_is_over_or_cut(
    chromium: Browser, addresses: Addresses, name: str, view: PageView
) -> None:
    faults = looked_at(chromium, addresses.of(name), view, name)
    assert not faults, "\n".join(faults)

"""The browser of these tests: the distribution's Chromium, by Playwright; started once, with a new context each test.

It goes when the last of these tests is over, and not with the session: what follows wants the machine as it was.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.unit import sites

# Chromium takes long to come up where all processors are busy.
PATIENCE_MS = 120_000
PLAYWRIGHTS_MS = 30_000
"""What it waits for a page and what is on it, where nobody says otherwise."""
# Nothing is fetched but from this machine: there is no such proxy.
OFFLINE = ["--proxy-server=127.0.0.1:9", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        where = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=where, args=OFFLINE, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents and their decks as `./bootstrap docs` builds them."""
    checkout = sites.copied(tmp_path_factory.mktemp("checkout"))
    done = sites.build(checkout)
    assert done.returncode == 0, done.stderr
    return checkout / sites.SITE


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A tab that nobody has used."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(PLAYWRIGHTS_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """The same of 390 by 844 pixels."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    context.set_default_timeout(PLAYWRIGHTS_MS)
    yield context.new_page()
    context.close()

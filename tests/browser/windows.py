"""What several tests ask of a page, beside Playwright's own."""

from __future__ import annotations

from playwright.sync_api import Page


def complaints(page: Page) -> list[str]:
    """What was said in the console since the page was opened: warnings, errors, refused requests."""
    said = [each.text for each in page.console_messages(filter="since-navigation") if each.type in ("warning", "error")]
    return said + [str(each) for each in page.page_errors(filter="since-navigation")]


def loaded(page: Page) -> list[str]:
    """Addresses that the page loaded beside itself."""
    found: list[str] = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    return [name for name in found if not name.startswith(("data:", "blob:"))]

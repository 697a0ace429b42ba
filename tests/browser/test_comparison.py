"""The page of a comparison in a real browser, from disk: with many repeats, with one each, and across scales."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

import testbed
from tests.browser.samples import FAST, compared
from tests.browser.windows import complaints, loaded
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made

DRAWN = "FastMotion.drawAll().then(() => document.querySelectorAll('.chart svg').length)"


@pytest.mark.parametrize("repeats", [((20.0,), (10.0,)), ((20.0, 20.2, 19.9), (10.0, 10.1, 9.9))], ids=["one", "three"])
def test_it_is_drawn_without_complaint(
    page: Page, tmp_path: Path, repeats: tuple[tuple[float, ...], tuple[float, ...]]
) -> None:
    page.goto(compared(tmp_path, *repeats).as_uri())
    assert page.evaluate(DRAWN) == 8
    assert loaded(page) == [] and complaints(page) == []
    said = page.locator("#answer .answer").all_inner_texts()
    assert [each.startswith("ram=1024MB is faster than ram=2048MB: 10 s instead") for each in said] == [
        len(repeats[0]) > 1,
        False,
    ]
    assert "total_time_s" not in page.evaluate("document.body.innerText")


def test_on_a_phone_nothing_is_wider_than_the_screen(phone: Page, tmp_path: Path) -> None:
    phone.goto(compared(tmp_path, (20.0, 20.2), (10.0, 10.1)).as_uri())
    phone.evaluate(DRAWN)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    sizes = phone.evaluate(
        "[...document.querySelectorAll('.chart svg')].map(svg =>"
        "11 * svg.getBoundingClientRect().width / svg.getAttribute('width'))"
    )
    assert min(sizes) >= 10 and complaints(phone) == []


def test_what_was_left_out_is_to_be_read(page: Page, tmp_path: Path) -> None:
    a = made(tmp_path / "a", a_summary(a_migration(), a_migration(repeat=2, outcome="aborted")))
    b = made(tmp_path / "b", a_summary(a_migration(total_time_s=9.0)), FAST)
    page.goto(testbed.compare(a, b).write_page(tmp_path / "page.html").as_uri())
    assert "ram=2048MB: 1 of 2 completed" in page.evaluate("document.querySelector('.notes').innerText")
    page.evaluate("document.getElementById('theme').click()")
    page.evaluate(DRAWN)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark" and complaints(page) == []

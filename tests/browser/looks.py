"""How a page looks and can be used, judged in the browser: axe's rules, and what no checker of rules sees.

Type that is printed over other type, in charts too; labels that are cut, by their chart's edge or with an ellipsis; and
a page that is wider than its window, and on paper whatever would have to be scrolled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

PICTURES = "TESTBED_PICTURES"
"""A folder for a picture of each page and view; unset, none is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """How a page is looked at. A sheet of A4 between margins of 10 mm is 718 pixels wide."""

    name: str
    width: int = 1280
    height: int = 900
    dark: bool = False
    paper: bool = False


VIEWS = (
    PageView(name="wide"),
    PageView(name="phone", width=390, height=844),
    PageView(name="dark", dark=True),
    PageView(name="print", width=718, height=1015, paper=True),
)
SETTLED = """async () => {
    if (!window.FastMotion) return;
    document.querySelectorAll('details.migration').forEach(part => part.open = true);
    await FastMotion.drawAll();
    for (const { view } of FastMotion.views.values()) await view.runAsync();  // what came last may be under way
}"""
FAULTS = """() => {
    const found = [], root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide of ${root.clientWidth}`);
    if (matchMedia('print').matches)
        for (const each of document.body.querySelectorAll('*'))
            if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(each).overflowX) && each.checkVisibility()
                && each.scrollWidth > each.clientWidth + 2 && each.clientWidth > 2)
                found.push(`cut on paper: ${each.textContent.trim().slice(0, 60)}`);
    const boxes = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const words = node.textContent.trim(), parent = node.parentElement;
        if (!words || parent.closest('script, style, noscript, option, .skip') || !parent.checkVisibility({
            opacityProperty: true, visibilityProperty: true })) continue;
        if (parent.closest('svg') && words.endsWith('\u2026')) found.push(`cut: ${words}`);
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const each of range.getClientRects()) {
            const box = clipped(parent, each);
            if (box) boxes.push({ ...box, words: words.slice(0, 60), part: parent.closest('svg') });
        }
    }
    function clipped(element, { left, right, top, bottom }) {
        for (let above = element; above && above !== document.body; above = above.parentElement) {
            const style = getComputedStyle(above), edge = above.getBoundingClientRect();
            if (style.clipPath !== 'none') return null;  // for readers of screens alone
            if (above.tagName === 'svg') {
                const over = Math.max(edge.left - left, right - edge.right, edge.top - top, bottom - edge.bottom);
                if (over > 2)
                    found.push(`beyond its chart: ${element.textContent.slice(0, 60)}`);
                continue;
            }
            if (above.closest('svg') || style.overflowX === 'visible' || style.display.startsWith('inline')) continue;
            [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
            [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
        }
        return right - left > 2 && bottom - top > 2 ? { left, right, top, bottom } : null;
    }
    const shared = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = (a, b) => (Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top))
        / Math.min(a.bottom - a.top, b.bottom - b.top);
    boxes.sort((a, b) => a.top - b.top);
    boxes.forEach((a, i) => {
        for (let j = i + 1; j < boxes.length && boxes[j].top < a.bottom; j++)
            if (shared(a, boxes[j]) > 1.5 && high(a, boxes[j]) > 0.3)
                found.push(`over each other: ${a.words} | ${boxes[j].words}`);
    });
    return [...new Set(found)];
}"""


def looked_at(chromium: Browser, address: str, view: PageView, name: str, ready: str = "true") -> list[str]:
    """What is wrong with the page in that view; its picture is kept. ``ready``: what is true once it can be judged."""
    with opened(chromium, address, view, ready) as page:
        picture(page, f"{name}-{view.name}.png")
        return [*page.evaluate(FAULTS), *_axe(page)]


@contextmanager
def opened(chromium: Browser, address: str, view: PageView, ready: str) -> Iterator[Page]:
    """The page in that view, once ``ready`` is true and all of it is drawn."""
    context = chromium.new_context(
        viewport={"width": view.width, "height": view.height},
        color_scheme="dark" if view.dark else "light",
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        page.goto(address)
        page.wait_for_function(ready)
        if view.paper:
            page.emulate_media(media="print")
            page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.evaluate(SETTLED)
        yield page
    finally:
        context.close()


def _axe(page: Page) -> list[str]:
    """A line for each element that breaks a rule, of the WCAG or of good practice."""
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:150]}: {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def picture(page: Page, name: str) -> None:
    """Keeps the whole page as it is now, where pictures are kept."""
    if folder := os.environ.get(PICTURES):
        page.screenshot(path=Path(folder, name), full_page=True)

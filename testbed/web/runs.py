"""``serve``: all runs of a folder, with their reports, and any of them compared; nothing outside the folder or behind a
link is given out.

    GET /          the list, of those that ?text, policy, engine and valid ask for
    GET /compare   those that ?run names, side by side; with anyway=1 though they should not be
    GET /runs/...  their files, and a report of one that has none
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.text.printable import printable
from testbed.report.page import page
from testbed.report.page.html import html, raw, templates
from testbed.report.side import comparison
from testbed.report.side import page as side
from testbed.runfiles.summary_reader import SUMMARY
from testbed.web.folder import NONE, AsFound, inside
from testbed.web.guard import Guard
from testbed.web.run_list import VALIDITY, ListedRun, RunList, WantedRuns

KINDS = {".html": "text/html", ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json"}
"""Other files are text, and a pcap is for a tool."""
TEXT = {".jsonl", ".yaml", ".txt"}
MOST_COMPARED = 8
APART = {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads; default-src 'none'; img-src data: blob:; "
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'"
}
"""Whoever wrote a run's files may have written scripts into them: they are shown as a page of nobody's, that can ask
for nothing and is of one origin with no other.
"""


class _AnyName(PathConvertor):
    """Whatever a file may be called: starlette's own paths end at a newline."""

    regex = "(?s:.*)"


register_url_convertor("name", _AnyName())


def app(folder: Path) -> Starlette:
    """Serves the folder as it is when it is asked; of a folder that is a run itself, that run."""
    root = folder.resolve()
    if os.path.lexists(root / SUMMARY):
        return _app(root.parent, only=root.name)
    return _app(root)


class _Served:
    """The answers for the runs below ``root``; ``only``: for that one alone."""

    def __init__(self, root: Path, only: str | None) -> None:
        self._root, self._only, self._runs = root, only, RunList(root, only)

    def _there(self) -> list[ListedRun]:
        try:
            return self._runs.runs()
        except TestbedError as fault:
            raise HTTPException(404, printable(str(fault))) from fault

    def home(self, request: Request) -> Response:
        """The list, of the runs that are wanted."""
        runs, wanted = self._there(), WantedRuns.read(request.query_params)
        where = printable(self._only or self._root.name or str(self._root))
        found = list(filter(wanted.has, runs))
        return _rendered("runs.html.j2", folder=where, wanted=wanted, all=runs, runs=found, validity=VALIDITY)

    def compare(self, request: Request) -> Response:
        """Those that are named, side by side."""
        known = {run.link for run in self._there()}
        names = list(dict.fromkeys(request.query_params.getlist("run")))
        if not known.issuperset(names):
            raise HTTPException(404, NONE)
        return _compared([self._root / _name(name) for name in names], names, "anyway" in request.query_params)

    def file(self, request: Request) -> Response:
        """One file; a report is made where there is none."""
        path = inside(self._root, _name(request.scope["raw_path"]).removeprefix("/runs/"))
        if self._only is not None and not path.is_relative_to(self._root / self._only):
            raise HTTPException(404, NONE)
        if path.name == "report.html" and not path.exists():
            return HTMLResponse(_report(path.parent), headers=APART)
        if not path.is_file():
            raise HTTPException(404, NONE)
        kind = "text/plain" if path.suffix in TEXT else KINDS.get(path.suffix, "application/octet-stream")
        return AsFound(path, media_type=kind, headers=APART)


def _app(root: Path, only: str | None = None) -> Starlette:
    served = _Served(root, only)
    answers = (("/", served.home), ("/compare", served.compare), ("/runs/{path:name}", served.file))
    return Starlette(routes=[Route(path, answer) for path, answer in answers], middleware=[Middleware(Guard)])


def _name(encoded: str | bytes) -> str:
    """A file's name out of an address: of bytes that may be no text."""
    return os.fsdecode(unquote_to_bytes(encoded))


def _compared(runs: list[Path], names: list[str], anyway: bool) -> Response:
    """The page of it, which is kept nowhere; or why there is none, and what can be done."""
    try:
        if not 2 <= len(runs) <= MOST_COMPARED:
            raise ScenarioError(f"choose two runs, or up to {MOST_COMPARED}; {len(runs)} were chosen")
        made = comparison.laid(runs, anyway=anyway, option="the link below")
        return HTMLResponse(side.html(made), headers=APART)
    except TestbedError as fault:
        again = [] if anyway or "not comparable" not in str(fault) else names
        return _rendered("refused.html.j2", 409, fault=printable(str(fault)), names=again)


def _rendered(template: str, status: int = 200, **known: Any) -> Response:
    text = templates().get_template(template).render(style=raw("page.css"), **known)
    return HTMLResponse(text, status)


def _report(run: Path) -> str:
    """Made from the run's files, and kept nowhere: who looks at a folder need not be able to write to it."""
    try:
        return html(page.load(run))
    except TestbedError as fault:
        raise HTTPException(404, printable(f"no report can be made of {run.name}: {fault}")) from fault

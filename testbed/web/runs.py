"""``serve``: all runs of a folder, with their reports; nothing outside the folder or behind a link is given out."""

import os
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from testbed.core.errors import TestbedError
from testbed.core.text.printable import printable
from testbed.report.page import page
from testbed.report.page.html import html, raw, templates
from testbed.runfiles.summary_reader import SUMMARY
from testbed.web.folder import NONE, inside
from testbed.web.guard import Guard
from testbed.web.run_list import RunList

KINDS = {".html": "text/html", ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json"}
"""Other files are text, and a pcap is for a tool."""
TEXT = {".jsonl", ".yaml", ".txt"}
APART = {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads; default-src 'none'; img-src data: blob:; "
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'"
}
"""Whoever wrote a run's files may have written scripts into them: they are shown as a page of nobody's, that can ask
for nothing and is of one origin with no other.
"""


def app(folder: Path) -> Starlette:
    """Serves the folder as it is when it is asked; of a folder that is a run itself, that run."""
    root = folder.resolve()
    if os.path.lexists(root / SUMMARY):
        return _app(root.parent, only=root.name)
    return _app(root)


def _app(root: Path, only: str | None = None) -> Starlette:
    runs_there = RunList(root)

    def home(_request: Request) -> Response:
        template = templates().get_template("runs.html.j2")
        runs = [run for run in runs_there.runs() if only is None or run.link == quote(only)]
        where = printable(only or root.name or str(root))
        return HTMLResponse(template.render(style=raw("page.css"), folder=where, runs=runs))

    async def file(request: Request) -> Response:
        path = inside(root, request.path_params["path"])
        if only is not None and not path.is_relative_to(root / only):
            raise HTTPException(404, NONE)
        if path.name == "report.html" and not path.exists():
            return HTMLResponse(await run_in_threadpool(_report, path.parent), headers=APART)
        if not path.is_file():
            raise HTTPException(404, NONE)
        kind = "text/plain" if path.suffix in TEXT else KINDS.get(path.suffix, "application/octet-stream")
        return FileResponse(path, media_type=kind, headers=APART)

    return Starlette(routes=[Route("/", home), Route("/runs/{path:path}", file)], middleware=[Middleware(Guard)])


def _report(run: Path) -> str:
    """Made from the run's files, and kept nowhere: who looks at a folder need not be able to write to it."""
    try:
        return html(page.load(run))
    except TestbedError as fault:
        raise HTTPException(404, f"no report can be made of {run.name}: {fault}") from fault

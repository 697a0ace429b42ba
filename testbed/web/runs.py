"""``serve``: all runs of a folder, with their reports; nothing outside the folder or behind a link is given out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from testbed.core.errors import TestbedError
from testbed.core.record import Summary
from testbed.report import page
from testbed.report.folder import RunFolder
from testbed.report.page_html import raw, templates
from testbed.web.guard import Guard

KINDS = {".html": "text/html", ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json"}
"""Other files are text, and a pcap is for a tool."""
TEXT = {".jsonl", ".yaml", ".txt"}
NONE = "there is no such file in this folder of runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One run folder; ``summary`` None where it cannot be read, and ``fault`` says why."""

    name: str
    summary: Summary | None
    fault: str = ""


def find_runs(folder: Path) -> list[Found]:
    """The newest first, by when they were started; unreadable ones last."""
    found = list(_read_all(folder))
    return sorted(found, key=lambda each: each.summary.started_at if each.summary else "", reverse=True)


def app(folder: Path) -> Starlette:
    """Serves the folder as it is when it is asked; of a folder that is a run itself, that run."""
    root = folder.resolve()
    if (root / "summary.json").is_file():
        return _app(root.parent, only=root.name)
    return _app(root)


def _app(root: Path, only: str | None = None) -> Starlette:

    def home(_request: Request) -> Response:
        made = templates().get_template("runs.html.j2")
        runs = [run for run in find_runs(root) if only in (None, run.name)]
        return HTMLResponse(made.render(style=raw("page.css"), folder=only or root.name or str(root), runs=runs))

    async def file(request: Request) -> Response:
        path = inside(root, request.path_params["path"])
        if only is not None and not path.is_relative_to(root / only):
            raise HTTPException(404, NONE)
        if path.name == "report.html" and not path.exists():
            await run_in_threadpool(_make_report, path.parent)
        if not path.is_file():
            raise HTTPException(404, NONE)
        kind = "text/plain" if path.suffix in TEXT else KINDS.get(path.suffix, "application/octet-stream")
        return FileResponse(path, media_type=kind)

    return Starlette(routes=[Route("/", home), Route("/runs/{path:path}", file)], middleware=[Middleware(Guard)])


def inside(root: Path, asked: str) -> Path:
    """The file that is meant. Raises 404 for whatever would lead out of the folder, by ``..`` or by a link."""
    path = root / asked
    try:
        real, _ = path.resolve(), path.exists()
    except (OSError, ValueError) as fault:  # a name that no file can have, a folder that may not be looked into
        raise HTTPException(404, NONE) from fault
    if ".." in Path(asked).parts or not real.is_relative_to(root) or real != path.absolute():
        raise HTTPException(404, NONE)
    return path


def _make_report(run: Path) -> None:
    try:
        page.rebuild(run)
    except TestbedError as fault:
        raise HTTPException(404, f"no report can be made of {run.name}: {fault}") from fault


def _read_all(folder: Path) -> Iterator[Found]:
    for run in folder.iterdir():
        try:
            if not run.is_symlink() and (run / "summary.json").is_file():
                yield Found(name=run.name, summary=RunFolder(run).read_summary())
        except (TestbedError, OSError) as fault:
            yield Found(name=run.name, summary=None, fault=str(fault))

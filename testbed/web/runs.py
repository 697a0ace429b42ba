"""``serve``: all runs of a folder, with their reports; nothing outside the folder or behind a link is given out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from testbed.core.errors import TestbedError
from testbed.core.record import Summary
from testbed.report import page
from testbed.report.folder import RunFolder
from testbed.report.page_html import raw, templates

KINDS = {".html": "text/html", ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json"}
"""Other files are text, and a pcap is for a tool."""
TEXT = {".jsonl", ".yaml", ".txt"}


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
    """Serves the folder as it is when it is asked."""
    root = folder.resolve()

    def home(_request: Request) -> Response:
        made = templates().get_template("runs.html.j2")
        return HTMLResponse(made.render(style=raw("page.css"), folder=folder.name or str(root), runs=find_runs(root)))

    async def file(request: Request) -> Response:
        path = inside(root, request.path_params["path"])
        if path.name == "report.html" and not path.exists():
            await run_in_threadpool(_make_report, path.parent)
        if not path.is_file():
            raise HTTPException(404, "there is no such file in this folder of runs")
        kind = "text/plain" if path.suffix in TEXT else KINDS.get(path.suffix, "application/octet-stream")
        return FileResponse(path, media_type=kind)

    return Starlette(routes=[Route("/", home), Route("/runs/{path:path}", file)])


def inside(root: Path, asked: str) -> Path:
    """The file that is meant. Raises 404 for whatever would lead out of the folder, by ``..`` or by a link."""
    path = root / asked
    if ".." in Path(asked).parts or not path.resolve().is_relative_to(root) or path.resolve() != path.absolute():
        raise HTTPException(404, "there is no such file in this folder of runs")
    return path


def _make_report(run: Path) -> None:
    try:
        page.rebuild(run)
    except TestbedError as fault:
        raise HTTPException(404, f"no report can be made of {run.name}: {fault}") from fault


def _read_all(folder: Path) -> Iterator[Found]:
    for run in folder.iterdir():
        if run.is_symlink() or not (run / "summary.json").is_file():
            continue
        try:
            yield Found(name=run.name, summary=RunFolder(run).read_summary())
        except TestbedError as fault:
            yield Found(name=run.name, summary=None, fault=str(fault))

"""Files of a folder, given out as they are: nothing outside it, or behind a link. How such are served."""

import os
from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path
from typing import IO, Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from testbed.linux.files.ordinary import ordinary
from testbed.web.guard import Guard, listener, where

FIRST = "index.html"
ICON = "favicon.ico"
"""Browsers ask for one, unasked."""
NONE = "there is no such file in this folder"
SHUT = "whoever serves this folder may not read this file"
OWN = {
    "Content-Security-Policy": "default-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'"
}
"""The pages are ours, and ask nobody else: whatever would is refused by the browser."""


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


class AsFound(FileResponse):
    """A file that may grow while it is sent, as a run's do that goes on: no more of it than was there at first. It is
    open before anything is said of it: whoever else may write there could put a link in its place meanwhile.
    """

    def __init__(self, path: Path, **known: Any) -> None:
        self._file = _opened(path)
        super().__init__(f"/proc/self/fd/{self._file.fileno()}", **known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, with as many bytes as its head says."""
        left = 0

        async def bounded(message: Message) -> None:
            nonlocal left
            if message["type"] == "http.response.start":
                left = int(Headers(raw=message["headers"])["content-length"])
            else:
                message = {**message, "body": message["body"][:left]}
                left -= len(message["body"])
            await send(message)

        with self._file:
            await super().__call__(scope, receive, bounded)


def _opened(path: Path) -> IO[bytes]:
    """What ``inside`` has said of a file holds of the open one, too. Raises 404, and 403 for one that is not ours to
    read.
    """
    try:
        fd = ordinary(path)
    except PermissionError as fault:
        raise HTTPException(403, SHUT) from fault
    except OSError as fault:
        raise HTTPException(404, NONE) from fault
    if fd is None:
        raise HTTPException(404, NONE)
    file = os.fdopen(fd, "rb")
    if os.readlink(f"/proc/self/fd/{fd}") != str(path.absolute()):
        file.close()
        raise HTTPException(404, NONE)
    return file


def site(folder: Path) -> Starlette:
    """Serves pages that were built, and what lies beside them; the folder itself is its ``FIRST``."""
    root = folder.resolve()

    def page(request: Request) -> Response:
        if request.path_params["path"] == ICON and not (root / ICON).exists():
            return Response(status_code=204)
        path = inside(root, request.path_params["path"] or FIRST)
        if not path.is_file():
            raise HTTPException(404, NONE)
        return AsFound(path, headers=OWN, media_type=guess_type(path.name)[0] or "text/plain")

    return Starlette(routes=[Route("/{path:path}", page)], middleware=[Middleware(Guard)])


def until_interrupted(app: Starlette, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serves, once ``ready`` knows the address. Raises ``TestbedError`` when the port is not to be had."""
    with listener(host, port, "--port", "--host") as listening:
        ready(where(host, listening.getsockname()[1]))
        uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")).run([listening])

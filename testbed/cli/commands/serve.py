"""``serve``: a folder of runs in a browser."""

import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from testbed.core.errors import ScenarioError, TestbedError


def serve(
    folder: Annotated[Path, typer.Argument(help="a folder of run folders, or one of them")] = Path("results"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="where; 0: any that is free")] = 8080,
    host: Annotated[str, typer.Option(help="the address to serve on")] = "127.0.0.1",
) -> int:
    """Show all runs of a folder, every file of them, to whoever reaches the port; until Ctrl-C. Needs no root."""
    import uvicorn

    from testbed.web.guard import where
    from testbed.web.runs import app

    if not folder.is_dir():
        raise ScenarioError(f"there is no folder '{folder}'; run something first, or name another one")
    try:
        listener = socket.create_server((host, port))
    except OSError as fault:
        raise TestbedError(f"cannot serve on {host}:{port}: {fault.strerror}; try another --port") from fault
    print(f"runs of {folder} at {where(host, listener.getsockname()[1])} until Ctrl-C", file=sys.stderr, flush=True)
    with listener:
        uvicorn.Server(uvicorn.Config(app(folder), log_level="error", access_log=False, lifespan="off")).run([listener])
    return 0

"""``serve``: a folder of runs in a browser."""

import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from testbed.core.errors import ScenarioError

Port: TypeAlias = Annotated[int, typer.Option(min=0, max=65535, help="where; 0: any that is free")]
Host: TypeAlias = Annotated[str, typer.Option(help="the address to serve on")]


def serve(
    folder: Annotated[Path, typer.Argument(help="a folder of run folders, or one of them")] = Path("results"),
    port: Port = 8080,
    host: Host = "127.0.0.1",
) -> int:
    """Show all runs of a folder, every file of them, to whoever reaches the port; until Ctrl-C. Needs no root.

    Example: testbed serve results --port 8080
    """
    from testbed.web.folder import until_interrupted
    from testbed.web.runs import app

    if not folder.is_dir():
        raise ScenarioError(f"there is no folder '{folder}'; run something first, or name another one")
    until_interrupted(app(folder), host, port, lambda where: told(f"runs of {folder} at {where} until Ctrl-C"))
    return 0


def told(line: str) -> None:
    """Says where to look."""
    print(line, file=sys.stderr, flush=True)

"""``report``: the page of a run, from its files."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def report(run: Annotated[Path, typer.Argument(help="the run's folder")]) -> None:
    """Rebuild report.html and figures/ of a run from its files; prints where the page is."""
    from testbed.report.page import rebuild

    sys.stdout.write(f"{rebuild(run)}\n")

"""``report``: the page of a run, from its files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from testbed.cli.options import run_folders
from testbed.core.errors import TestbedError


def report(run: Annotated[Path, typer.Argument(help="the run's folder", autocompletion=run_folders)]) -> int:
    """Rebuild report.html and figures/ of a run from its files; prints where the page is.

    Exits with 1 where the run's files contradict each other: the page is there all the same, and says so.

    Example: testbed report results/hello-20260101-120000
    """
    from testbed.core.text.printable import printable
    from testbed.report.page.page import rebuild
    from testbed.runfiles.summary_reader import doubts, read

    sys.stdout.write(f"{rebuild(run)}\n")
    found = doubts(read(run))
    sys.stderr.writelines(f"not valid, edited or damaged: {printable(each)}\n" for each in found)
    return TestbedError.exit_code if found else 0

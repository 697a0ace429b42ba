"""``--version``: which version this is, and in a checkout which commit."""

import sys

import typer

from testbed.core.version import __version__


def show(asked: bool) -> None:
    """Says it, and ends the command, where that was asked."""
    if not asked:
        return
    from testbed.experiment.environment import commit

    known = commit()
    sys.stdout.write(f"testbed {__version__}" + (f" (commit {known})" if known else "") + "\n")
    raise typer.Exit

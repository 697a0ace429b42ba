"""What several commands are asked for in the same words, and what follows from it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from testbed.core.text.printable import printable
from testbed.runfiles.folder import new_folder

LONGEST_PATH = 4096
"""Characters: PATH_MAX of Linux."""


def overrides(set_: list[str] | None, policy: str | None) -> list[str]:
    """``--set`` and ``--policy`` as changes to a scenario, ``PATH=VALUE`` each."""
    return [*(set_ or []), *([f"migration.policy={policy}"] if policy else [])]


def own_code(file: Path) -> None:
    """Said before a user's file is run: a scenario may be somebody else's, and it runs with the rights of the run."""
    name = printable(str(file), LONGEST_PATH)
    print(f"this scenario runs code of its own: {name}", file=sys.stderr, flush=True)


@contextmanager
def results_folder(name: str, out: Path | None) -> Iterator[Path]:
    """``--out``, or a new folder of results that says what was run and when, and is nobody else's; a new one into which
    nothing was written goes again.
    """
    if out is not None:
        yield out
        return
    path = new_folder(f"{name}-{datetime.now():%Y%m%d-%H%M%S}")
    try:
        yield path
    finally:
        with suppress(OSError):
            path.rmdir()

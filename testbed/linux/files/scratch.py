"""Folders for what is worked with and not kept. Who is killed leaves one behind, which ``clean`` takes away."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.linux.files.held import hold, take_away

PREFIX, SUFFIX = "fast-motion-", ".scratch"
NAME = re.compile(rf"{PREFIX}[a-z]+-\w{{8}}{re.escape(SUFFIX)}")
"""Nothing else is taken away: a checkout may well lie in /tmp, and begin as these do."""


@contextmanager
def scratch(of: str) -> Iterator[Path]:
    """A new folder below ``$TMPDIR`` or /tmp, mode 0700, gone when the context ends; ``of``: a word for its name."""
    made, held = _new(of)
    with made as name:
        try:
            yield Path(name)
        finally:
            if held is not None:
                os.close(held)


def take_away_left() -> list[str]:
    """Takes away the caller's own that nobody holds any more; what was done, a line each."""
    names = sorted(filter(NAME.fullmatch, os.listdir(tempfile.gettempdir())))
    folders = [Path(tempfile.gettempdir(), name) for name in names]
    return [f"removed {folder}" for folder in folders if _own(folder) and take_away(folder)]


def _new(of: str) -> tuple[tempfile.TemporaryDirectory[str], int | None]:
    """One that is held, where its file system knows locks: where it does not, nobody takes it for left behind."""
    while True:
        made = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{of}-", suffix=SUFFIX)
        try:
            held = hold(Path(made.name))
        except OSError:
            return made, None
        if held is not None:
            return made, held
        made.cleanup()  # a ``clean`` came before it was held


def _own(folder: Path) -> bool:
    try:
        return os.lstat(folder).st_uid == os.geteuid()
    except OSError:
        return False

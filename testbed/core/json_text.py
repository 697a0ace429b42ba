"""JSON that others wrote, from files: bounded, printable, and a fault of it is a ``ValueError`` whatever it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from testbed.core.printable import printable_texts

MAX_BYTES = 64 << 20
"""Of a file that is read whole: a summary of thirty migrations has some hundred kilobytes."""
MAX_LINE = 4 << 20
"""Characters of one line of a file of lines: a round's pages, cell by cell, have some ten thousand."""


def parse(text: str) -> Any:
    """The value; its texts are printable. Raises ``ValueError``, for what is nested too deep too."""
    try:
        return json.loads(text, object_hook=printable_texts)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def read(path: Path) -> Any:
    """The value in a file. Raises ``OSError``, ``ValueError`` (no UTF-8, no JSON, too large)."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
    return parse(raw.decode("utf-8"))


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a file, none longer than ``MAX_LINE``: of a longer one a part comes alone, which is no JSON. Raises
    ``OSError``, ``UnicodeDecodeError``.
    """
    with path.open(encoding="utf-8") as file:
        while line := file.readline(MAX_LINE):
            yield line

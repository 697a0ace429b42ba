"""How much of what anybody made is read at most, and which names it may have."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable

MOST_NAME, MOST_DEPTH = 600, 12
"""Bytes of the whole way to a file, and folders on that way."""
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is read at most: ``entries`` files and folders, bytes of one file, of all, of the zip itself, and of a
    ``part`` of a name.
    """

    entries: int
    each: int
    all: int
    packed: int
    part: int = 120
    what: str = "hand-in"


class Names:
    """Ways down from one folder, none of which is another to any file system."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds, self._seen = bounds, dict[str, tuple[str, bool]]()

    def add(self, name: str) -> None:
        """One more; a folder's ends with ``/``. Raises ``ScenarioError`` for what is no plain way, or is there."""
        _check_name(name, self._bounds)
        parts = name.removesuffix("/").split("/")
        for depth in range(1, len(parts) + 1):
            way, is_file = "/".join(parts[:depth]), depth == len(parts) and not name.endswith("/")
            if (key := _key(way)) in self._seen:
                _check_again(way, is_file, *self._seen[key])
            self._seen[key] = way, is_file


def check_names(names: Iterable[str], bounds: Bounds) -> None:
    """Raises ``ScenarioError`` where they are not ``Names``, or too many."""
    known = Names(bounds)
    for count, name in enumerate(names, 1):
        check_count(count, bounds)
        known.add(name)


def check_count(count: int, bounds: Bounds) -> None:
    """Raises ``ScenarioError`` for too many."""
    if count > bounds.entries:
        raise ScenarioError(f"holds more than {bounds.entries:,} files; that is no {bounds.what}")


def check_size(name: str, size: int, bounds: Bounds) -> None:
    """Raises ``ScenarioError`` for a file that is too large."""
    if size > bounds.each:
        raise ScenarioError(f"holds {shown(name)} of more than {bounds.each / 1e6:,.0f} MB, which is the most")


def _check_again(way: str, is_file: bool, known: str, was_file: bool) -> None:
    if way != known:
        raise ScenarioError(f"holds {shown(known)} and {shown(way)}, which some systems take for one")
    if is_file and was_file:
        raise ScenarioError(f"holds {shown(way)} twice")
    if is_file or was_file:
        raise ScenarioError(f"holds {shown(way)} as a file and as a folder")


def _check_name(name: str, bounds: Bounds) -> None:
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or _DRIVE.match(name):
        raise ScenarioError(f"holds {shown(name)}, which is an absolute path")
    if ".." in parts:
        raise ScenarioError(f"holds {shown(name)}, which leads out of its folder")
    if not name or not name.isprintable() or {"", "."} & set(parts):
        raise ScenarioError(f"holds {shown(name)}, which is no name of a file")
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError as error:
        raise ScenarioError(f"holds {shown(name)}, which is no name of a file") from error
    if max(lengths) > bounds.part or sum(lengths) + len(parts) > MOST_NAME or len(parts) > MOST_DEPTH:
        raise ScenarioError(f"holds {shown(name)}, a name that is too long")


def _key(name: str) -> str:
    """One for all names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def too_much(bounds: Bounds) -> str:
    """A refusal in words."""
    return f"holds more than {bounds.all / 1e6:,.0f} MB when it is unpacked; that is no {bounds.what}"


def shown(name: str) -> str:
    """A name in a sentence."""
    return f"'{printable(name, 60)}'"

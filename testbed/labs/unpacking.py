"""A zip or a folder that anybody may have made, as plain files in a folder of ours: within bounds, or one line that
says why not. Nothing is written outside that folder, no link is followed, and what is no ordinary file is refused.
"""

import io
import itertools
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.text.printable import printable
from testbed.runfiles import files

MOST_PART, MOST_NAME, MOST_DEPTH = 120, 400, 12
"""Bytes of a file's or folder's name, bytes of the whole way to it, and folders on that way."""
MOST_READ = 4 << 20
"""Bytes that are asked of a zip at once: its table of contents is, and with it what it can cost to read it."""
BLOCK = 1 << 18
OF_SYSTEMS = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
"""What machines put into zips and folders by themselves: it is passed over."""
_ENCRYPTED = 0x2041
_DRIVE = re.compile(r"[A-Za-z]:")
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, NotImplementedError,
    RuntimeError, LookupError,
)  # fmt: skip
"""What Python's reader raises for a zip that is none, or is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is read at most: ``entries`` files and folders, bytes of one file, of all, and of the zip itself."""

    entries: int
    each: int
    all: int
    packed: int
    what: str = "hand-in"


class _Counted:
    """Bytes that may still be written; what a zip says of itself is not believed."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds, self._left = bounds, bounds.all

    def copy(self, source: IO[bytes], target: IO[bytes], name: str) -> None:
        size = 0
        while data := source.read(BLOCK):
            size += len(data)
            self._left -= len(data)
            check_size(name, size, self._bounds)
            if self._left < 0:
                raise ScenarioError(_too_much(self._bounds))
            with _writing():
                target.write(data)


class _InParts(io.BufferedReader):
    """A file of which nobody gets very much at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises ``ScenarioError`` for more."""
        wanted = MOST_READ + 1 if size is None or size < 0 else min(size, MOST_READ + 1)
        if len(data := super().read(wanted)) > MOST_READ:
            raise ScenarioError("its table of contents is too long to be read")
        return data


def unpack(archive: Path, into: Path, bounds: Bounds) -> None:
    """Writes what is in a zip. Raises ``ScenarioError``, with the zip named; what was written by then stays."""
    with _named(archive), files.opened(archive, bounds.packed) as plain:
        if not plain.read(1):
            raise ScenarioError("is an empty file; it was perhaps not sent whole")
        with _reading(plain) as packed:
            known = list(_known(packed, bounds))
            check_names((name for name, _ in known), bounds)
            _check_declared(known, bounds)
            counted = _Counted(bounds)
            for name, info in known:
                if info.is_dir() or name.endswith("/"):
                    _folder(into / name)
                    continue
                with packed.open(info) as source, _new(into / name) as target:
                    counted.copy(source, target, name)


def copy(names: Iterable[str], folder: Path, into: Path, bounds: Bounds) -> None:
    """Writes those files of a folder (``tree``). Raises ``ScenarioError``."""
    counted = _Counted(bounds)
    for name in names:
        with files.opened(folder / name, bounds.each) as source, _new(into / name) as target:
            counted.copy(source, target, name)


def tree(folder: Path, bounds: Bounds) -> list[str]:
    """The files below a folder, sorted, by their ways from there; what is hidden is passed over. Raises
    ``ScenarioError`` for links and whatever else is no file, and for too many.
    """
    with _named(folder):
        found: list[str] = []
        left = [""]
        while left:
            below = left.pop()
            try:
                with os.scandir(folder / below) as listed:
                    entries = list(itertools.islice(listed, bounds.entries + 1))
            except OSError as error:
                raise ScenarioError(f"{_shown(below or '.')} cannot be read ({error.strerror})") from error
            check_count(len(found) + len(entries), bounds)
            for entry in entries:
                name = f"{below}{entry.name}"
                if entry.name.startswith((".", "__pycache__")) or entry.name in OF_SYSTEMS:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    left.append(f"{name}/")
                elif entry.is_symlink() or not entry.is_file(follow_symlinks=False):
                    raise ScenarioError(_no_file(name, entry.stat(follow_symlinks=False).st_mode))
                else:
                    found.append(name)
            check_count(len(found) + len(left), bounds)
        check_names(found, bounds)
        return sorted(found)


def check_names(names: Iterable[str], bounds: Bounds) -> None:
    """Raises ``ScenarioError`` for one that is no plain way down from a folder, or for two that are one to some file
    systems.
    """
    seen: dict[str, tuple[str, bool]] = {}
    for count, name in enumerate(names, 1):
        check_count(count, bounds)
        _check_name(name)
        parts = name.removesuffix("/").split("/")
        for depth in range(1, len(parts) + 1):
            way, is_file = "/".join(parts[:depth]), depth == len(parts) and not name.endswith("/")
            if (key := _key(way)) in seen:
                _check_again(way, is_file, *seen[key])
            seen[key] = way, is_file


def check_count(count: int, bounds: Bounds) -> None:
    """Raises ``ScenarioError`` for too many."""
    if count > bounds.entries:
        raise ScenarioError(f"holds more than {bounds.entries:,} files; that is no {bounds.what}")


def check_size(name: str, size: int, bounds: Bounds) -> None:
    """Raises ``ScenarioError`` for a file that is too large."""
    if size > bounds.each:
        raise ScenarioError(f"holds {_shown(name)} of more than {bounds.each / 1e6:,.0f} MB, which is the most")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Every fault begins with what was given."""
    try:
        yield
    except ScenarioError as error:
        said = str(error)
        raise ScenarioError(printable(said if said.startswith(str(path)) else f"{path}: {said}")) from error


@contextmanager
def _reading(plain: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """The zip in a file. Whatever its reader raises is one sentence."""
    parts = _InParts(plain, BLOCK)  # type: ignore[arg-type]
    try:
        with zipfile.ZipFile(parts) as packed:
            yield packed
    except _DAMAGE as error:
        said = str(error) if isinstance(error, zipfile.BadZipFile) else type(error).__name__
        raise ScenarioError(f"is no zip that can be read, or a damaged one ({printable(said, 80)})") from error
    finally:
        parts.detach()


def _known(packed: zipfile.ZipFile, bounds: Bounds) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Each entry with its name. Windows may have written backslashes."""
    check_count(len(packed.infolist()), bounds)
    for info in packed.infolist():
        name = info.orig_filename.replace("\\", "/")
        if OF_SYSTEMS & set(name.split("/")):
            continue
        mode = info.external_attr >> 16
        if info.flag_bits & _ENCRYPTED:
            raise ScenarioError(f"holds {_shown(name)} under a password; pack it without one")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ScenarioError(_no_file(name, mode))
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ScenarioError(f"holds {_shown(name)}, packed in a way that is not read; pack it with `zip`")
        yield name, info


def _check_declared(known: list[tuple[str, zipfile.ZipInfo]], bounds: Bounds) -> None:
    for name, info in known:
        check_size(name, info.file_size, bounds)
    if sum(info.file_size for _, info in known) > bounds.all:
        raise ScenarioError(_too_much(bounds))


def _check_again(way: str, is_file: bool, known: str, was_file: bool) -> None:
    if way != known:
        raise ScenarioError(f"holds {_shown(known)} and {_shown(way)}, which some systems take for one")
    if is_file and was_file:
        raise ScenarioError(f"holds {_shown(way)} twice")
    if is_file or was_file:
        raise ScenarioError(f"holds {_shown(way)} as a file and as a folder")


def _check_name(name: str) -> None:
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or _DRIVE.match(name):
        raise ScenarioError(f"holds {_shown(name)}, which is an absolute path")
    if ".." in parts:
        raise ScenarioError(f"holds {_shown(name)}, which leads out of its folder")
    if not name or not name.isprintable() or {"", "."} & set(parts):
        raise ScenarioError(f"holds {_shown(name)}, which is no name of a file")
    try:
        lengths = [len(part.encode()) for part in parts]
    except UnicodeEncodeError as error:
        raise ScenarioError(f"holds {_shown(name)}, which is no name of a file") from error
    if max(lengths) > MOST_PART or sum(lengths) + len(parts) > MOST_NAME or len(parts) > MOST_DEPTH:
        raise ScenarioError(f"holds {_shown(name)}, a name that is too long")


def _key(name: str) -> str:
    """One for all names that some file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _folder(path: Path) -> None:
    with _writing():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def _new(path: Path) -> Iterator[IO[bytes]]:
    """A file that was not there."""
    _folder(path.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with _writing():
        file = os.fdopen(os.open(path, flags, 0o600), "wb", 0)
    with file:
        yield file


@contextmanager
def _writing() -> Iterator[None]:
    """A full disk is no fault of who handed in."""
    try:
        yield
    except OSError as error:
        raise TestbedError(f"a hand-in cannot be unpacked ({error.strerror}); make room, or set TMPDIR") from error


def _no_file(name: str, mode: int) -> str:
    return f"holds {_shown(name)}, which is {'a link' if stat.S_ISLNK(mode) else 'no ordinary file'}"


def _too_much(bounds: Bounds) -> str:
    return f"holds more than {bounds.all / 1e6:,.0f} MB when it is unpacked; that is no {bounds.what}"


def _shown(name: str) -> str:
    return f"'{printable(name, 60)}'"

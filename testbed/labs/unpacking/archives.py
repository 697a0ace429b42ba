"""A zip or a folder that anybody may have made, as plain files in a folder of ours: within bounds, or one line that
says why not. Nothing is written outside that folder, no link is followed, and what is no ordinary file is refused.
"""

import io
import itertools
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.text.printable import printable
from testbed.labs.unpacking.bounds import Bounds, Names, check_count, check_names, check_size, shown, too_much
from testbed.runfiles import files

MOST_READ = 4 << 20
"""Bytes that are asked of a zip at once: its table of contents is, and with it what it can cost to read it."""
BLOCK = 1 << 18
OF_SYSTEMS = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
"""What machines put into zips and folders by themselves: it is passed over."""
_ENCRYPTED = 0x2041
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, NotImplementedError,
    RuntimeError, LookupError,
)  # fmt: skip
"""What Python's reader raises for a zip that is none, or is damaged."""
Refused: TypeAlias = Callable[[str, str], None]


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
                raise ScenarioError(too_much(self._bounds))
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


def unpack(archive: Path, into: Path, bounds: Bounds, passed_over: Refused | None = None) -> None:
    """Writes what is in a zip. Raises ``ScenarioError``, with the zip named; what was written by then stays.
    ``passed_over`` is told an entry's name and what is wrong with it: the others are then written.
    """
    with _named(archive), _reading(archive, bounds) as packed:
        check_count(len(packed.infolist()), bounds)
        names, counted, known = Names(bounds), _Counted(bounds), list[tuple[str, zipfile.ZipInfo]]()
        for info in _of_people(packed):
            name = _name(info)
            with _passing_over(name, passed_over):
                _check_entry(name, info, bounds)
                names.add(name)
                known.append((name, info))
        if sum(info.file_size for _, info in known) > bounds.all:
            raise ScenarioError(too_much(bounds))
        for name, info in known:
            if name.endswith("/"):
                _folder(into / name)
                continue
            with _passing_over(name, passed_over), packed.open(info) as source, _new(into / name) as target:
                counted.copy(source, target, name)


def names_in(archive: Path, bounds: Bounds) -> list[str]:
    """What a zip says that it holds. Raises ``ScenarioError`` for what is no zip."""
    with _named(archive), _reading(archive, bounds) as packed:
        check_count(len(packed.infolist()), bounds)
        return [_name(info) for info in _of_people(packed)]


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
                raise ScenarioError(f"{shown(below or '.')} cannot be read ({error.strerror})") from error
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


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Every fault begins with what was given."""
    try:
        yield
    except ScenarioError as error:
        said = str(error)
        raise ScenarioError(printable(said if said.startswith(str(path)) else f"{path}: {said}")) from error


@contextmanager
def _reading(archive: Path, bounds: Bounds) -> Iterator[zipfile.ZipFile]:
    """A zip. Whatever its reader raises is one sentence."""
    with files.opened(archive, bounds.packed) as plain:
        if not plain.read(1):
            raise ScenarioError("is an empty file; it was perhaps not sent whole")
        parts = _InParts(plain, BLOCK)  # type: ignore[arg-type]
        try:
            with _damage(), zipfile.ZipFile(parts) as packed:
                yield packed
        finally:
            parts.detach()


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        said = str(error) if isinstance(error, zipfile.BadZipFile) else type(error).__name__
        raise ScenarioError(f"is no zip that can be read, or a damaged one ({printable(said, 80)})") from error


@contextmanager
def _passing_over(name: str, passed_over: Refused | None) -> Iterator[None]:
    try:
        with _damage():
            yield
    except ScenarioError as error:
        if passed_over is None:
            raise
        passed_over(name, str(error))


def _of_people(packed: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    return (info for info in packed.infolist() if not OF_SYSTEMS & set(_name(info).split("/")))


def _name(info: zipfile.ZipInfo) -> str:
    """As it was written, but for Windows' backslashes."""
    return info.orig_filename.replace("\\", "/")


def _check_entry(name: str, info: zipfile.ZipInfo, bounds: Bounds) -> None:
    mode = info.external_attr >> 16
    if info.flag_bits & _ENCRYPTED:
        raise ScenarioError(f"holds {shown(name)} under a password; pack it without one")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ScenarioError(_no_file(name, mode))
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ScenarioError(f"holds {shown(name)}, packed in a way that is not read; pack it with `zip`")
    check_size(name, info.file_size, bounds)


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
    return f"holds {shown(name)}, which is {'a link' if stat.S_ISLNK(mode) else 'no ordinary file'}"

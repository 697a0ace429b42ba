"""Which hand-ins there are in what a teacher gives: zips, students' folders, a folder of either, a class's download.

Moodle   Name_12345_assignsubmission_file_/FILE    Name_12345_assignsubmission_file_FILE
Canvas   name_12345_67890_FILE, name_LATE_12345_67890_FILE, LATE_anon_Ab12c_67890_FILE

Canvas's names are "Last, First" without all but letters, digits and ``_``, in lower case.
"""

import itertools
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable
from testbed.labs import handin
from testbed.labs.unpacking.archives import names_in, unpack
from testbed.labs.unpacking.bounds import Bounds
from testbed.labs.workbook import LOCK

CLASS = Bounds(
    entries=50_000, each=handin.BOUNDS.packed, all=8 << 30, packed=8 << 30, part=255, what="download of a class"
)
_MOODLE = re.compile(r"(?P<who>.+?)_\d+_assignsubmission_(file|onlinetext)_?(?P<rest>.*)")
_CANVAS = re.compile(r"(?P<who>[^_]+)_(LATE_)?\d+_\d+_(?P<rest>.+)")
_CANVAS_ANONYMOUS = re.compile(r"(LATE_)?(?P<who>anon_[A-Za-z0-9]+)_\d+_(?P<rest>.+)")
_HANDIN = re.compile(r".*\.lab(-\d+|[ _]?\(\d+\))?\.zip", re.IGNORECASE)
"""What ``lab submit`` makes; browsers and Canvas number those that come again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A hand-in that is to be opened. ``shown``: its name for people; ``who``: by the download's own names; ``at``: the
    file's time; ``fault``: why there is nothing to open.
    """

    path: Path
    shown: str
    who: str = ""
    at: datetime | None = None
    fault: str = ""


def found(given: Iterable[Path], room: Path) -> list[HandedIn]:
    """All hand-ins, each of which may turn out to be none, and each once: of one that was named twice, by its folder
    and by itself perhaps, it would be said that it is a copy. Downloads are unpacked in ``room``, an empty folder.
    """
    hand_ins: list[HandedIn] = []
    for number, path in enumerate({os.path.abspath(each): each for each in given}.values()):
        try:
            hand_ins += _found(path, room / str(number))
        except OSError as error:
            hand_ins.append(_unreadable(path, error))
    once: dict[tuple[str, str], HandedIn] = {}
    for each in hand_ins:  # of a download many may have a fault, and its path
        once.setdefault((os.path.abspath(each.path), each.shown if each.fault else ""), each)
    return [*once.values()]


def _found(path: Path, room: Path) -> Iterator[HandedIn]:
    if path.is_dir():
        yield from _folder(path, path.name) if not _is_handin(path) else (_one(path, path.name),)
    elif _is_download(path):
        room.mkdir()
        refused: list[HandedIn] = []

        def passed_over(name: str, fault: str) -> None:
            who, _ = _whose(name.split("/", maxsplit=1)[0])
            refused.append(HandedIn(path=path, shown=printable(name, 100), who=who, fault=fault))

        try:
            unpack(path, room, CLASS, passed_over)
        except ScenarioError as error:
            yield HandedIn(path=path, shown=path.name, fault=str(error))
            return
        times = _times(path)
        for each in _folder(room, path.name):
            yield replace(each, at=times.get(next(iter(each.path.relative_to(room).parts), "")))
        yield from refused
    else:
        yield _one(path, path.name)


def _folder(folder: Path, shown: str) -> Iterator[HandedIn]:
    """The hand-ins of a folder of many."""
    hand_ins: list[HandedIn] = []
    for entry in sorted(each for each in folder.iterdir() if not each.name.startswith(".")):
        try:
            hand_ins += _of_student(entry)
        except OSError as error:
            hand_ins.append(_unreadable(entry, error))
    yield from hand_ins or [_one(folder, shown)]


def _of_student(entry: Path) -> list[HandedIn]:
    """What one student handed in: a zip, a folder, or a folder with one in it. Raises ``OSError``."""
    who, rest = _whose(entry.name)
    if not entry.is_dir() or entry.is_symlink():
        return _of_file(_one(entry, entry.name, who), rest)
    if _is_handin(entry):
        return [_one(entry, entry.name, who)]
    inside = sorted(each for each in entry.iterdir() if not each.is_symlink())
    made = [each for each in inside if _HANDIN.fullmatch(each.name) or (each.is_dir() and _is_handin(each))]
    zips = [each for each in inside if each.suffix.lower() == ".zip"]
    chosen = made or (zips if len(zips) == 1 else [entry])
    return [_one(each, each.name if each == entry else f"{entry.name}/{each.name}", who) for each in chosen]


def _of_file(one: HandedIn, name: str) -> list[HandedIn]:
    """A file of a folder of many. What is no zip is the teacher's own, or, where a download says whose it is, nothing
    that could be opened.
    """
    if name.lower().endswith(".zip"):
        return [one]
    return [replace(one, fault=f"{one.shown}: is no zip; hand in what `testbed lab submit` made")] if one.who else []


def _one(path: Path, shown: str, who: str = "") -> HandedIn:
    if not who:
        who, _ = _whose(path.name)
    return HandedIn(path=path, shown=printable(shown, 200), who=who, at=_changed(path))


def _changed(path: Path) -> datetime | None:
    """When a file was last changed; of a folder, the newest of its files, but for hidden ones, such as Git's."""
    is_folder = os.path.isdir(path) and not path.is_symlink()
    files = itertools.islice(_files(path), handin.BOUNDS.entries + 1) if is_folder else iter((path,))
    times = [found.st_mtime for found in map(_found_at, files) if found is not None]
    try:
        return datetime.fromtimestamp(max(times)).astimezone()
    except (OSError, OverflowError, ValueError):  # a time of no calendar, or none at all
        return None


def _files(folder: Path) -> Iterator[Path]:
    for here, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        yield from (Path(here, name) for name in names if not name.startswith("."))


def _found_at(file: Path) -> os.stat_result | None:
    try:
        return file.lstat() if file.is_file() else None
    except OSError:
        return None


def _unreadable(path: Path, error: OSError) -> HandedIn:
    who, _ = _whose(path.name)
    shown = printable(path.name, 200)
    return HandedIn(path=path, shown=shown, who=who, fault=f"{shown}: cannot be read ({error.strerror})")


def _whose(name: str) -> tuple[str, str]:
    """The student's name in a download's, and the rest of it."""
    known = _MOODLE.fullmatch(name) or _CANVAS.fullmatch(name) or _CANVAS_ANONYMOUS.fullmatch(name)
    return (printable(known["who"], 80), known["rest"]) if known else ("", name)


def _is_handin(folder: Path) -> bool:
    return (folder / LOCK).is_file()


def _is_download(path: Path) -> bool:
    """Whether it is a zip of hand-ins, and none itself."""
    try:
        names = names_in(path, CLASS)
    except ScenarioError:
        return False
    tops = {name.split("/")[0] for name in names}
    top = min(tops, default="")
    if LOCK in names or (len(tops) == 1 and f"{top}/{LOCK}" in names and not _whose(top)[0]):
        return False
    return any(name.lower().endswith(".zip") or name.endswith(f"/{LOCK}") for name in names)


def _times(path: Path) -> dict[str, datetime]:
    """When each entry of a download was handed in, by its first folder's or its own name, in this machine's zone."""
    times: dict[str, datetime] = {}
    with zipfile.ZipFile(path) as packed:
        for info in packed.infolist():
            try:
                at = datetime(*info.date_time).astimezone()
            except ValueError:
                continue
            first = info.orig_filename.replace("\\", "/").split("/")[0]
            times[first] = max(at, times.get(first, at))
    return times

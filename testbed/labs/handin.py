"""A hand-in: what a student's folder is packed into, and how such a file, from anybody, is opened.

    LAB-STUDENT.lab.zip     lab.lock, answers.yaml, the lab's files, and of the newest runs of each name their records
        runs/NAME-N/        summary.json, samples.jsonl, pages.jsonl, scenario.yaml; packets/ where the lab asks
        SHA256SUMS          what it was packed with, as `sha256sum -c` reads it

Packing the same folder twice makes the same bytes.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.labs.answers import ANSWERS
from testbed.labs.unpacking.archives import BLOCK, copy, tree, unpack
from testbed.labs.unpacking.bounds import Bounds, Names, check_names, check_size, shown
from testbed.labs.workbook import LOCK, RUNS, Workbook
from testbed.linux.files.scratch import scratch
from testbed.runfiles import files
from testbed.runfiles.folder import write_whole

SUMS = "SHA256SUMS"
RECORD = ("summary.json", "samples.jsonl", "pages.jsonl", "scenario.yaml")
"""What is handed in of a run."""
CAPTURES = "packets"
END = ".lab.zip"
BOUNDS = Bounds(entries=2000, each=files.MOST_SAMPLES, all=512 << 20, packed=128 << 20)
MOST_SUMS = 1 << 20
_SUM = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>.+)")
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""
ELSEWHERE = "choose another place with --to"
_REMEDY = "hand in what `testbed lab submit` made"


def pack(folder: Path, to: Path | None = None, *, also: Sequence[str] = (), captures: bool = False) -> Path:
    """Writes the hand-in of a student's folder and says where it is: beside that folder's files, in the folder ``to``,
    or as the file ``to``. ``also``: the lab's own files, by their ways in the folder, to be handed in where they are
    there; ``captures``: the runs' packets, too.

    Raises ``ScenarioError`` for a folder that is no lab's or lacks its answers, for what would not be taken, and where
    something lies that is no hand-in.
    """
    book = Workbook.read(folder)
    if not files.there(folder / ANSWERS):
        raise ScenarioError(f"there is no {ANSWERS} to hand in", str(folder))
    listed = [name for name in (LOCK, ANSWERS, *also) if files.there(folder / name)]
    check_names(listed, BOUNDS)
    target = target_of(folder, to, file_name(book.lock.lab, book.lock.student))
    names = sorted([*listed, *_records(book, captures=captures)])
    _check_target(folder, target, names)
    write_whole(target, _packed(folder, names), otherwise=ELSEWHERE)
    return target


def file_name(lab: str, student: str) -> str:
    """``rounds-me.lab.zip``, of a student who is called ``me@uni.example``."""
    lab, student = (
        re.sub(r"[^\w.-]+", "-", each, flags=re.ASCII).strip("-.") for each in (lab, student.partition("@")[0])
    )
    return f"{lab[:40] or 'lab'}-{student[:60] or 'student'}{END}"


@contextmanager
def opened(handin: Path) -> Iterator[Path]:
    """A folder with the files of a hand-in, a zip's or a folder's, while the context lasts; it is a copy of ours, in
    which there are plain files and no more than ``BOUNDS`` of them.

    Raises ``ScenarioError``, one line that begins with the hand-in's name, for whatever is none: nothing is written
    elsewhere, and nothing stays.
    """
    with scratch("handin") as made:
        folder = made / "handin"
        folder.mkdir()
        try:
            if handin.is_dir():
                _copied(handin, folder)
            else:
                unpack(handin, folder, BOUNDS)
            inside = _inside(folder)
            _check_sums(inside)
        except ScenarioError as error:
            said = str(error).replace(f"{folder}/", "").replace(str(folder), str(handin))
            raise ScenarioError(said if said.startswith(str(handin)) else f"{handin}: {said}") from error
        yield inside


def _records(book: Workbook, *, captures: bool) -> Iterator[str]:
    """Of the newest runs of each name what is handed in: the newest of all may not be valid, and of one that has no
    record it can be told.
    """
    for run in (*chain.from_iterable(book.runs.values()), *book.broken_off.values()):
        below = f"{RUNS}/{run.name}"
        yield from (f"{below}/{name}" for name in RECORD if files.there(run / name))
        if captures and files.there(run / CAPTURES):
            yield from (f"{below}/{CAPTURES}/{name}" for name in tree(run / CAPTURES, BOUNDS))


def _copied(handin: Path, into: Path) -> None:
    if not files.there(handin / LOCK):
        raise ScenarioError(f"there is no {LOCK} in this folder: it is no hand-in; {_REMEDY}")
    beside = [name for name in tree(handin, BOUNDS) if not name.startswith(f"{RUNS}/") and not name.endswith(END)]
    copy([*beside, *_records(Workbook.read(handin), captures=True)], handin, into, BOUNDS)


def _inside(folder: Path) -> Path:
    """Where the hand-in lies in what was unpacked: a zip that was made by hand may have one folder round it all."""
    inside, found = folder, sorted(folder.iterdir())
    if not found:
        raise ScenarioError("is an empty zip")
    if len(found) == 1 and found[0].is_dir():
        inside = found[0]
    if not files.there(inside / LOCK):
        raise ScenarioError(f"holds no {LOCK}: it is no hand-in; {_REMEDY}")
    return inside


def _check_sums(folder: Path) -> None:
    """What was packed is what came, where it says what that was."""
    if not files.there(folder / SUMS):
        return
    names = Names(BOUNDS)  # each once: a list of one large file, again and again, would be summed up for hours
    for number, line in enumerate(files.text(folder / SUMS, MOST_SUMS).splitlines(), 1):
        known = _SUM.fullmatch(line)
        if known is None:
            raise ScenarioError("is no line of a SHA-256 list", f"{SUMS}:{number}")
        names.add(known["name"])
        name, file = shown(known["name"]), folder / known["name"]
        if not files.there(file):
            raise ScenarioError(f"{name} was packed and is missing; {_REMEDY}, unchanged")
        if _sum(file) != known["sum"]:
            raise ScenarioError(f"{name} was changed after it was packed; {_REMEDY}, unchanged")


def _sum(file: Path) -> str:
    digest = hashlib.sha256()
    with files.opened(file, BOUNDS.each) as plain:
        for block in iter(lambda: plain.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def archive(contents: Iterable[tuple[str, bytes]], executable: Collection[str] = ()) -> bytes:
    """A zip of these files, the same bytes whenever and wherever it is made; ``executable``: those that are run."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for name, content in contents:
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system, entry.compress_type = 3, zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            packed.writestr(entry, content)
    return made.getvalue()


def _packed(folder: Path, names: Sequence[str]) -> bytes:
    made = archive(_with_sums(folder, names))
    check_size("all of it, packed,", len(made), replace(BOUNDS, each=BOUNDS.packed))
    return made


def _with_sums(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    sums, size = list[str](), 0
    for name in names:
        with files.opened(folder / name, BOUNDS.each) as plain:
            content = plain.read()
        size += len(content)
        if size > BOUNDS.all:
            raise ScenarioError(f"has more than {BOUNDS.all / 1e6:,.0f} MB to hand in", str(folder))
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        yield name, content
    yield SUMS, "".join(sums).encode()


def target_of(folder: Path, to: Path | None, name: str) -> Path:
    """Where a file of that name is written: in ``folder``, or where ``to`` says, which may be a folder."""
    if to is None:
        return folder / name
    return to / name if to.is_dir() else to


def _check_target(folder: Path, target: Path, packed: Collection[str]) -> None:
    """Nobody's answers are written over by what they are packed into."""
    if any((folder / name).resolve() == target.resolve() for name in packed):
        raise ScenarioError(f"is one of the files to hand in; {ELSEWHERE}", str(target))
    if target.suffix != ".zip" and files.there(target):
        raise ScenarioError(f"is there already, and is no zip; {ELSEWHERE}", str(target))

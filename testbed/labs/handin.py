"""A hand-in: what a student's folder is packed into, and how such a file, from anybody, is opened.

    LAB-STUDENT.lab.zip     lab.lock, answers.yaml, the lab's files, and of the newest runs of each name their records
        runs/NAME-N/        summary.json, samples.jsonl, pages.jsonl, scenario.yaml; packets/ where the lab asks
        SHA256SUMS          what it was packed with, as `sha256sum -c` reads it

Packing the same folder twice makes the same bytes.
"""

import hashlib
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable
from testbed.core.text.yaml_text import MAX_BYTES, Tree, tree_of
from testbed.labs.unpacking.archives import BLOCK, copy, tree, unpack
from testbed.labs.unpacking.bounds import Bounds, check_names, check_size
from testbed.runfiles import files
from testbed.runfiles.folder import write_whole

LOCK, ANSWERS, RUNS, SUMS = "lab.lock", "answers.yaml", "runs", "SHA256SUMS"
RECORD = ("summary.json", "samples.jsonl", "pages.jsonl", "scenario.yaml")
"""What is handed in of a run."""
CAPTURES = "packets"
END = ".lab.zip"
KEPT = 5
"""Runs of each name that are handed in: the newest may be one that is not valid, and some labs hold several together."""
BOUNDS = Bounds(entries=2000, each=files.MOST_SAMPLES, all=512 << 20, packed=128 << 20)
MOST_SUMS = 1 << 20
_RUN = re.compile(r"(?P<name>.+)-(?P<number>[0-9]{1,9})")
_SUM = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>.+)")
_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""
_REMEDY = "hand in what `testbed lab submit` made"


def pack(folder: Path, to: Path | None = None, *, also: Sequence[str] = (), captures: bool = False) -> Path:
    """Writes the hand-in of a student's folder and says where it is: beside that folder's files, in the folder ``to``,
    or as the file ``to``. ``also``: the lab's own files, by their ways in the folder, to be handed in where they are
    there; ``captures``: the runs' packets, too.

    Raises ``ScenarioError`` for a folder that is no lab's or lacks its answers, and for what would not be taken.
    """
    lock = read_lock(folder)
    if not files.there(folder / ANSWERS):
        raise ScenarioError(f"there is no {ANSWERS} to hand in", str(folder))
    listed = [name for name in (LOCK, ANSWERS, *also) if files.there(folder / name)]
    check_names(listed, BOUNDS)
    runs = [f"{RUNS}/{name}" for name in tree(folder / RUNS, BOUNDS)] if files.there(folder / RUNS) else []
    chosen = sorted([*listed, *_of_runs(runs, captures=captures)])
    target = _target(folder, to, file_name(str(lock["lab"]), str(lock["student"])))
    write_whole(target, _packed(folder, chosen))
    return target


def file_name(lab: str, student: str) -> str:
    """``rounds-me.lab.zip``, of a student who is called ``me@uni.example``."""
    lab, student = (
        re.sub(r"[^\w.-]+", "-", each, flags=re.ASCII).strip("-.") for each in (lab, student.partition("@")[0])
    )
    return f"{lab[:40] or 'lab'}-{student[:60] or 'student'}{END}"


def read_lock(folder: Path) -> Tree:
    """What ``lab.lock`` says, of which ``lab`` and ``student`` are texts. Raises ``ScenarioError``."""
    file = folder / LOCK
    if not files.there(file):
        raise ScenarioError(f"there is no {LOCK}: it is no lab's folder; {_REMEDY}", str(folder))
    lock, _ = tree_of(files.text(file, MAX_BYTES), str(file))
    for key in ("lab", "student"):
        if not isinstance(lock.get(key), str) or not lock[key]:
            raise ScenarioError(f"does not say which {key} it is of; {_REMEDY}", str(file))
    return lock


@contextmanager
def opened(handin: Path) -> Iterator[Path]:
    """A folder with the files of a hand-in, a zip's or a folder's, while the context lasts; it is a copy of ours, in
    which there are plain files and no more than ``BOUNDS`` of them.

    Raises ``ScenarioError``, one line that begins with the hand-in's name, for whatever is none: nothing is written
    elsewhere, and nothing stays.
    """
    with tempfile.TemporaryDirectory(prefix="testbed-handin-") as made:
        folder = Path(made) / "handin"
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


def newest(runs: Iterable[str]) -> set[str]:
    """The last ``KEPT`` of each name, of folders that are called ``NAME-N``. Others are passed over."""
    found: dict[str, list[tuple[int, str]]] = {}
    for run in runs:
        if known := _RUN.fullmatch(run):
            found.setdefault(known["name"], []).append((int(known["number"]), run))
    return {run for numbered in found.values() for _, run in sorted(numbered)[-KEPT:]}


def _of_runs(names: Sequence[str], *, captures: bool) -> Iterator[str]:
    """Those that are handed in, if they are a run's; all others."""
    last = newest({name.split("/")[1] for name in names if name.startswith(f"{RUNS}/")})
    for name in names:
        match name.split("/"):
            case [first, _, *_] if first != RUNS:
                yield name
            case [_, run, file] if run in last and file in RECORD:
                yield name
            case [_, run, folder, _] if run in last and folder == CAPTURES and captures:
                yield name
            case [_]:
                yield name


def _copied(handin: Path, into: Path) -> None:
    if not files.there(handin / LOCK):
        raise ScenarioError(f"there is no {LOCK} in this folder: it is no hand-in; {_REMEDY}")
    names = [name for name in tree(handin, BOUNDS) if not name.endswith(END)]
    copy(_of_runs(names, captures=True), handin, into, BOUNDS)


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
    for number, line in enumerate(files.text(folder / SUMS, MOST_SUMS).splitlines(), 1):
        known = _SUM.fullmatch(line)
        if known is None:
            raise ScenarioError("is no line of a SHA-256 list", f"{SUMS}:{number}")
        check_names([known["name"]], BOUNDS)
        shown = printable(known["name"], 60)
        file = folder / known["name"]
        if not files.there(file):
            raise ScenarioError(f"'{shown}' was packed and is missing; {_REMEDY}, unchanged")
        if _sum(file) != known["sum"]:
            raise ScenarioError(f"'{shown}' was changed after it was packed; {_REMEDY}, unchanged")


def _sum(file: Path) -> str:
    digest = hashlib.sha256()
    with files.opened(file, BOUNDS.each) as plain:
        for block in iter(lambda: plain.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def _packed(folder: Path, names: Sequence[str]) -> bytes:
    made, sums, size = io.BytesIO(), list[str](), 0
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for name in names:
            with files.opened(folder / name, BOUNDS.each) as plain:
                content = plain.read()
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
            size += len(content)
            if size > BOUNDS.all:
                raise ScenarioError(f"has more than {BOUNDS.all / 1e6:,.0f} MB to hand in", str(folder))
            packed.writestr(_entry(name), content)
        packed.writestr(_entry(SUMS), "".join(sums))
    check_size("all of it, packed,", made.tell(), Bounds(entries=1, each=BOUNDS.packed, all=0, packed=0))
    return made.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """An ordinary file of no time and of no system in particular."""
    entry = zipfile.ZipInfo(name, _TIME)
    entry.create_system, entry.external_attr, entry.compress_type = 3, 0o100644 << 16, zipfile.ZIP_DEFLATED
    return entry


def _target(folder: Path, to: Path | None, name: str) -> Path:
    if to is None:
        return folder / name
    return to / name if to.is_dir() else to

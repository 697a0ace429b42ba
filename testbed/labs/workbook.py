"""A student's folder of a lab, as it lies there or as it was handed in: then anybody may have made it.

rounds/ ── README.md, scenario.yaml, starter files
        ├─ answers.yaml     ``answers``
        ├─ lab.lock         who, of which course, which lab in which version
        └─ runs/main-1 ...  of each run the last five, and no fewer valid than one
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from testbed.core.errors import ScenarioError
from testbed.core.text.printable import printable
from testbed.core.text.yaml_text import tree_of
from testbed.labs.definition.draw import LONGEST, Parameters
from testbed.labs.definition.spec import FILE
from testbed.runfiles import files, summary_reader
from testbed.runfiles.folder import RunFolder

LOCK, RUNS = "lab.lock", "runs"
KEPT = 5
"""Runs of each name that are kept."""
MOST_ENTRIES = 1000
"""Names in a folder of runs that are looked at."""
_RUN = re.compile(r"([a-z][a-z0-9-]*)-([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a folder says of itself. Its parameters are for people: those that count are drawn again."""

    course: str
    student: str
    lab: str
    version: int
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    """A student's work on a lab. ``runs``: each run's folders that have a record, the newest first; ``broken_off``:
    where none of a name has, its newest, by which it can be told that there was one.
    """

    folder: Path
    lock: Lock
    runs: Mapping[str, tuple[Path, ...]]
    broken_off: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Workbook":
        """The work in a folder. Raises ``ScenarioError`` for one that is none, in a line."""
        if not _is_folder(folder):
            raise ScenarioError("there is no such folder", str(folder))
        lock, made = _lock(folder / LOCK), _folders(folder / RUNS)
        kept = {name: _kept(folders) for name, folders in made.items()}
        runs = {name: folders for name, folders in kept.items() if folders}
        broken_off = {name: folders[0] for name, folders in made.items() if name not in runs}
        return cls(folder=folder, lock=lock, runs=runs, broken_off=broken_off)

    def next_run(self, run: str) -> Path:
        """The folder of the next run of that name, of which there is none, not one without a record either."""
        last = max((_numbered(each.name)[1] for each in _folders(self.folder / RUNS).get(run, ())), default=0)
        return self.folder / RUNS / f"{run}-{last + 1}"

    def text(self, name: str, most: int = 1 << 18) -> str:
        """A file of the student's, of at most that many bytes. Raises ``ScenarioError``."""
        if not re.fullmatch(FILE, name):
            raise ScenarioError("is no file of this folder", printable(name, 80))
        if not files.there(self.folder / name):
            raise ScenarioError("is not there", str(self.folder / name))
        return files.text(self.folder / name, most)


def surplus(folder: Path, run: str) -> list[str]:
    """What is too much of the runs of that name in a student's folder: first of all those without a record."""
    made = _folders(folder / RUNS).get(run, [])
    kept = _kept(made)
    return [each.name for each in made if each not in kept] if len(made) > KEPT else []


def lock_text(lock: Lock, parameters: Parameters) -> str:
    """What a ``lab.lock`` holds, as YAML."""
    known = {
        "lab": lock.lab,
        "version": lock.version,
        "course": lock.course,
        "student": lock.student,
        "digest": lock.digest,
        "parameters": dict(parameters),
    }
    head = "# What this folder is. Change nothing here: your numbers are drawn again when your work is checked.\n"
    return head + yaml.safe_dump(known, sort_keys=False, allow_unicode=True, default_style=None)


def enclosing(folder: Path) -> Path:
    """The student's folder that ``folder`` is, or lies in. Raises ``ScenarioError``."""
    here = folder.resolve()
    for each in (here, *here.parents):
        if (each / LOCK).is_file():
            return each
    raise ScenarioError(f"no lab was started here: there is no {LOCK}; go into the folder that 'lab start' made")


def _lock(file: Path) -> Lock:
    if not files.there(file):
        raise ScenarioError(f"no work of a lab lies here: there is no {LOCK}", str(file.parent))
    tree, _ = tree_of(files.text(file, files.MOST_SCENARIO), LOCK, "lock")
    version = tree.get("version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise ScenarioError("says no version of its lab", LOCK)
    return Lock(
        course=_word(tree.get("course", ""), "course", least=0),
        student=_word(tree.get("student"), "student"),
        lab=_word(tree.get("lab"), "lab"),
        version=version,
        digest=_word(tree.get("digest", ""), "digest", least=0),
    )


def _word(value: object, name: str, least: int = 1) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not least <= len(text) <= LONGEST or not text.isprintable():
        raise ScenarioError(f"'{name}' must be a text of at most {LONGEST} characters that can be printed", LOCK)
    return text


def _folders(folder: Path) -> dict[str, list[Path]]:
    """Those of each run, with a record or without, the newest first."""
    if not _is_folder(folder):
        return {}
    found: dict[str, list[Path]] = {}
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= MOST_ENTRIES:
                raise ScenarioError(f"holds more than {MOST_ENTRIES} runs", str(folder))
            if _RUN.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                found.setdefault(_numbered(entry.name)[0], []).append(folder / entry.name)
    return {
        name: sorted(paths, key=lambda path: _numbered(path.name)[1], reverse=True) for name, paths in found.items()
    }


def _kept(made: list[Path]) -> tuple[Path, ...]:
    """Of the runs of a name, the newest first, the last ones that have a record; where none of those is valid, the
    newest that is stands in place of the oldest: it is the one that counts. A folder without a record is no run: else
    one that is empty would be asked nothing, and so cost nothing.
    """
    recorded = [each for each in made if files.there(RunFolder(each).summary)]
    newest, older = recorded[:KEPT], recorded[KEPT:]
    if older and not any(map(_valid, newest)):
        newest[-1] = next(filter(_valid, older), newest[-1])
    return tuple(newest)


def _valid(run: Path) -> bool:
    try:
        return summary_reader.as_written(run).valid
    except ScenarioError:
        return False


def _numbered(name: str) -> tuple[str, int]:
    run, _, number = name.rpartition("-")
    return run, int(number)


def _is_folder(path: Path) -> bool:
    """Whether it is one, and no link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False

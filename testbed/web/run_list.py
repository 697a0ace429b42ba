"""The runs of a folder, read once and again when they change: what ``serve`` lists."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from testbed.core.errors import TestbedError
from testbed.core.records.migration import Summary
from testbed.core.text.printable import printable
from testbed.runfiles.files import there
from testbed.runfiles.summary_reader import PAGES, SAMPLES, SUMMARY, doubts, read

FILES = (SUMMARY, "scenario.yaml", SAMPLES, PAGES, "log.txt")
"""What a run may have beside its page, in the order in which it is linked."""
Stamp: TypeAlias = tuple[tuple[int, ...] | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """One run folder. ``name`` as it can be shown, ``link`` as it can be asked for; ``files``: which of ``FILES`` it
    has. ``summary`` is None where it cannot be read, and ``fault`` says why.
    """

    name: str
    link: str
    files: tuple[str, ...]
    summary: Summary | None
    fault: str = ""

    @property
    def valid(self) -> str:
        """In a word, or two."""
        if self.summary is None or self.summary.valid:
            return "yes"
        return "no: edited or damaged" if doubts(self.summary) else "no"


class RunList:
    """The runs of one folder. Links are not followed, and what is no ordinary file is not read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[Stamp, ListedRun]] = {}

    def runs(self) -> list[ListedRun]:
        """As they are now, the newest first, by when they were started; unreadable ones last."""
        listed = list(self._all())
        return sorted(listed, key=lambda each: each.summary.started_at if each.summary else "", reverse=True)

    def _all(self) -> Iterator[ListedRun]:
        for run in self._folder.iterdir():
            try:
                if not run.is_symlink() and there(run / SUMMARY):
                    yield self._one(run)
            except (TestbedError, OSError) as fault:
                yield _found(run, (), None, str(fault))

    def _one(self, run: Path) -> ListedRun:
        stamp = tuple(_stamp(run / name) for name in FILES)
        entry = self._known.get(run.name)
        if entry is None or entry[0] != stamp:
            files = tuple(name for name, seen in zip(FILES, stamp, strict=True) if seen)
            try:
                listed = _found(run, files, read(run))
            except TestbedError as fault:
                listed = _found(run, files, None, str(fault))
            self._known[run.name] = entry = stamp, listed
        return entry[1]


def _found(run: Path, files: tuple[str, ...], summary: Summary | None, fault: str = "") -> ListedRun:
    """A name may hold bytes that are no text."""
    link = quote(os.fsencode(run.name))
    return ListedRun(name=printable(run.name), link=link, files=files, summary=summary, fault=printable(fault))


def _stamp(file: Path) -> tuple[int, ...] | None:
    """What changes when a file does; None where there is no ordinary one."""
    if not file.is_file() or file.is_symlink():
        return None
    about = file.stat()
    return about.st_mtime_ns, about.st_size, about.st_ino

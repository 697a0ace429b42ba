"""A run's folder, complete in itself: summary.json, samples.jsonl, scenario.yaml, log.txt and more."""

import errno
import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.records.migration import Summary
from testbed.linux.files import owned
from testbed.runfiles import summary_reader

RESULTS = Path("results")
"""Where results lie for which nobody names a folder."""
OTHERWISE = "give another folder with --out"
"""What to do where results cannot be written."""
OF_A_LAB = "move the lab's folder to another disk"
"""What to do where a lab's runs cannot be written, which lie nowhere else."""
ANOTHER_PLACE = "give a name with another folder in it"
"""What to do where the name that somebody gave says the folder, too."""
ANOTHER_FILE = "name another file"
"""What to do where one file cannot be that somebody named."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names the files of one run and writes them. Every fault of the file system is one line of ``TestbedError``, which
    says what to do ``otherwise``.
    """

    path: Path
    otherwise: str = OTHERWISE

    @classmethod
    def create(cls, path: Path, otherwise: str = OTHERWISE) -> "RunFolder":
        """A new folder. Raises ``ScenarioError`` if it holds something already, since results are never written over,
        nor are two runs begun in one; and where another user of the machine could exchange what is in it.
        """
        folder = cls(path, otherwise)
        with writing(path, otherwise):
            try:
                if owned.make_folder(path):
                    raise FileExistsError
                owned.create(folder.scenario).close()
            except FileExistsError:
                raise ScenarioError(f"{path} is not empty; {otherwise}, or remove it") from None
        return folder

    @property
    def summary(self) -> Path:
        """Where ``summary.json`` is: the run's figures and verdicts."""
        return self.path / "summary.json"

    @property
    def samples(self) -> Path:
        """Where ``samples.jsonl`` is: a line a sample or event."""
        return self.path / "samples.jsonl"

    @property
    def endings(self) -> Path:
        """``endings/``: a file a migration (``runfiles.endings``)."""
        return self.path / "endings"

    @property
    def pages(self) -> Path:
        """Where ``pages.jsonl`` is: a line a round, with what was sent and dirtied by cells."""
        return self.path / "pages.jsonl"

    @property
    def operations(self) -> Path:
        """``operations/``: a file a service of each migration (``runfiles.operations``)."""
        return self.path / "operations"

    @property
    def scenario(self) -> Path:
        """Where ``scenario.yaml`` is: the scenario as resolved."""
        return self.path / "scenario.yaml"

    @property
    def log(self) -> Path:
        """Where ``log.txt`` is: what the processes of the run said."""
        return self.path / "log.txt"

    def write_scenario(self, resolved: str) -> None:
        """Keeps the scenario as it was run. Where that fails the folder is empty again, as ``create`` wants it: whoever
        made room, or was interrupted, gives the same command again.
        """
        try:
            write_whole(self.scenario, resolved.encode(), self.otherwise)
        except BaseException:
            with suppress(OSError, ScenarioError):
                if self.scenario.stat().st_size == 0:
                    owned.remove(self.scenario)
            raise

    def write_summary(self, summary: Summary) -> None:
        """Whole or not at all: a reader never sees half of it, and one that cannot be written leaves the old one."""
        write_whole(self.summary, to_json(summary).encode(), self.otherwise)

    def read_summary(self) -> Summary:
        """With the ends that a run which was killed could not put there any more (``endings``), and held against itself
        and the run's other files (``summary_reader``). Raises ``ScenarioError`` if there is none or it is not one.
        """
        return summary_reader.read(self.path)


def write_whole(file: Path, content: bytes, otherwise: str = OTHERWISE) -> None:
    """The file with this content, on the disk when this returns; or, whatever happens, as it was before. Takes up the
    room that ``reserve`` may have taken. Raises ``TestbedError``, which says what to do ``otherwise``.
    """
    with writing(file.parent, otherwise):
        owned.write(file, content, sync=True)


def put(file: Path, content: bytes, otherwise: str = OTHERWISE) -> None:
    """The whole file or nothing of it, wherever somebody wants it: a folder that is not there is made. Raises
    ``TestbedError``, which says what to do ``otherwise``; ``ScenarioError`` where a folder has its name.
    """
    if os.path.isdir(file):  # a name that cannot be is for whoever writes
        raise ScenarioError("is a folder, and a file is to be written", str(file))
    with writing(file.parent, otherwise):
        owned.make_folder(file.parent)
        owned.write(file, content)


def reserve(file: Path, size: int, otherwise: str = OTHERWISE) -> None:
    """Room for so many bytes, which ``write_whole`` will find there when the disk is full. Raises ``TestbedError``."""
    with writing(file.parent, otherwise):
        owned.reserve(file, size)


def release(file: Path) -> None:
    """Gives back what ``reserve`` took, where that is still there."""
    with suppress(OSError, ScenarioError):
        owned.release(file)


def new_folder(name: str, parent: Path = RESULTS) -> Path:
    """A folder that is nobody else's: of that name, or ``NAME-2`` where there is one. Raises ``TestbedError``."""
    with writing(parent):
        for number in itertools.count(1):
            path = parent / (name if number == 1 else f"{name}-{number}")
            with suppress(FileExistsError):
                owned.new_folder(path)
                return path
    raise AssertionError("numbers do not end")


@contextmanager
def results_folder(name: str, out: Path | None) -> Iterator[Path]:
    """``out``, or a new folder of results that says what was run and when, and is nobody else's; a new one into which
    nothing was written goes again.
    """
    if out is not None:
        yield out
        return
    path = new_folder(f"{name}-{datetime.now():%Y%m%d-%H%M%S}")
    try:
        yield path
    finally:
        with suppress(OSError):
            path.rmdir()


def to_json(summary: Summary, indent: int | None = 2) -> str:
    """``summary.json`` as text; ``indent`` None: in one line, in a third of the time. Numbers that JSON has not
    (infinity) are our bug and raise ``ValueError``.
    """
    return json.dumps(asdict(summary), indent=indent, allow_nan=False) + "\n"


@contextmanager
def writing(folder: Path, otherwise: str = OTHERWISE, what: str = "results") -> Iterator[None]:
    """Faults of the file system while ``what`` is written, as one line: ``no space left in DIR; ...``. ``otherwise``:
    what to do, of a command that has no ``--out``.
    """
    try:
        yield
    except OSError as error:
        full = {errno.ENOSPC: "no space left", errno.EDQUOT: "the disk quota is used up"}
        if error.errno in full:
            raise TestbedError(f"{full[error.errno]} in {folder}; make room, or {otherwise}") from error
        message = f"{what} cannot be written to {folder}: {error.strerror}; {otherwise}"
        raise TestbedError(message) from error

"""A run's folder, complete in itself: summary.json, samples.jsonl, scenario.yaml, log.txt and more."""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.record import Summary
from testbed.linux import owned
from testbed.report import reading


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names the files of one run and writes them. Every fault of the file system is one line of ``TestbedError``."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new folder. Raises ``ScenarioError`` if it holds something already, since results are never written over,
        and where another user of the machine could exchange what is in it.
        """
        with writing(path):
            if owned.make_folder(path):
                raise ScenarioError(f"{path} is not empty; give another folder with --out, or remove it")
        return cls(path)

    @property
    def summary(self) -> Path:
        """``summary.json``."""
        return self.path / "summary.json"

    @property
    def samples(self) -> Path:
        """``samples.jsonl``."""
        return self.path / "samples.jsonl"

    @property
    def pages(self) -> Path:
        """``pages.jsonl``."""
        return self.path / "pages.jsonl"

    @property
    def scenario(self) -> Path:
        """``scenario.yaml``, as resolved."""
        return self.path / "scenario.yaml"

    @property
    def log(self) -> Path:
        """``log.txt``."""
        return self.path / "log.txt"

    def write_scenario(self, resolved: str) -> None:
        """Keeps the scenario as it was run."""
        self._write(self.scenario, resolved)

    def write_summary(self, summary: Summary) -> None:
        """Whole or not at all: a reader never sees half of it."""
        self._write(self.summary, to_json(summary))

    def read_summary(self) -> Summary:
        """Held against itself and the run's other files (``reading``). Raises ``ScenarioError`` if there is none or it
        is not one.
        """
        return reading.read(self.path)

    def _write(self, file: Path, text: str) -> None:
        with writing(self.path):
            owned.write(file, text.encode())


def to_json(summary: Summary) -> str:
    """``summary.json`` as text. Numbers that JSON has not (infinity) are our bug and raise ``ValueError``."""
    return json.dumps(asdict(summary), indent=2, allow_nan=False) + "\n"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Faults of the file system while results are written, as one line: ``no space left in DIR; ...``."""
    try:
        yield
    except OSError as error:
        full = {errno.ENOSPC: "no space left", errno.EDQUOT: "the disk quota is used up"}
        if error.errno in full:
            raise TestbedError(
                f"{full[error.errno]} in {folder}; make room, or give another folder with --out"
            ) from error
        message = f"results cannot be written to {folder}: {error.strerror}; give another folder with --out"
        raise TestbedError(message) from error

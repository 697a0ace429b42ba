"""A run's folder, complete in itself: summary.json, samples.jsonl, scenario.yaml, log.txt and more."""

import errno
import json
import types
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from testbed.core import json_text
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.record import MigrationRecord, Summary

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names the files of one run and writes them. Every fault of the file system is one line of ``TestbedError``."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new folder. Raises ``ScenarioError`` if it holds something already: results are never written over."""
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
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
        """Raises ``ScenarioError`` if there is none or it is not one."""
        try:
            known = json_text.read(self.summary)
        except OSError as error:
            message = f"no run lies here: {self.summary} cannot be read ({error.strerror})"
            raise ScenarioError(message, str(self.path)) from error
        except ValueError as error:
            raise ScenarioError("is not JSON; the run's files are damaged", str(self.summary)) from error
        return from_json(known, str(self.summary))

    def _write(self, file: Path, text: str) -> None:
        new = file.with_name(f".{file.name}.new")
        with writing(self.path):
            try:
                new.write_text(text, encoding="utf-8")
                new.replace(file)
            finally:
                new.unlink(missing_ok=True)


def to_json(summary: Summary) -> str:
    """``summary.json`` as text. Numbers that JSON has not (infinity) are our bug and raise ``ValueError``."""
    return json.dumps(asdict(summary), indent=2, allow_nan=False) + "\n"


def from_json(known: Any, where: str) -> Summary:
    """The summary that was written. Keys of a later version are passed over. Raises ``ScenarioError``."""
    if not isinstance(known, Mapping) or known.get("schema") != 1:
        raise ScenarioError("is not a summary of schema 1", where)
    try:
        return _build(Summary, known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScenarioError(f"is not a complete summary: {error}", where) from error


def migration_from_json(known: Mapping[str, Any]) -> MigrationRecord:
    """One migration of a summary, as ``from_json`` would read it."""
    return _build(MigrationRecord, known)


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


def _build(kind: type[T], known: Mapping[str, Any]) -> T:
    """A dataclass from a mapping, its parts too."""
    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind) if field.name in known]  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], known[name]) for name in names})


def _value(hint: Any, value: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _value(next(arg for arg in args if arg is not type(None)), value)
    if origin is list:
        return [_value(args[0], item) for item in value]
    if origin is Literal and value not in args:
        raise ValueError(f"{value!r} is none of {', '.join(map(str, args))}")
    return value

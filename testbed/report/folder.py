"""A run's folder, complete in itself: summary.json, samples.jsonl, scenario.yaml, log.txt and more."""

import errno
import itertools
import json
import os
import types
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.record import MigrationRecord, Summary
from testbed.report import endings

T = TypeVar("T")
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Names the files of one run and writes them. Every fault of the file system is one line of ``TestbedError``."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new folder. Raises ``ScenarioError`` if it holds something already: results are never written over, nor are
        two runs begun in one.
        """
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            folder = cls(path)
            try:
                if any(path.iterdir()):
                    raise FileExistsError
                os.close(os.open(folder.scenario, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
            except FileExistsError:
                raise ScenarioError(f"{path} is not empty; give another folder with --out, or remove it") from None
        return folder

    @property
    def summary(self) -> Path:
        """``summary.json``."""
        return self.path / "summary.json"

    @property
    def samples(self) -> Path:
        """``samples.jsonl``."""
        return self.path / "samples.jsonl"

    @property
    def endings(self) -> Path:
        """``endings/``: a file a migration (``report.endings``)."""
        return self.path / "endings"

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
        write_whole(self.scenario, resolved.encode())

    def write_summary(self, summary: Summary) -> None:
        """Whole or not at all: a reader never sees half of it, and one that cannot be written leaves the old one."""
        write_whole(self.summary, to_json(summary).encode())

    def read_summary(self) -> Summary:
        """With the ends that a run which was killed could not put there any more (``report.endings``). Raises
        ``ScenarioError`` if there is none or it is not one.
        """
        try:
            known = json.loads(self.summary.read_text(encoding="utf-8"))
        except OSError as error:
            message = f"no run lies here: {self.summary} cannot be read ({error.strerror})"
            raise ScenarioError(message, str(self.path)) from error
        except ValueError as error:
            raise ScenarioError("is not JSON; the run's files are damaged", str(self.summary)) from error
        summary = from_json(known, str(self.summary))
        endings.complete(summary, [_migration(each, where) for where, each in endings.read(self.endings)])
        return summary


def write_whole(file: Path, content: bytes) -> None:
    """The file with this content, on the disk when this returns; or, whatever happens, as it was before. Takes up the
    room that ``reserve`` may have taken. Raises ``TestbedError``.
    """
    new = _new(file)
    with writing(file.parent):
        try:
            with open(os.open(new, _NEW_FLAGS, 0o644), "wb") as writer:
                writer.write(content)
                writer.truncate()
                writer.flush()
                os.fsync(writer.fileno())
            new.replace(file)
            _sync_folder(file.parent)
        finally:
            new.unlink(missing_ok=True)


def reserve(file: Path, size: int) -> None:
    """Room for so many bytes, which ``write_whole`` will find there when the disk is full. Raises ``TestbedError``."""
    with writing(file.parent):
        fd = os.open(_new(file), _NEW_FLAGS, 0o644)
        try:
            os.posix_fallocate(fd, 0, size)
        except OSError:
            _new(file).unlink()
            raise
        finally:
            os.close(fd)


def release(file: Path) -> None:
    """Gives back what ``reserve`` took, where that is still there."""
    with suppress(OSError):
        _new(file).unlink(missing_ok=True)


def new_folder(name: str, parent: Path = Path("results")) -> Path:
    """A folder that is nobody else's: of that name, or ``NAME-2`` where there is one. Raises ``TestbedError``."""
    with writing(parent):
        parent.mkdir(parents=True, exist_ok=True)
        for number in itertools.count(1):
            path = parent / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    raise AssertionError("numbers do not end")


def _new(file: Path) -> Path:
    """Beside it, so that a rename puts it in its place."""
    return file.with_name(f".{file.name}.new")


def _sync_folder(folder: Path) -> None:
    """Names are on the disk, too."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def to_json(summary: Summary) -> str:
    """``summary.json`` as text. Numbers that JSON has not (infinity) are our bug and raise ``ValueError``."""
    return json.dumps(asdict(summary), indent=2, allow_nan=False) + "\n"


def from_json(known: Any, where: str) -> Summary:
    """The summary that was written. Keys of a later version are passed over. Raises ``ScenarioError``."""
    if not isinstance(known, Mapping) or known.get("schema") != 1:
        raise ScenarioError("is not a summary of schema 1", where)
    with _complete("summary", where):
        return _build(Summary, known)


def _migration(known: Mapping[str, Any], where: str) -> MigrationRecord:
    with _complete("record of a migration", where):
        return _build(MigrationRecord, known)


@contextmanager
def _complete(what: str, where: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScenarioError(f"is not a complete {what}: {error}", where) from error


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

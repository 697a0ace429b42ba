"""The files that grades are written to: opened before anything of a student's is read, so that they can still be
written when root has been given up.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from testbed.core.errors import ScenarioError, TestbedError
from testbed.labs.catalogue import SPEC, STARTER, WRONG
from testbed.labs.workbook import LOCK
from testbed.linux.files import owned
from testbed.runfiles import files

STDOUT = Path("-")
_OF_LAB = (".yaml", ".py", ".md")
_ZIP = b"PK"
"""Begins every zip: none of what is written here does."""


class Output:
    """One of them. ``-`` is stdout."""

    def __init__(self, path: Path, file: IO[bytes] | None) -> None:
        self._path, self._file = path, file
        self._whole = b""

    def write(self, content: str) -> None:
        """Takes the place of what is there. Where there is no room for it, what was written before stands again, and
        ``TestbedError`` is raised.
        """
        if self._file is not None:
            self._file.truncate(0)
        try:
            self.add(content)
        except TestbedError:
            if self._file is not None:
                with suppress(OSError):
                    owned.extend(self._file, self._whole)
            raise
        self._whole = content.encode()

    def add(self, content: str) -> None:
        """Comes after what is there, whole or not at all. Raises ``TestbedError``."""
        if self._file is None:
            sys.stdout.write(content)
            return
        try:
            owned.extend(self._file, content.encode())
        except OSError as fault:
            raise TestbedError(
                f"{self._path} cannot be written: {fault.strerror}; make room, and grade again"
            ) from fault


def check_paths(paths: Mapping[str, Path], hand_ins: Sequence[Path], read: Mapping[str, Path | None]) -> None:
    """Looks, before any is opened, whether a file of ``paths`` would be written over what is read: a hand-in, or one of
    ``read``, by their options; Canvas's roster may be. A shell that puts hand-ins behind an option does that, too.
    Raises ``ScenarioError``.
    """
    inputs = {_real(file): option for option, file in read.items() if file is not None}
    taken: dict[Path, str] = {}
    for name, path in paths.items():
        if path == Path():
            continue
        file = path if path == STDOUT else _real(path)
        why = "" if path == STDOUT else _handed_in(file, hand_ins) or _kept(file)
        if file in taken:
            why = f"is {'stdout' if path == STDOUT else 'the file'} of --{taken[file]}, too"
        elif file in inputs and (name, inputs[file]) != ("canvas", "roster"):
            why = f"is what --{inputs[file]} reads"
        if why:
            raise ScenarioError(f"{path} {why}; name another file", f"--{name}")
        taken[file] = name


def _handed_in(file: Path, hand_ins: Sequence[Path]) -> str:
    """Why it is of a hand-in. In a folder of many it may lie beside them."""
    for given in map(_real, hand_ins):
        if file == given and not os.path.isdir(file):
            return "is a hand-in"
        if given not in file.parents:
            continue
        below = given / file.relative_to(given).parts[0]
        if os.path.exists(given / LOCK):
            return f"lies in a hand-in, {given}"
        if below != file and os.path.isdir(below) and not below.name.startswith("."):
            return f"lies in a hand-in, {below}"
        if file.suffix.lower() == ".zip":
            return f"would be taken for a hand-in in {given}"
    return ""


def _kept(file: Path) -> str:
    """Why what is there is nothing that we wrote: a lab's file, or a zip."""
    lab = next((folder for folder in file.parents if os.path.exists(folder / SPEC)), None)
    if lab and os.path.exists(file) and (file.suffix in _OF_LAB or file.relative_to(lab).parts[0] in {STARTER, WRONG}):
        return "is of a lab"
    try:
        with files.opened(file, sys.maxsize) as there:
            return "is a zip, perhaps a hand-in" if there.read(len(_ZIP)) == _ZIP else ""
    except ScenarioError:  # no file of ours: to open it says why
        return ""


def _real(path: Path) -> Path:
    """Where links lead; of what leads in a circle, its name."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


@contextmanager
def opened(paths: dict[str, Path]) -> Iterator[dict[str, Output]]:
    """Each file of ``paths``, by the same names, to be written; a folder that is not there is made. Raises
    ``TestbedError`` for one that cannot be.
    """
    with ExitStack() as stack:
        yield {
            name: Output(path, None if path == STDOUT else stack.enter_context(_file(name, path)))
            for name, path in paths.items()
        }


def _file(name: str, path: Path) -> IO[bytes]:
    try:
        owned.make_folder(path.parent)
        return owned.append(path, buffering=0)
    except OSError as error:
        why = "names no file" if path == Path() else f"{path} cannot be written: {error.strerror}; name another file"
        raise TestbedError(f"--{name}: {why}") from error

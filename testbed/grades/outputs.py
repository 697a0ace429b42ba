"""The files that grades are written to: opened before anything of a student's is read, so that they can still be
written when root has been given up.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from testbed.core.errors import TestbedError
from testbed.linux.files import owned

STDOUT = Path("-")


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

"""The files that grades are written to: opened before anything of a student's is read, so that they can still be
written when root has been given up.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from testbed.core.errors import TestbedError
from testbed.linux.files import owned

STDOUT = Path("-")


class Output:
    """One of them. ``-`` is stdout."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file

    def write(self, content: str) -> None:
        """Takes the place of what is there. Raises ``OSError``."""
        if self._file is not None:
            self._file.truncate(0)
        self.add(content)

    def add(self, content: str) -> None:
        """Comes after what is there. Raises ``OSError``."""
        if self._file is None:
            sys.stdout.write(content)
            return
        self._file.write(content.encode())
        self._file.flush()


@contextmanager
def opened(paths: dict[str, Path]) -> Iterator[dict[str, Output]]:
    """Each file of ``paths``, by the same names, to be written; a folder that is not there is made. Raises
    ``TestbedError`` for one that cannot be.
    """
    with ExitStack() as stack:
        yield {
            name: Output(None if path == STDOUT else stack.enter_context(_file(name, path)))
            for name, path in paths.items()
        }


def _file(name: str, path: Path) -> IO[bytes]:
    try:
        owned.make_folder(path.parent)
        return owned.append(path)
    except OSError as error:
        why = "names no file" if path == Path() else f"{path} cannot be written: {error.strerror}; name another file"
        raise TestbedError(f"--{name}: {why}") from error

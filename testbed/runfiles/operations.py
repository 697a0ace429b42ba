"""``operations/``: every operation of every service, for whoever wants to look closer.

A file a service:

    MIGRATION-REPEAT-SERVICE.npz     source, destination, client: what each of them logged

Arrays of numpy, shape (n, 4), uint64, a row an operation: start and end (ns of CLOCK_MONOTONIC), number, detail. There
is no ``client`` where the service has none. What of the migration's name a file's may not have becomes ``_``.
"""

import errno
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from testbed.core.errors import ScenarioError
from testbed.core.migration_key import MigrationKey
from testbed.linux.files import owned
from testbed.runfiles.files import DAMAGED, MOST_SAMPLES, opened

Rows = npt.NDArray[np.uint64]
HOSTS, CLIENT = ("source", "destination"), "client"
COLUMNS = 4
MOST_ROWS_BYTES = 1 << 30
"""Unpacked: nine hours of a thousand operations a second."""
_UNREADABLE = (
    *(ValueError, TypeError, KeyError, SyntaxError, EOFError, MemoryError, OverflowError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What ``zipfile`` and ``numpy`` raise for a file that is not what it says."""


def file_of(folder: Path, migration: MigrationKey, service: str) -> Path:
    """Where that service's operations are."""
    slug = "".join(char if char.isalnum() or char in "._-" else "_" for char in migration.name)
    return folder / f"{slug}-{migration.repeat}-{service}.npz"


def write(file: Path, logs: Sequence[Rows], client: Rows | None) -> None:
    """``logs``: the service's own at the source and at the destination; ``client``: its clients'. The folder is made.

    Raises ``OSError``, ``ScenarioError``; then nothing of the file is there.
    """
    rows: dict[str, Rows] = dict(zip(HOSTS, logs, strict=False)) | ({} if client is None else {CLIENT: client})
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **rows)
    owned.make_folder(file.parent)
    owned.write(file, packed.getvalue())


def read(file: Path) -> Mapping[str, Rows]:
    """The rows by who logged them. Raises ``ScenarioError`` for what is no such file, or too large."""
    with opened(file, MOST_SAMPLES) as packed:
        try:
            with zipfile.ZipFile(packed) as parts:
                size = sum(part.file_size for part in parts.infolist())
            if size > MOST_ROWS_BYTES:
                raise ValueError(f"{size / 1e6:,.0f} MB of rows; {MOST_ROWS_BYTES / 1e6:,.0f} are read at most")
            with np.load(packed, allow_pickle=False) as arrays:
                return {name: _checked(name, arrays[name]) for name in arrays.files}
        except _UNREADABLE as error:
            raise ScenarioError(f"holds no operations: {error}; {DAMAGED}", str(file)) from error
        except OSError as error:
            if error.errno != errno.EINVAL:  # of a place before the file's beginning, which only the file itself names
                raise
            raise ScenarioError(f"holds no operations: its parts lie nowhere; {DAMAGED}", str(file)) from error


def _checked(name: str, rows: object) -> Rows:
    """Raises ``ValueError`` for what is no log."""
    if name not in (*HOSTS, CLIENT):
        raise ValueError(f"nobody logs as '{name:.20}'")
    if not isinstance(rows, np.ndarray) or rows.dtype != np.uint64 or rows.ndim != 2 or rows.shape[1] != COLUMNS:
        raise ValueError(f"the rows of the {name} have another form")
    return rows.astype(np.uint64, copy=False)

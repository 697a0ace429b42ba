"""Standard input, output and error as a command may find them, made so that it can go on.

    closed (>&-)        /dev/null takes the number before a file of a run's can get it
    stdout              closed or full: one line on stderr and exit code 1; its reader has gone: a quiet end, 141
    stderr              closed, full or without a reader: what is said there is lost, and nothing else happens
    not UTF-8           what it has no letter for is written in ASCII: ``>`` for an arrow

Data is asked for; what is said on stderr beside it is not, so no run ends for want of it.
"""

import codecs
import io
import os
import select
import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

from testbed.core.errors import OutputFailed, ReaderLeft, TestbedError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PLAIN = "testbed.plain"
"""The name of our way to write what an encoding has not."""
SIGNS = {
    "▶": ">",
    "→": "->",
    "←": "<-",
    "×": "x",
    "·": ".",
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "±": "+-",
    "µ": "u",
    "μ": "u",
    "ρ": "rho",
    "≥": ">=",
    "≤": "<=",
    "≈": "~",
    "✓": "yes",
    "✗": "no",
    "•": "*",
    "“": '"',
    "”": '"',
    "„": '"',
    "‘": "'",
    "’": "'",
    "░": ".",
    "▒": ":",
    "▓": "#",
    "█": "#",
    **dict.fromkeys("─━═╌┄╺╸", "-"),
    **dict.fromkeys("│┃║┆", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋╇╈┡┩", "+"),
}


def prepare() -> None:
    """Takes the place of the interpreter's streams; to be called before anything is opened."""
    closed = sys.stdout is None
    _occupy()
    codecs.register_error(PLAIN, _plain)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it lasts as long as the process
    sys.stdout = _text(_Output(closed=closed), sys.stdout)
    sys.stderr = _text(_Errors(), sys.stderr)


def _occupy() -> None:
    """/dev/null where a standard descriptor is closed, for this process and those that it starts."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _text(raw: "_Descriptor", before: TextIO | None) -> TextIO:
    encoding = getattr(before, "encoding", None) or "utf-8"
    lines = raw.isatty() or isinstance(raw, _Errors)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=PLAIN, line_buffering=lines)


class _Descriptor(io.RawIOBase):
    """One of the process's descriptors, which stays open."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True


class _Output(_Descriptor):
    """stdout. What cannot be written is said once, as ``OutputFailed`` or ``ReaderLeft``; the rest is passed over."""

    def __init__(self, *, closed: bool) -> None:
        super().__init__(1)
        self._closed, self._said = closed, False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Raises ``OutputFailed`` and ``ReaderLeft``."""
        if self._said:
            return len(memoryview(data))
        try:
            return self._written(data)
        except TestbedError:
            self._said = True
            raise

    def _written(self, data: "ReadableBuffer") -> int:
        if self._closed:
            raise OutputFailed("stdout is closed, and what was asked for goes there")
        while True:
            try:
                return os.write(1, data)
            except BlockingIOError:
                select.select([], [1], [])
            except BrokenPipeError as error:
                raise ReaderLeft("whoever read stdout has gone") from error
            except OSError as error:
                raise OutputFailed(f"stdout cannot be written: {error.strerror}") from error


class _Errors(_Descriptor):
    """stderr. What cannot be written is lost."""

    def __init__(self) -> None:
        super().__init__(2)

    def write(self, data: "ReadableBuffer", /) -> int:
        """Never raises."""
        try:
            return os.write(2, data)
        except OSError:
            return len(memoryview(data))


def _plain(error: UnicodeError) -> tuple[str, int]:
    """In ASCII what the stream's encoding has no letter for."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_in_ascii, error.object[error.start : error.end])), error.end


def _in_ascii(character: str) -> str:
    return SIGNS.get(character) or unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"

"""A run's files as anybody may have made them: ordinary ones that lie in their folder, of a bounded size, or one line
that says what is there instead. Nothing here follows a link, waits for a pipe, or reads a device.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from testbed.core.errors import ScenarioError
from testbed.core.text.foreign import BOM, PACKED, as_text, foreign
from testbed.core.text.from_json import JsonObject
from testbed.core.text.yaml_text import MAX_BYTES
from testbed.core.units import in_bytes
from testbed.linux.files.ordinary import ordinary

MOST_SUMMARY = 64 << 20
MOST_SAMPLES = 256 << 20
"""Three hours of migrations. What is read from them takes ten times as much memory."""
MOST_SCENARIO = MAX_BYTES
MOST_LINE = 4 << 20
"""Bytes of a line: one of ``pages.jsonl`` has 2,048 numbers."""
DAMAGED = "the run's files are damaged"


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


_JSON = json.JSONDecoder(parse_constant=_no_number)


@contextmanager
def opened(path: Path, most: int) -> Iterator[IO[bytes]]:
    """An ordinary file of at most that many bytes, to be read. Raises ``ScenarioError`` for anything else, with what it
    is; ``OSError`` is among that.
    """
    try:
        fd = ordinary(path)
    except (OSError, ValueError) as error:
        raise ScenarioError(_why_not(path, error), str(path)) from error
    if fd is None:
        raise ScenarioError("is no ordinary file", str(path))
    with os.fdopen(fd, "rb") as file:
        size = os.fstat(fd).st_size
        if size > most:
            raise ScenarioError(f"has {in_bytes(size)}; {in_bytes(most)} are read at most", str(path))
        try:
            yield file
        except OSError as error:
            raise ScenarioError(f"cannot be read ({error.strerror})", str(path)) from error


def there(path: Path) -> bool:
    """Whether there is something of that name, a link that leads nowhere too; a packed file is said by name.

    Raises ``ScenarioError`` for that, and for a folder that cannot be looked into.
    """
    try:
        path.lstat()
        return True
    except (FileNotFoundError, NotADirectoryError):
        if packed := _packed(path):
            raise ScenarioError(packed, str(path)) from None
        return False
    except (OSError, ValueError) as error:
        raise ScenarioError(_why_not(path, error), str(path)) from error


def text(path: Path, most: int) -> str:
    """All of it. Raises ``ScenarioError``."""
    with opened(path, most) as file:
        data = file.read(min(most, os.fstat(file.fileno()).st_size) + 1)  # a buffer of that size is made first
    return as_text(data, str(path))


def parsed(path: Path, most: int) -> Any:
    """JSON. Raises ``ScenarioError`` with the line where it is none."""
    content = text(path, most)
    try:
        return _JSON.decode(content)
    except json.JSONDecodeError as error:
        raise ScenarioError(f"is not JSON ({error.msg}); {DAMAGED}", f"{path}:{error.lineno}") from error
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"is not JSON ({_briefly(error)}); {DAMAGED}", str(path)) from error


def json_lines(path: Path, most: int, only: Sequence[bytes] = (b"",)) -> Iterator[tuple[str, JsonObject]]:
    """Where each line stands (``file:line``) and the JSON object in it, of those that hold one of ``only``.

    A last line that was cut off (a killed run) is passed over. Raises ``ScenarioError`` for other damage.
    """
    wanted = re.compile(b"|".join(map(re.escape, only))).search
    with opened(path, most) as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_LINE + 1), b""), 1):
            if len(line) > MOST_LINE:
                raise ScenarioError(f"is a line of more than {MOST_LINE / 1e6:.0f} MB; {DAMAGED}", f"{path}:{number}")
            if number == 1 and (refusal := foreign(line, str(path))):
                raise ScenarioError(refusal, str(path))
            if wanted(line) and (row := _row(line, place := f"{path}:{number}")) is not None:
                yield place, row


def _row(line: bytes, place: str) -> JsonObject | None:
    """None for one that was cut off."""
    try:
        row = _JSON.decode(line.decode().removeprefix(BOM))
    except (ValueError, RecursionError) as error:
        if not line.endswith(b"\n"):
            return None
        raise ScenarioError(f"is not JSON ({_briefly(error)}); {DAMAGED}", place) from error
    if not isinstance(row, dict):
        raise ScenarioError(f"is no JSON object; {DAMAGED}", place)
    return row


def _briefly(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return error.msg
        case RecursionError():
            return "nested too deep"
        case UnicodeDecodeError():
            return "it is not UTF-8"
    return str(error) if "digits" not in str(error) else "a number of thousands of digits"


def _packed(path: Path) -> str:
    """That only a packed one is there, and how to unpack it."""
    for end, command in PACKED.items():
        other = path.with_name(path.name + end)
        if os.path.lexists(other):
            return f"is not here, but {other.name} is; unpack it first: {command} {other}"
    return ""


def _why_not(path: Path, error: OSError | ValueError) -> str:
    if os.path.islink(path):  # which says no where it may not look
        return "is a link; a run's files lie in its folder"
    return f"cannot be read ({error.strerror if isinstance(error, OSError) else error})"

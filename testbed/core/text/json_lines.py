"""What a process and the one that started it say to each other: dataclasses as lines of JSON, each with its name.

EVENTS = JsonLines[Ready | Finished]("event", {"ready": Ready, "finished": Finished})
EVENTS.line(Finished(packets=7))                 b'{"event": "finished", "packets": 7}\\n'
EVENTS.read(line)                                Finished(packets=7), or ValueError that says what is wrong
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Generic, TypeVar

from testbed.core.text.from_json import built

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
MOST_LINE = 64 << 20
"""Bytes: a longer line is none of ours."""


class JsonLines(Generic[T]):
    """The lines of one conversation in one direction: ``key`` names the kind of each, as in ``kinds``."""

    def __init__(self, key: str, kinds: Mapping[str, type[T]]) -> None:
        self._key, self._kinds = key, kinds
        self._names = {kind: name for name, kind in kinds.items()}

    def line(self, value: T) -> bytes:
        """One line with its end."""
        return json_line(value, **{self._key: self._names[type(value)]})

    def read(self, line: bytes) -> T:
        """The inverse, of a line that anybody may have written. Raises ``ValueError``."""
        known = _object(line)
        name = known.get(self._key)
        if not isinstance(name, str) or name not in self._kinds:
            raise ValueError(f"{self._key}: {name!r:.40} is none of {', '.join(self._kinds)}")
        return built(self._kinds[name], known)


def json_line(value: "DataclassInstance", **tags: str) -> bytes:
    """A dataclass as one line with its end, ``tags`` before its fields."""
    return json.dumps({**tags, **asdict(value)}).encode() + b"\n"


def read_json_line(kind: type[T], line: bytes) -> T:
    """The dataclass ``kind`` from a line of its fields that anybody may have written. Raises ``ValueError``."""
    return built(kind, _object(line))


def _object(line: bytes) -> Mapping[str, object]:
    """Raises ``ValueError``, also for a line without an end: whoever wrote it was ended in its midst."""
    if not line.endswith(b"\n") or len(line) > MOST_LINE:
        raise ValueError("the line has no end" if line else "nothing was said")
    try:
        known = json.loads(line)
    except RecursionError:
        raise ValueError("is nested too deep") from None
    if not isinstance(known, dict):
        raise ValueError("expected a JSON object")
    return known

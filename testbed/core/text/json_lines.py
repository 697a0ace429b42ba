"""What one process says to another: dataclasses as lines of JSON, each with its name; and, as one argument, what a
process is started with. A conversation is a table of names to dataclasses; all else is here.

EVENTS = JsonLines[Ready | Finished]("event", {"ready": Ready, "finished": Finished})
EVENTS.line(Finished(packets=7))                 b'{"event": "finished", "packets": 7}\\n'
EVENTS.read(line)                                Finished(packets=7), or ValueError that says what is wrong

A reader believes nothing. Numbers are bounded as ``from_json`` has them, and a writer keeps to it: what is too small to
be read is 0, what is too large the largest.
"""

import json
from collections.abc import Container, Mapping
from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from testbed.core.text.from_json import LEAST, MOST, SIGNED, built
from testbed.core.text.printable import printable, printable_texts

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
MOST_LINE = 64 << 20
"""Bytes: a longer line is none of ours."""


class JsonLines(Generic[T]):
    """The lines of one conversation in one direction: ``key`` names the kind of each, as in ``kinds``.

    ``most``: bytes of a line. ``brief``: each text is a sentence or two, and is cut to that as it is read. ``whole``:
    kinds that are made of texts of any length, which are taken as they are.
    """

    def __init__(
        self,
        key: str,
        kinds: Mapping[str, type[T]],
        *,
        most: float = MOST_LINE,
        brief: bool = False,
        whole: Container[type] = (),
    ) -> None:
        self.kinds, self._key, self._most, self._whole = kinds, key, most, whole
        self._names = {kind: name for name, kind in kinds.items()}
        self._decoder = _BRIEF if brief else _STRICT

    def line(self, value: T) -> bytes:
        """One line with its end. Raises ``ValueError`` for a number that is none (NaN)."""
        return json_line({self._key: self._names[type(value)], **_in_json(value)})

    def read(self, line: bytes) -> T:
        """The inverse, of a line that anybody may have written. Raises ``ValueError``, also for a line without an end:
        whoever wrote it was ended in its midst.
        """
        check_end(line, self._most)
        return self.built(json_object(line, self._decoder))

    def built(self, known: Mapping[str, object]) -> T:
        """What such an object says. Raises ``ValueError``."""
        name = known.get(self._key)
        if not isinstance(name, str) or name not in self.kinds:
            raise ValueError(f"{self._key}: {printable(repr(name), 40)} is none of {', '.join(self.kinds)}")
        kind = self.kinds[name]
        return _of_texts(kind, known, name) if kind in self._whole else built(kind, known, name)


def json_line(known: "Mapping[str, object] | DataclassInstance") -> bytes:
    """An object as one line with its end; dataclasses are objects of their fields."""
    return json.dumps(known, allow_nan=False, default=_in_json).encode() + b"\n"


def read_json_line(kind: type[T], line: bytes) -> T:
    """The dataclass ``kind`` from a line of its fields that anybody may have written. Raises ``ValueError``."""
    check_end(line)
    return built(kind, json_object(line))


def check_end(line: bytes, most: float = MOST_LINE) -> None:
    """Raises ``ValueError`` for a line without an end, or with one that comes too late."""
    if not line.endswith(b"\n") or len(line) > most:
        raise ValueError(f"{'' if line else 'nothing was said: '}the line has no end within {len(line)} bytes")


def argument(config: "DataclassInstance") -> str:
    """What a process is started with, as one argument."""
    return json.dumps(_in_json(config), default=_in_json)


def read_argument(kind: type[T], text: str) -> T:
    """The inverse. Raises ``ValueError``."""
    return built(kind, argument_object(text))


def argument_object(text: str) -> dict[str, Any]:
    """What an argument holds; settings of somebody's own may hold numbers that are none. Raises ``ValueError``."""
    return json_object(text.encode(errors="surrogatepass"), _ANY)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


_ANY = json.JSONDecoder()
_STRICT = json.JSONDecoder(parse_constant=_no_number)
_BRIEF = json.JSONDecoder(parse_constant=_no_number, object_hook=printable_texts)


def json_object(data: bytes, decoder: json.JSONDecoder = _STRICT) -> dict[str, Any]:
    """The object that somebody wrote. Raises ``ValueError``."""
    try:
        known = decoder.decode(data.decode())
    except RecursionError:
        raise ValueError("it is no JSON: nested too deep") from None
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from error
    if not isinstance(known, dict):
        raise ValueError("expected a JSON object")
    return known


def _in_json(value: Any) -> Any:
    """What JSON has no words for: a part's fields, a choice."""
    if isinstance(value, Enum):
        return value.value
    return {field.name: _bounded(field.name, getattr(value, field.name)) for field in fields(value)}


def _bounded(name: str, value: object) -> object:
    """Numbers that are fields; those in lists count something, and lists may be long."""
    if isinstance(value, bool) or not isinstance(value, int | float) or name in SIGNED:
        return value
    return 0 if abs(value) < LEAST else max(min(value, MOST), -MOST)


def _of_texts(kind: type[T], known: Mapping[str, Any], name: str) -> T:
    texts: dict[str, Any] = {each.name: known.get(each.name) for each in fields(kind)}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"{name}: is made of texts")
    return kind(**texts)

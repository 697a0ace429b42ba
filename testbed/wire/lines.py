"""Values as lines between a run and its processes: one JSON object a line, its kind under one key.

    {"event": "progress", "at": 12.5, "round": 2, "sent_bytes": 4096, "round_bytes": 8192}

A dialect is a table of kinds, each a dataclass whose annotations say what may stand in a line. Nothing else is read: no
unknown kind, no missing or unknown field, no number where a text belongs, no line without its end. So whoever reads
need not ask whether a key is there, and a misspelt one is found by the type checker and not at the end of a run.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from testbed.core.errors import LocalProtocolError, RemoteProtocolError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
LONGEST = 8 << 20
"""Bytes of a line with its end. The longest honest ones tell of a round's pages cell by cell."""


class Dialect(Generic[T]):
    """What one process may say to another. ``key`` is where a line's kind stands, ``kinds`` the dataclass of each."""

    def __init__(self, key: str, kinds: Mapping[str, type[T]]) -> None:
        self._key, self._kinds = key, dict(kinds)
        self._names = {kind: name for name, kind in self._kinds.items()}
        if len(self._names) != len(self._kinds):
            raise ValueError("one kind has two names")

    def write(self, value: T) -> bytes:
        """One line with its end. Raises ``LocalProtocolError`` for a value of no kind, or too long for a line."""
        name = self._names.get(type(value))
        if name is None:
            raise LocalProtocolError(f"{type(value).__name__} is no {self._key} of this dialect")
        line = msgspec.json.encode({self._key: name, **msgspec.to_builtins(value)}) + b"\n"
        if len(line) > LONGEST:
            raise LocalProtocolError(
                f"{self._key} '{name}' makes a line of {len(line)} bytes; at most {LONGEST} may be"
            )
        return line

    def read(self, line: bytes) -> T:
        """The value of one line with its end. Raises ``RemoteProtocolError``: where, and what was expected."""
        if len(line) > LONGEST or not line.endswith(b"\n"):
            raise RemoteProtocolError(f"a line of {len(line)} bytes that was cut off or is too long")
        try:
            fields: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
            name = fields.pop(self._key, None)
            kind = self._kinds.get(name) if isinstance(name, str) else None
            if kind is None:
                raise RemoteProtocolError(f"no {self._key} is called {name!r:.40}")
            return _strictly(kind, fields)
        except (ValueError, RecursionError) as fault:  # msgspec's errors are ValueErrors
            raise RemoteProtocolError(f"a line that cannot be read: {fault}") from fault


def _strictly(kind: type[T], fields: dict[str, Any]) -> T:
    """Raises ``ValueError``, also for fields that the kind has not, which msgspec would pass over."""
    if strange := fields.keys() - {field.name for field in dataclasses.fields(kind)}:
        raise ValueError(f"{kind.__name__} has no {min(strange)!r:.40}")
    return msgspec.convert(fields, kind)

"""Values out of JSON that anybody may have written: each as its type says, of a size that can be worked with, or a
place and a sentence that say which is not.

    built(Summary, json.loads(text))     ValueError: migrations[0].vm.ram_bytes: expected a whole number, not 'much'

Keys that a type does not know are passed over: a later version wrote them.
"""

import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, NewType, TypeAlias, TypeVar

from testbed.core.text.printable import printable

T = TypeVar("T")
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""Any value that JSON has."""
JsonObject: TypeAlias = dict[str, Json]
"""One of its objects, of which nothing is known but that."""
Trusted = NewType("Trusted", dict[str, Any])
"""A mapping that is taken as it is, whatever is in it: not for what anybody may have written."""
MOST = 10**18
"""No number of a record is larger: 10^18 bytes are an exabyte, and 64 bits hold it."""
LEAST = 1e-30
"""Nor smaller, but 0. Sums, products and quotients of what lies between stay finite."""
MOST_TEXT = 100_000
"""Characters of a text."""
MOST_DEPTH = 16
"""Of what is taken as it is: settings, the environment."""
_HALF = re.compile("[\ud800-\udfff]")
SIGNED = frozenset({"seed"})
"""Whole numbers that may be below 0, and as large as 64 bits hold; all others count something."""
MOST_SIGNED = (1 << 63) - 1


def built(kind: type[T], known: object, place: str = "") -> T:
    """The dataclass ``kind`` from a mapping, its parts too. Raises ``ValueError``."""
    if not isinstance(known, Mapping):
        raise _wrong("a mapping of keys", known, place)
    hints, made = _hints(kind), dict[str, object]()  # type: ignore[arg-type]
    for field in fields(kind):  # type: ignore[arg-type]
        there = f"{place}.{field.name}" if place else field.name
        if field.name in known:
            made[field.name] = value(hints[field.name], known[field.name], there)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{there} is missing")
    return kind(**made)


def value(hint: Any, known: object, place: str) -> Any:
    """What ``known`` is as a value of type ``hint``. Raises ``ValueError``."""
    if hint in _PLAIN:
        return _PLAIN[hint](known, place)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return built(hint, known, place)
    if origin in (types.UnionType, typing.Union):
        return None if known is None else value(next(arg for arg in args if arg is not type(None)), known, place)
    if origin is Literal:
        return _one_of(args, known, place)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(_one_of(tuple(each.value for each in hint), known, place))
    return _SEVERAL[origin](args, known, place)


def plain(known: object, place: str, depth: int = MOST_DEPTH) -> Any:
    """Any value that JSON has, bounded; with a ``depth`` of 1 a single one. Raises ``ValueError``."""
    match known:
        case None | bool():
            return known
        case str():
            return text(known, place)
        case int() | float():
            return number(known, place)
    if depth <= 1:
        raise ValueError(f"{place}: is nested too deep")
    match known:
        case list():
            return [plain(each, f"{place}[{index}]", depth - 1) for index, each in enumerate(known)]
        case dict():
            return {text(key, place): plain(each, f"{place}.{key:.40}", depth - 1) for key, each in known.items()}
    raise _wrong("a value", known, place)


def _whole(known: object, place: str) -> int:
    if isinstance(known, float) and known.is_integer():
        known = int(known)  # JSON does not tell 1.0 from 1
    signed = place.rpartition(".")[2] in SIGNED
    if isinstance(known, bool) or not isinstance(known, int) or abs(known) > (MOST_SIGNED if signed else MOST):
        raise _wrong("a whole number", known, place)
    if known < 0 and not signed:
        raise _wrong("a number that is not below 0", known, place)
    return known


def number(known: object, place: str) -> int | float:
    """A finite one, of a size that can be worked with. Raises ``ValueError``."""
    if isinstance(known, bool) or not isinstance(known, int | float) or not (known == 0 or LEAST <= abs(known) <= MOST):
        raise _wrong("a number", known, place)
    return known


def text(known: object, place: str) -> str:
    """One that can be written, not too long; made printable. Raises ``ValueError``."""
    if not isinstance(known, str) or len(known) > MOST_TEXT:
        raise _wrong("a text", known, place)
    if not known.isascii() and _HALF.search(known):
        raise ValueError(f"{place}: holds half a character (an escape such as \\ud800)")
    return printable(known, MOST_TEXT)


def _trusted(known: object, place: str) -> Trusted:
    if not isinstance(known, dict):
        raise _wrong("a mapping of keys", known, place)
    return Trusted(known)


def _truth(known: object, place: str) -> bool:
    if not isinstance(known, bool):
        raise _wrong("true or false", known, place)
    return known


def _one_of(args: tuple[Any, ...], known: object, place: str) -> Any:
    if not isinstance(known, str) or known not in args:
        raise ValueError(f"{place}: {_shown(known)} is none of {', '.join(map(str, args))}")
    return known


def _list(args: tuple[Any, ...], known: object, place: str) -> list[Any]:
    if not isinstance(known, list):
        raise _wrong("a list", known, place)
    if args[0] is int and _are_counts(known):
        return known.copy()
    return [value(args[0], each, f"{place}[{index}]") for index, each in enumerate(known)]


def _are_counts(known: list[Any]) -> bool:
    """Whether each is a whole number as it should be: one look at all, since pictures of memory have a million."""
    return set(map(type, known)) == {int} and min(known) >= 0 and max(known) <= MOST


def _tuple(args: tuple[Any, ...], known: object, place: str) -> tuple[Any, ...]:
    if args[1:] == (...,):
        return tuple(_list(args, known, place))
    if not isinstance(known, list) or len(known) != len(args):
        raise _wrong(f"a list of {len(args)}", known, place)
    return tuple(value(hint, each, f"{place}[{i}]") for i, (hint, each) in enumerate(zip(args, known, strict=True)))


def _mapping(args: tuple[Any, ...], known: object, place: str) -> dict[Any, Any]:
    if not isinstance(known, dict):
        raise _wrong("a mapping of keys", known, place)
    return {text(key, place): value(args[1], each, f"{place}.{key:.40}") for key, each in known.items()}


_PLAIN: dict[Any, Callable[[object, str], Any]] = {
    int: _whole, float: number, str: text, bool: _truth, Any: plain, Trusted: _trusted,
}  # fmt: skip
_SEVERAL: dict[Any, Callable[[tuple[Any, ...], object, str], Any]] = {list: _list, tuple: _tuple, dict: _mapping}


@cache
def _hints(kind: type) -> dict[str, object]:
    return typing.get_type_hints(kind)


def _wrong(expected: str, known: object, place: str) -> ValueError:
    return ValueError(f"{place}: expected {expected}, not {_shown(known)}" if place else f"expected {expected}")


def _shown(known: object) -> str:
    """In a few characters. Python refuses to print an integer of thousands of digits."""
    match known:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[known]
        case int():
            return str(known) if abs(known) <= 10 * MOST else "one of more than 19 digits"
        case float():
            return repr(known)
        case str():
            return repr(known) if len(known) <= 40 else f"{known[:40]!r}..."
    return "a list" if isinstance(known, list) else "a mapping"

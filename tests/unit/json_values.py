"""Values of whatever type a line may hold, and one conversation's ends, for the tests that all conversations share."""

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, get_args

from hypothesis import strategies as st

from testbed.core.text.from_json import LEAST, MOST, Trusted
from testbed.core.text.printable import printable

TEXT = st.text(max_size=40).map(printable)
SIZES = st.just(0.0) | st.floats(LEAST, MOST)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(0, MOST),
    float: SIZES | SIZES.map(lambda number: -number),
    str: TEXT,
    bool: st.booleans(),
    Any: st.none() | st.booleans() | SIZES | TEXT,
    Trusted: st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False) | st.text()),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of that type, as large as it can be said."""
    if hint in PLAIN:
        return PLAIN[hint]
    if not isinstance(hint, type) or typing.get_origin(hint):
        return several(typing.get_origin(hint), get_args(hint))
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    hints = typing.get_type_hints(hint)
    return st.builds(hint, **{name: values(hints[name]) for name in hints})


def several(origin: Any, args: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """Of a type that is made of others."""
    if origin is Literal:
        return st.sampled_from(args)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(st.none() if arg is type(None) else values(arg) for arg in args))
    if origin is dict:
        return st.dictionaries(TEXT, values(args[1]), max_size=4)
    if args[1:] == (...,):
        return st.lists(values(args[0]), max_size=4).map(tuple)
    return st.tuples(*map(values, args))


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """``said``: all that can be said in it. ``refused``: with what a reader answers anything else."""

    said: st.SearchStrategy[Any]
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    refused: type[Exception] = ValueError

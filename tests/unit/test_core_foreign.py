"""What a file is that was given instead of ours; text that moves nothing on a terminal; values out of JSON."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.errors import ScenarioError
from testbed.core.text.foreign import as_text, foreign
from testbed.core.text.from_json import MOST, built
from testbed.core.text.printable import printable


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Part:
    size: int
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Whole:
    name: str
    kind: Literal["a", "b"] = "a"
    colour: Colour = Colour.RED
    parts: list[Part] = field(default_factory=list)
    pair: tuple[float, float] | None = None
    anything: dict[str, Any] = field(default_factory=dict)
    counts: list[int] = field(default_factory=list)


def test_values_are_built_as_their_types_say() -> None:
    known = {
        "name": "x",
        "kind": "b",
        "colour": "red",
        "parts": [{"size": 3.0, "share": 1}],
        "pair": [1, 2.5],
        "counts": [0, 7, MOST],
        "later": 1,
    }
    made = built(Whole, known)
    assert made == Whole(name="x", kind="b", parts=[Part(size=3, share=1)], pair=(1, 2.5), counts=[0, 7, MOST])
    assert type(made.parts[0].size) is int
    (whole,) = built(Whole, {"name": "x", "counts": [3.0]}).counts
    assert type(whole) is int


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": 3}, "name: expected a text, not 3"),
        ({"kind": "c"}, "kind: 'c' is none of a, b"),
        ({"colour": "blue"}, "colour: 'blue' is none of red"),
        ({"parts": {}}, "parts: expected a list, not a mapping"),
        ({"parts": [{"size": 1}, {}]}, r"parts\[1\].size is missing"),
        ({"parts": [{"size": -1}]}, r"parts\[0\].size: expected a number that is not below 0, not -1"),
        ({"parts": [{"size": 1.5}]}, r"parts\[0\].size: expected a whole number, not 1.5"),
        ({"parts": [{"size": 10**400}]}, "not one of more than 19 digits"),
        ({"parts": [{"size": True}]}, "expected a whole number, not true"),
        ({"parts": [{"size": 1, "share": float("nan")}]}, r"parts\[0\].share: expected a number, not nan"),
        ({"parts": [{"size": 1, "share": 1e308}]}, r"share: expected a number, not 1e\+308"),
        ({"pair": [1]}, "pair: expected a list of 2, not a list"),
        ({"counts": [1, 2, -1]}, r"counts\[2\]: expected a number that is not below 0, not -1"),
        ({"counts": [MOST + 1, 1]}, r"counts\[0\]: expected a whole number, not "),
        ({"counts": [1, True]}, r"counts\[1\]: expected a whole number, not true"),
        ({"counts": [1, "2"]}, r"counts\[1\]: expected a whole number, not '2'"),
        ({"anything": {"a": [float("inf")]}}, r"anything.a\[0\]: expected a number, not inf"),
        ({"anything": {"a": "\ud800"}}, "anything.a: holds half a character"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        built(Whole, {"name": "x"} | changes)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
)


@given(ANY)
def test_anything_is_a_value_or_a_value_error(known: Any) -> None:
    for key in ("name", "kind", "parts", "pair", "anything"):
        try:
            made = built(Whole, {"name": "x", key: known})
        except ValueError as error:
            assert str(error)
        else:
            assert all(each.size <= MOST for each in made.parts)


@given(st.text())
def test_nothing_that_is_printed_moves_the_cursor(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() and (shown == text if text.isprintable() else True)


def test_what_cannot_be_seen_is_shown() -> None:
    assert printable("a\x1b[31mb\n\tc\u202ed\xa0e") == "a\\x1b[31mb  c\\u202ed e"


def test_packed_text_and_marks() -> None:
    assert as_text("\ufeffa".encode(), "f") == "a" and foreign(b"name: x", "f") is None
    with pytest.raises(ScenarioError, match=r"^f: this is zstd; unpack it first: unzstd f$"):
        as_text(b"\x28\xb5\x2f\xfd", "f")
    with pytest.raises(ScenarioError, match="f:3: is not UTF-8"):
        as_text(b"a\nb\n\xff", "f")

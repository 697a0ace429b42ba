"""Whatever others say comes out as one line that a terminal shows and does not obey."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.rounds import Action, Decision
from testbed.core.text.printable import MOST, printable, printable_texts

HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "a\nb\rc",
    "\u202egnp.exe",
    "\x9b31m",
    "\u200b",
    "\ud800",
    "\x00",
    "\u2028",
    "\ufeff",
]


@given(st.text())
def test_it_is_one_printable_line_of_bounded_length(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable() and len(shown) <= 10 * (MOST + 3)
    assert printable(shown, len(shown)) == shown


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_terminal_would_obey_is_shown_by_its_number(text: str) -> None:
    assert printable(f"before {text} after").startswith("before ") and printable(text).isprintable()
    assert "\x1b" not in printable(text) and "\u202e" not in printable(text)


def test_plain_words_stay_as_they_are() -> None:
    for text in ("stopped after round 2: 643 pages", "été, 中文, ∞", "[red]no markup[/red]", ""):
        assert printable(text) == text
    assert printable("a\tb\u00a0c\nd") == "a b c d"
    assert printable("\x1b[31m") == r"\x1b[31m" and printable("\u202e") == r"\u202e"


def test_a_long_text_is_cut_and_says_so() -> None:
    assert printable("x" * 10_000) == "x" * MOST + "..."


def test_every_text_of_an_object_is_made_so() -> None:
    text = json.dumps({"a\x1b": "\x1b", "in": {"b": ["\x07", 1, {"c": "\n"}]}, "n": 1.5, "none": None})
    assert json.loads(text, object_hook=printable_texts) == {
        r"a\x1b": r"\x1b", "in": {"b": [r"\x07", 1, {"c": " "}]}, "n": 1.5, "none": None,
    }  # fmt: skip


def test_a_policy_cannot_colour_its_reason() -> None:
    assert Decision(action=Action.GO_ON, reason="\x1b[31mred").reason == r"\x1b[31mred"

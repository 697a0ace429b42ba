"""The pictures of the slides are what they are drawn from, and can be read from the back row."""

import re
from pathlib import Path

import pytest

from docs.site.pictures import PICTURES
from docs.site.pictures.canvas import HEIGHT, WIDTH, Canvas
from tests.unit.documents import ROOT

SLIDES = ROOT / "docs" / "slides"
LEAST_LETTERS = 24


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_it_is_drawn_from(name: str) -> None:
    drawn = str(PICTURES[name]())
    assert drawn == (SLIDES / "pictures" / f"{name}.svg").read_text(encoding="utf-8"), (
        "draw them again: .venv/bin/python -m docs.site.pictures"
    )
    sizes = [int(size) for size in re.findall(r'font-size="(\d+)"', drawn)]
    assert sizes and min(sizes) >= LEAST_LETTERS
    for x, y, width, height in re.findall(r'<rect x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"', drawn):
        assert 0 <= float(x) <= float(x) + float(width) <= WIDTH
        assert 0 <= float(y) <= float(y) + float(height) <= HEIGHT


@pytest.mark.parametrize("deck", sorted(SLIDES.glob("[0-9]*.md")), ids=lambda deck: deck.stem)
def test_a_deck_votes_before_its_picture_and_says_what_the_picture_shows(deck: Path) -> None:
    text = deck.read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^]]*)\]\(([^)]+)\)", text)
    assert shown and all(len(words) > 20 and (SLIDES / file).is_file() for words, file in shown)
    assert 0 < text.index("\n## The story") < text.index("\n## Vote") < text.index("![")
    vote = text.partition("\n## Vote")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\d\. ", vote, re.MULTILINE)) >= 3 and "\n> " in vote


def test_each_lab_has_a_deck_that_is_listed_and_has_its_minutes() -> None:
    decks = {deck.stem for deck in SLIDES.glob("[0-9]*.md")}
    assert decks == {lab.parent.name for lab in ROOT.glob("labs/[0-9]*/README.md")}
    listed = (SLIDES / "README.md").read_text(encoding="utf-8")
    lecture = (ROOT / "docs" / "teaching" / "lecture.md").read_text(encoding="utf-8")
    for deck in decks:
        assert f"({deck}.md)" in listed
        assert re.search(rf"\(\.\./slides/{deck}\.md\) \| \d+ \| [^|]+\? \| \d \|", lecture), deck


def test_what_is_written_into_a_picture_is_words() -> None:
    canvas = Canvas("a < b")
    canvas.text(0, 30, "</text><script>", size=30)
    assert "<script" not in str(canvas) and "<title>a &lt; b</title>" in str(canvas)

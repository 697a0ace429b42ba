"""A tracker of the user's own on real pages: the class that ``interleavings`` drives, and what it does wrong."""

import hashlib
import os
from pathlib import Path

import pytest

from testbed.core.errors import MigrationAborted, ScenarioError, TestbedError
from testbed.dirty import own_file
from testbed.dirty.choice import choose
from tests.unit.memories import PAGES, OwnMemory
from tests.unit.test_dirty_trackers import pages_of

MINE = """\
class Mine:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.pages.protect()

    def collect(self):
        found = self.pages.written()
        for page in found:
            self.pages.protect(page, 1)
        return found
"""
COMPARING = """\
from zlib import crc32

class Mine:
    def __init__(self, pages):
        self.pages = pages

    def start(self):
        self.seen = [crc32(self.pages.read(page)) for page in range(self.pages.count)]

    def collect(self):
        before = self.seen
        self.start()
        return {page for page, held in enumerate(self.seen) if held != before[page]}
"""
pytestmark = pytest.mark.needs_kernel("UFFD_FEATURE_WP_ASYNC")


def written(folder: Path, text: str) -> str:
    file = folder / "mine.py"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("text", [MINE, COMPARING])
def test_it_finds_exactly_what_was_written_round_after_round(tmp_path: Path, own: OwnMemory, text: str) -> None:
    name = written(tmp_path, text)
    chosen = choose(own.ports, name)
    assert chosen.tracker.name == name
    assert chosen.reason == f"{name}: code of one's own, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"
    tracker = chosen.tracker
    tracker.start()
    for pages in ([], [3], [0, 1, 2, 99, PAGES - 1], [3]):
        for page in pages:
            own.write(page)
        assert pages_of(tracker) == pages
    tracker.close()
    own.write(1)


def test_a_range_is_asked_for_and_protected_alone(own: OwnMemory) -> None:
    pages = own_file.KernelPages(own.ports, "mine")
    pages.protect()
    for page in (2, 3, 7):
        own.write(page)
    assert pages.written() == pages.written() == [2, 3, 7]
    assert pages.written(3) == [3, 7] and pages.written(0, 3) == [2] and pages.written(5, 0) == []
    pages.protect(3, 2)
    assert pages.written() == [2, 7] and pages.read(7) == bytes(own.bytes[7])
    for wrong in ((PAGES, 1), (-1, 1), (0, PAGES + 1), (2, -1)):
        with pytest.raises(IndexError):
            pages.written(*wrong)
    pages.close()


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("return found", "return [1 / 0]", ":12: the tracker failed in 'collect': ZeroDivisionError: division by zero"),
        (
            "return found",
            "return [-1]",
            ":8: the tracker's 'collect' is to return numbers of pages, each from 0 to 511",
        ),
        ("return found", "raise SystemExit(1)", ":12: the tracker failed in 'collect': SystemExit: 1"),
        ("self.pages.protect()", "self.page.protect()", ":6: the tracker failed in 'start': AttributeError"),
        (
            "self.page",
            "pages.count = 1; self.page",
            ":3: the tracker failed in '__init__': AttributeError: property 'count'",
        ),
        ("self.pages = pages", "raise KeyError(3)", ":3: the tracker failed in '__init__': KeyError: 3"),
        ("return found", "\n        while True: pass", ":13: the tracker took more than 0.05 s for 'collect'"),
    ],
)
def test_what_it_does_wrong_is_one_line_with_its_place(
    tmp_path: Path, own: OwnMemory, monkeypatch: pytest.MonkeyPatch, was: str, now: str, said: str
) -> None:
    monkeypatch.setattr(own_file, "COLLECT_S", 0.05)
    name = written(tmp_path, MINE.replace(was, now, 1))
    with pytest.raises(MigrationAborted) as raised:
        tracker = choose(own.ports, name).tracker
        try:
            tracker.start()
            tracker.collect()
        finally:
            tracker.close()
    assert str(raised.value).startswith(f"{name}{said}") and "\n" not in str(raised.value)
    choose(own.ports, "uffd-wp").tracker.close()  # nothing of it holds the memory any more


def test_what_it_does_wrong_in_the_end_hinders_nothing(
    tmp_path: Path, own: OwnMemory, capsys: pytest.CaptureFixture[str]
) -> None:
    name = written(tmp_path, f"{MINE}\n    def close(self):\n        raise OSError('no')\n")
    tracker = choose(own.ports, name).tracker
    tracker.close()
    assert capsys.readouterr().err == f"{name}:15: the tracker failed in 'close': OSError: no\n"
    choose(own.ports, "uffd-wp").tracker.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected one dirty tracker in it (a class with methods 'start' and 'collect'), found 0"),
        ("class Mine:\n    def start(self): ...", "found 0; Mine (near line 2) has no method 'collect'"),
        (MINE + MINE.replace("Mine", "Other"), "found 2: Mine (near line 2), Other (near line 14)"),
        ("import nothing_of_that_name", ":1: the dirty tracker in it does not run: ModuleNotFoundError"),
        ("class :", ":1: the dirty tracker in it does not run: SyntaxError"),
    ],
)
def test_a_file_that_is_no_tracker(tmp_path: Path, own: OwnMemory, text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        choose(own.ports, written(tmp_path, text))
    assert said in str(raised.value)


def test_a_guest_that_is_gone_is_no_fault_of_the_tracker(tmp_path: Path, own: OwnMemory) -> None:
    tracker = choose(own.ports, written(tmp_path, MINE)).tracker
    os.close(tracker._pages._memory._fd)  # type: ignore[attr-defined]
    with pytest.raises(TestbedError, match=r"cannot be found .*; does it run\?") as raised:
        tracker.start()
    assert not isinstance(raised.value, MigrationAborted)
    tracker._pages._memory._fd = os.open(os.devnull, os.O_RDONLY)  # type: ignore[attr-defined]
    tracker.close()

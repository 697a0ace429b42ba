"""Trackers in every order in which they and a guest can act: right ones pass, wrong ones are told as a story."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from testbed.dirty.guest_pages import GuestPages
from testbed.dirty.interleavings import explore
from testbed.dirty.own_file import OWN_TRACKER


class Protecting:
    """Asks first, and protects what was written, all of it before it is read."""

    def __init__(self, pages: GuestPages) -> None:
        self.pages = pages

    def start(self) -> None:
        self.pages.protect()

    def collect(self) -> Iterable[int]:
        found = self.pages.written()
        for page in found:
            self.pages.protect(page, 1)
        return found


class Comparing:
    """Knows a page by what it held when it was looked at last."""

    def __init__(self, pages: GuestPages) -> None:
        self.pages = pages

    def start(self) -> None:
        self.seen = self.all()

    def all(self) -> list[bytes]:
        return [self.pages.read(page) for page in range(self.pages.count)]

    def collect(self) -> Iterable[int]:
        before, self.seen = self.seen, self.all()
        return [page for page, held in enumerate(self.seen) if held != before[page]]


class Late(Protecting):
    """Protects all after it has read which are written."""

    def collect(self) -> Iterable[int]:
        found = self.pages.written()
        self.pages.protect()
        return found


class Early(Protecting):
    """Protects all before it has read which are written."""

    def collect(self) -> Iterable[int]:
        self.pages.protect()
        return self.pages.written()


class Unprotected(Late):
    def start(self) -> None: ...


class OfTwo(Protecting):
    """Has room for two pages."""

    def collect(self) -> Iterable[int]:
        return list(super().collect())[:2]


class Once(Protecting):
    """Forgets to protect again what it found."""

    def collect(self) -> Iterable[int]:
        return self.pages.written()


class Everything(Protecting):
    def collect(self) -> Iterable[int]:
        return range(self.pages.count)


@pytest.mark.parametrize("made", [Protecting, Comparing])
def test_the_right_ones_lose_nothing_and_send_nothing_without_need(made: type) -> None:
    found = explore(made)
    assert found.wrong is None and found.interleavings > 1000 and found.sent > 1000 and found.needless == 0


def test_what_is_sent_without_need_and_what_is_called_is_counted() -> None:
    everything, once, right = explore(Everything), explore(Once), explore(Protecting)
    assert everything.wrong is None and once.wrong is None
    assert everything.needless > everything.sent / 2 and 0 < once.needless < everything.needless
    assert everything.calls < right.calls < explore(Comparing).calls


def test_protecting_after_reading_is_told_by_the_shortest_story() -> None:
    assert str(explore(Late).wrong) == (
        "after these steps:\n"
        "1. start\n"
        "2. your tracker protects page 0\n"
        "3. round 1 sends page 0\n"
        "4. collect\n"
        "5. your tracker asks for page 0: still protected, so not written\n"
        "6. the guest writes page 0\n"
        "7. your tracker protects page 0\n"
        "8. the guest is paused\n"
        "9. collect\n"
        "10. your tracker asks for page 0: still protected, so not written\n"
        "11. your tracker protects page 0\n"
        "***** page 0 at the destination is as it was in the beginning; the guest's is of step 6"
    )


@pytest.mark.parametrize(
    ("made", "steps", "writes"), [(Early, 8, 1), (Unprotected, 14, 1), (OfTwo, 20, 3), (Late, 11, 1)]
)
def test_each_wrong_one_has_the_fewest_writes_that_show_it(made: type, steps: int, writes: int) -> None:
    wrong = explore(made).wrong
    assert wrong is not None and "at the destination" in wrong.end
    assert len(wrong.steps) == steps and sum("the guest writes" in each for each in wrong.steps) == writes
    number = int(wrong.end.rpartition(" ")[2])
    assert wrong.steps[number - 1].startswith("the guest writes page")


def test_what_needs_three_pages_is_not_found_on_two() -> None:
    assert explore(OfTwo, pages=2).wrong is None


def test_deeper_is_more_and_nothing_is_tried_twice() -> None:
    orders = [explore(Protecting, depth=depth).interleavings for depth in range(1, 7)]
    assert orders == sorted(set(orders)) and explore(Protecting, depth=0).interleavings == orders[0]
    assert explore(OfTwo, depth=2).wrong is None and explore(OfTwo).wrong is not None


@pytest.mark.parametrize(("made", "wrong"), [(Protecting, False), (Late, True)])
@pytest.mark.parametrize("more", [8, 40])
def test_much_that_is_done_before_hides_no_page_that_is_lost(made: type, wrong: bool, more: int) -> None:
    class Long(made):  # type: ignore[misc] # of both
        def start(self) -> None:
            for _ in range(more):
                self.pages.protect()

    found = explore(Long)
    assert (found.wrong is not None) == wrong
    assert found.wrong is None or sum("the guest writes" in each for each in found.wrong.steps) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return [1 / 0]", "{file}:4: the tracker failed: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "{file}:4: the tracker failed: SystemExit: 3"),
        ("return None", "{file}:4: 'collect' is to return numbers of pages, each from 0 to 2, not None (NoneType)"),
        ("return [3]", "{file}:4: 'collect' is to return numbers of pages, each from 0 to 2, not 3 (int)"),
        ("return [True]", "{file}:4: 'collect' is to return numbers of pages, each from 0 to 2, not True (bool)"),
        ("return '012'", "{file}:4: 'collect' is to return numbers of pages, each from 0 to 2, not '012' (str)"),
        ("self.pages.protect(2, 2)", "{file}:4: the tracker failed: IndexError: pages 2 to 3 of 0 to 2"),
        ("self.pages.count = 0", "{file}:4: the tracker failed: AttributeError: property 'count'"),
        ("return self.pages.read(-1)", "{file}:4: the tracker failed: IndexError: pages -1 to -1 of 0 to 2"),
        (
            "[self.pages.read(0) for _ in iter(int, 1)]",
            "{file}:4: the tracker failed: RecursionError: more than 10,000 steps",
        ),
        ("raise Exception('\\x1b[2J')", "{file}:4: the tracker failed: Exception: \\x1b[2J"),
        ("return 1 / 0\n    def __bool__(self): return 1 / 0", "{file}:4: the tracker failed: ZeroDivisionError"),
    ],
)
def test_what_it_does_wrong_is_an_end_of_the_story_with_its_place(tmp_path: Path, body: str, said: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        f"class Mine:\n    def __init__(self, pages): self.pages = pages\n    def start(self): ...\n"
        f"    def collect(self): {body}\n"
    )
    wrong = explore(OWN_TRACKER.load(str(file))).wrong
    assert wrong is not None and wrong.end.startswith(said.format(file=file)), wrong
    assert wrong.steps[0] == "start" and wrong.steps[-1] in ("collect", "your tracker reads page 0")


def test_one_that_cannot_be_made(tmp_path: Path) -> None:
    def made(_pages: Any) -> Any:
        raise ValueError("no")

    wrong = explore(made).wrong
    assert wrong is not None and "the tracker failed: ValueError: no" in wrong.end


def test_all_orders_are_tried_in_a_moment() -> None:
    began = time.process_time()
    explore(Protecting)
    assert time.process_time() - began < 20

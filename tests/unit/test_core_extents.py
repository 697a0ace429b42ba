"""Extents against an oracle that knows pages one by one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.extents import Extents
from testbed.core.units import PAGE_SIZE

PAGES = 96
Bits = list[bool]
bitmaps = st.lists(st.booleans(), min_size=PAGES, max_size=PAGES)


def naive_runs(bits: Bits) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for page, dirty in enumerate(bits):
        if dirty and runs and sum(runs[-1]) == page:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dirty:
            runs.append((page, 1))
    return [(first * PAGE_SIZE, length * PAGE_SIZE) for first, length in runs]


def extents(bits: Bits) -> Extents:
    return Extents.of_bitmap(np.array(bits, bool))


def page_list(part: Extents) -> list[int]:
    return [page for offset, length in part for page in range(offset // PAGE_SIZE, (offset + length) // PAGE_SIZE)]


@given(bitmaps)
def test_runs_of_a_bitmap(bits: Bits) -> None:
    found = extents(bits)
    assert [tuple(run) for run in found] == naive_runs(bits)
    assert found.pages == sum(bits)
    assert found.size == sum(bits) * PAGE_SIZE
    assert found.table.dtype == np.uint64


@given(bitmaps)
def test_a_bitmap_comes_back(bits: Bits) -> None:
    assert extents(bits).bitmap(PAGES).tolist() == bits


@given(bitmaps, bitmaps)
def test_union(one: Bits, other: Bits) -> None:
    together = extents(one).union(extents(other))
    assert [tuple(run) for run in together] == naive_runs([a or b for a, b in zip(one, other, strict=True)])


@given(bitmaps, st.integers(1, 20), st.integers(1, 9))
def test_batches_are_the_same_memory_in_order_and_small(bits: Bits, pages: int, most: int) -> None:
    whole = extents(bits)
    parts = list(whole.batches(pages * PAGE_SIZE, most))
    assert [page for part in parts for page in page_list(part)] == page_list(whole)
    for part in parts:
        assert 1 <= len(part) <= most
        assert 0 < part.size <= pages * PAGE_SIZE
        assert part.table.dtype == np.uint64


@given(bitmaps, st.integers(1, 20), st.integers(1, 9))
def test_batches_are_as_few_as_can_be_in_order(bits: Bits, pages: int, most: int) -> None:
    parts = list(extents(bits).batches(pages * PAGE_SIZE, most))
    for part, following in pairwise(parts):
        room = pages * PAGE_SIZE - part.size
        assert len(part) == most or int(following.table[0, 1]) > room


def test_none_and_whole() -> None:
    assert len(Extents.none()) == 0 == Extents.none().size
    assert not list(Extents.none().batches(PAGE_SIZE, 1))
    assert not Extents.none().bitmap(3).any()
    assert len(Extents.whole(0)) == 0
    assert list(Extents.whole(5 * PAGE_SIZE)) == [(0, 5 * PAGE_SIZE)]
    assert Extents.none().union(Extents.none()).size == 0


def test_offsets_beyond_32_bits_stay_exact() -> None:
    far = Extents(np.array([[2**45, 3 * PAGE_SIZE]], np.uint64))
    assert [run for part in far.batches(PAGE_SIZE, 1) for run in part] == [
        (2**45 + n * PAGE_SIZE, PAGE_SIZE) for n in range(3)
    ]


@pytest.mark.parametrize("runs", [1, 1000])
def test_a_long_run_among_many_short_ones_is_cut(runs: int) -> None:
    table = np.array([[2 * n * PAGE_SIZE, PAGE_SIZE] for n in range(runs)] + [[2 * runs * PAGE_SIZE, 1000 * PAGE_SIZE]])
    parts = list(Extents(table.astype(np.uint64)).batches(64 * PAGE_SIZE, 512))
    assert sum(part.size for part in parts) == (runs + 1000) * PAGE_SIZE
    assert max(part.size for part in parts) <= 64 * PAGE_SIZE


@given(bitmaps, st.integers(0, PAGES + 5))
def test_a_cut_gives_the_first_bytes_and_the_rest(bits: Bits, pages: int) -> None:
    whole = extents(bits)
    first, rest = whole.cut(pages * PAGE_SIZE)
    assert page_list(first) == page_list(whole)[:pages] and page_list(rest) == page_list(whole)[pages:]
    assert first.table.dtype == rest.table.dtype == np.uint64


@given(bitmaps, st.integers(0, PAGES + 5))
def test_a_cut_at_an_address(bits: Bits, page: int) -> None:
    before, after = extents(bits).cut_at(page * PAGE_SIZE)
    assert page_list(before) == [each for each, dirty in enumerate(bits) if dirty and each < page]
    assert page_list(after) == [each for each, dirty in enumerate(bits) if dirty and each >= page]


@given(bitmaps, bitmaps)
def test_one_without_the_other(one: Bits, other: Bits) -> None:
    left = extents(one).without(extents(other))
    assert page_list(left) == [page for page in range(PAGES) if one[page] and not other[page]]

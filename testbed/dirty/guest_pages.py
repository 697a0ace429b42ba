"""What a tracker of one's own is made with, a real guest's or one that is none, and what it is to answer.

class Mine:
    def __init__(self, pages): ...      GuestPages: protect, written, read
    def start(self): ...                from here on every write is found; round 1 sends everything after it
    def collect(self): ...              the numbers of the pages to send again; they are read *after* it returns
    def close(self): ...                may be left out
"""

from typing import Any, Protocol

import numpy as np

from testbed.core.own.words import shown


class GuestPages(Protocol):
    """The guest's memory as a tracker of one's own sees it, in pages from 0 to ``count`` - 1. The guest does not wait:
    it may write between any two of these, and within one. Each raises ``IndexError`` for a page that there is not.
    """

    @property
    def count(self) -> int:
        """How many there are; a tracker changes nothing about it."""
        ...

    def protect(self, first: int = 0, count: int | None = None) -> None:
        """The first write to each of these pages is seen from here on: of ``count`` pages, or all there are from
        ``first`` on.
        """
        ...

    def written(self, first: int = 0, count: int | None = None) -> list[int]:
        """Those of them that were written since they were protected, or never were, in order: so until protected."""
        ...

    def read(self, page: int) -> bytes:
        """What the page holds now, 4,096 bytes."""
        ...


def from_to(first: int, count: int | None, pages: int) -> tuple[int, int]:
    """The first of a run of pages and the one after its last, of so many. Raises ``IndexError``."""
    last = pages if count is None else first + count
    if not 0 <= first <= last <= pages:
        raise IndexError(f"pages {first} to {last - 1} of 0 to {pages - 1}")
    return int(first), int(last)


def numbers(found: Any, pages: int) -> list[int] | str:
    """The numbers of pages that ``collect`` returned, or what is wrong with it. Iterating it may raise anything."""
    wanted = f"is to return numbers of pages, each from 0 to {pages - 1}"
    if isinstance(found, str | bytes) or not hasattr(found, "__iter__"):
        return f"{wanted}, not {shown(found)}"
    listed = [int(page) if isinstance(page, np.integer) else page for page in found]
    for page in listed:
        if not isinstance(page, int) or isinstance(page, bool) or not 0 <= page < pages:
            return f"{wanted}, not {shown(page)}"
    return listed

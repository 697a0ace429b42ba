"""Every order in which a guest and a tracker can act, on a memory of three pages that is none, and which loses a page.

    start, round 1 sends all ─ collect, send ─ collect, send ─ guest paused ─ collect, send ─ are both memories alike?
          ▲     ▲               ▲     ▲             the guest writes a page between any two steps, or none

The tracker is the class that ``migration.tracker`` takes (``guest_pages``), given a ``FakePages``. A write to one page
may as well come just before the next step that touches that page: so these orders stand for all. A story is what
happened to the pages that were written. Stories are tried from the shortest on, and the first that ends wrong is told.
Of those with one write none is too long: else a tracker that does much before it goes wrong would seem right.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, combinations, product
from typing import Any, Protocol, TypeAlias

from testbed.core.own.words import defined_at, raised_at, told
from testbed.core.units import PAGE_SIZE
from testbed.dirty.guest_pages import from_to, numbers

PAGES, DEPTH, ROUNDS = 3, 8, 2
"""Of a memory; steps of the longest story up to its last write, where there are others; times that ``collect`` is
called beside the guest.
"""
MOST_STEPS = 10_000
"""Steps of one migration, after which the tracker is taken to go on for ever."""


class Tracking(Protocol):
    """What a tracker of one's own has; ``GuestPages`` says what it is made with."""

    def start(self) -> None:
        """From here on every write is found."""
        ...

    def collect(self) -> Any:
        """The numbers of the pages that are to be sent again."""
        ...


Make: TypeAlias = Callable[[Any], Tracking]
Writes: TypeAlias = frozenset[tuple[int, int]]
"""When the guest writes, as (page, number): just before the step of that number, from 0, that touches the page."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to ``pages``, all of them or none: ``words`` of a story."""

    words: str
    pages: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongOrder:
    """The shortest order that ends wrong: its ``steps``, and in which way it does."""

    steps: tuple[str, ...]
    end: str

    def __str__(self) -> str:
        numbered = [f"{number}. {words}" for number, words in enumerate(self.steps, 1)]
        return "\n".join(["after these steps:", *numbered, f"***** {self.end}"])


@dataclass(slots=True, kw_only=True)
class Explored:
    """How a tracker did. So many ``interleavings`` were tried; ``wrong`` None: nothing was lost in any. Of all of them
    together: ``calls`` of protect, written and read; pages ``sent`` after round 1, of them ``needless`` those that the
    guest had not written since the ``collect`` before, or ``start``, began.
    """

    interleavings: int = 0
    wrong: WrongOrder | None = None
    calls: int = 0
    sent: int = 0
    needless: int = 0


def explore(make: Make, *, pages: int = PAGES, depth: int = DEPTH, rounds: int = ROUNDS) -> Explored:
    """Drives a tracker through every order, the shortest first, until one ends wrong; ``depth``: steps of a story up to
    the guest's last write, where it is not the only one. Whatever the tracker raises is such an end, too; it may take
    for ever, and exit.
    """
    found = Explored()
    for writes, number in product(_orders(pages, depth), range(rounds + 1)):
        _try(_Migration(make, pages, writes), number, found)
        if found.wrong is not None:
            return found
    step, before = depth, -1
    while found.wrong is None and found.interleavings != before:  # until no page is touched so often
        before = found.interleavings
        for page, number in product(range(pages), range(rounds + 1)):
            if found.wrong is None:
                _try(_Migration(make, pages, frozenset([(page, step)])), number, found)
        step += 1
    return found


def _try(migration: "_Migration", rounds: int, found: Explored) -> None:
    """One order, added to what was found; where the guest is paused before its last write it is another one."""
    end = migration.ended(rounds)
    if migration.unmade:
        return
    found.interleavings += 1
    found.calls += migration.memory.calls
    found.sent += migration.sent
    found.needless += migration.needless
    if end is not None:
        found.wrong = WrongOrder(steps=tuple(migration.story()), end=end)


def _orders(pages: int, depth: int) -> Iterator[Writes]:
    """All of them, by the length of their stories: of each page that is written, its steps and its writes."""
    of_page: dict[int, list[tuple[int, ...]]] = {0: [()]}
    for last, more in product(range(depth), range(depth)):
        if (length := last + more + 1) <= depth:
            of_page.setdefault(length, []).extend((*before, last) for before in combinations(range(last), more))
    for total in range(depth + 1):
        for lengths in product(range(total, -1, -1), repeat=pages):
            if sum(lengths) == total:
                for chosen in product(*(of_page.get(length, []) for length in lengths)):
                    yield frozenset((page, number) for page, numbers in enumerate(chosen) for number in numbers)


class FakePages:
    """``GuestPages`` that are none: each holds the number of the step that wrote it last. Between the steps the guest
    writes as it is told to.
    """

    def __init__(self, count: int, writes: Writes) -> None:
        self._count, self.calls, self.steps = count, 0, list[Happened]()
        self.holds, self.running, self.due = [0] * count, True, writes
        self._protected, self._touched = [False] * count, [0] * count

    @property
    def count(self) -> int:
        """See ``GuestPages``: writes of the guest are due on so many, whatever a tracker does with its number."""
        return self._count

    def protect(self, first: int = 0, count: int | None = None) -> None:
        """See ``GuestPages``."""
        for page in self._range(first, count):
            self.touch(page, f"your tracker protects page {page}")
            self._protected[page] = True

    def written(self, first: int = 0, count: int | None = None) -> list[int]:
        """See ``GuestPages``."""
        found = []
        for page in self._range(first, count):
            self._write(page)
            protected = self._protected[page]
            answer = "still protected, so not written" if protected else "written"
            self.touch(page, f"your tracker asks for page {page}: {answer}")
            found += [] if protected else [page]
        return found

    def read(self, page: int) -> bytes:
        """See ``GuestPages``."""
        [page] = self._range(page, 1)
        self.touch(page, f"your tracker reads page {page}")
        return self.holds[page].to_bytes(8, "little").ljust(PAGE_SIZE, b"\0")

    def touch(self, page: int, words: str) -> None:
        """One step that touches a page, and what the guest does before it."""
        self._write(page)
        self._touched[page] += 1
        self.steps.append(Happened(words, frozenset([page])))
        if len(self.steps) > MOST_STEPS:
            raise RecursionError(f"more than {MOST_STEPS:,} steps: does it ever end?")

    def pause(self) -> None:
        """The guest stands still; what it was about to write is written before."""
        for page in range(self.count):
            self._write(page)
        self.running = False

    def _write(self, page: int) -> None:
        at = (page, self._touched[page])
        if self.running and at in self.due:
            self.due -= {at}
            self._protected[page] = False
            self.steps.append(Happened(f"the guest writes page {page}", frozenset([page])))
            self.holds[page] = len(self.steps)

    def _range(self, first: int, count: int | None) -> range:
        self.calls += 1
        return range(*from_to(first, count, self.count))


@dataclass(slots=True)
class _Migration:
    """One order of one migration, to its end."""

    make: Make
    pages: int
    writes: Writes
    memory: FakePages = field(init=False)
    there: list[int] = field(init=False)
    sent: int = 0
    needless: int = 0
    _since: int = 0

    def __post_init__(self) -> None:
        self.memory, self.there = FakePages(self.pages, self.writes), [0] * self.pages

    @property
    def unmade(self) -> bool:
        """Whether the guest was paused before it had written all that it was to."""
        return bool(self.memory.due) and not self.memory.running

    def ended(self, rounds: int) -> str | None:
        """Runs it. None: both memories are alike; else what is wrong."""
        own: Tracking | None = None
        try:
            own = self.make(self.memory)
            self._say("start")
            own.start()
            self._send(range(self.pages), 1)
            for number in range(rounds):
                self._round(own, number + 2)
            self.memory.pause()
            self._say("the guest is paused")
            self._round(own, rounds + 2)
        except _Fault as fault:
            return str(fault)
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - it is the user's own class
            method = "collect" if any(step.words == "collect" for step in self.memory.steps) else "start"
            return f"{raised_at(self.make if own is None else own, method, fault)}: the tracker failed: {told(fault)}"
        lost = next((page for page in range(self.pages) if self.there[page] != self.memory.holds[page]), None)
        return None if lost is None else self._lost(lost)

    def story(self) -> Iterator[str]:
        """What happened to the pages that were written, and to all."""
        return (step.words for step in self.memory.steps if self._concerns(step))

    def _concerns(self, step: Happened) -> bool:
        written = {page for page, _ in self.writes}
        return not step.pages or not written or bool(step.pages & written)

    def _round(self, own: Tracking, number: int) -> None:
        since, self._since = self._since, len(self.memory.steps)
        self._say("collect")
        found = numbers(own.collect(), self.pages)
        if isinstance(found, str):
            raise _Fault(f"{defined_at(own, 'collect')}: 'collect' {found}")
        self.sent += len(set(found))
        self.needless += sum(self.memory.holds[page] <= since for page in set(found))
        self._send(sorted(set(found)), number)

    def _send(self, pages: "list[int] | range", number: int) -> None:
        for page in pages:
            self.memory.touch(page, f"round {number} sends page {page}")
            self.there[page] = self.memory.holds[page]

    def _say(self, words: str) -> None:
        self.memory.steps.append(Happened(words, frozenset()))

    def _lost(self, page: int) -> str:
        """In the numbers of the story."""
        new = list(accumulate(map(self._concerns, self.memory.steps), initial=0))
        old, now = self.there[page], self.memory.holds[page]
        before = f"of step {new[old]}" if old else "as it was in the beginning"
        return f"page {page} at the destination is {before}; the guest's is of step {new[now]}"


class _Fault(Exception):
    """What the tracker answered, and what is wrong with it."""

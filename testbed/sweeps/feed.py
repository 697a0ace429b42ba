"""Which point is made next: block by block, and for an interval's sake more blocks than were asked for.

A block is one repeat of every combination. A machine keeps to a block as long as there are others, since machines
differ: what is compared was then made by the same one. Nothing is known here of who makes points, or when.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from testbed.report.side.spread import spread
from testbed.sweeps.ended import PointMade
from testbed.sweeps.grid import Until
from testbed.sweeps.points import Point, Points

Values: TypeAlias = dict[str, list[float]]
"""Of one combination, by the name of each migration of its points, the figure that is to be known."""


class Feed:
    """The points of a grid that are left, as machines ask for them. ``known`` says how a point ended before, or None;
    ``limit``: so many are handed out at most.
    """

    def __init__(self, points: Points, known: Callable[[Point], PointMade | None], limit: int | None = None) -> None:
        self._points, self._known, self._left = points, known, math.inf if limit is None else limit
        self._blocks: dict[int, deque[Point]] = {}
        self._owners: dict[int, str] = {}
        self._values: dict[int, Values] = {}
        self._arms: dict[int, int] = {}
        self.ended: dict[int, PointMade] = {}
        self.added = 0
        for repeat in range(1, points.grid.keys.repeats + 1):
            self._add(repeat, points.block(repeat))

    def __len__(self) -> int:
        """How many are left to be handed out of what is known to be wanted."""
        return int(min(self._left, sum(map(len, self._blocks.values()))))

    def left(self) -> Iterator[Point]:
        """Those that are left of what is known to be wanted."""
        return (point for block in self._blocks.values() for point in block)

    def next(self, machine: str, outstanding: int) -> Point | None:
        """The next one for that machine; None where there is none, or none yet, since so many are ``outstanding`` that
        may show that no more are wanted.
        """
        if self._left <= 0:
            return None
        if not any(self._blocks.values()) and not outstanding:
            self._more()
        block = self._block_for(machine)
        if block is None:
            return None
        self._left -= 1
        return self._blocks[block].popleft()

    def again(self, point: Point) -> None:
        """One that was handed out and not made, by no fault of its own."""
        self._left += 1
        self._blocks[point.repeat].appendleft(point)

    def note(self, made: PointMade) -> None:
        """A point that has ended."""
        self.ended[made.number] = made
        arm = self._arms[made.number]
        until = self._points.grid.keys.until_ci
        if until is not None:
            _note(self._values.setdefault(arm, {}), made, until)

    def narrow(self, arm: int, until: Until) -> bool:
        """Whether of each migration of a combination the interval is as narrow as it is to be. Of one that never
        completes there is nothing to be known.
        """
        return _all_narrow(self._values.get(arm, {}), until)

    def _add(self, repeat: int, block: Iterable[Point]) -> None:
        self._blocks[repeat] = deque()
        for point in block:
            self._arms[point.number] = point.arm.index
            self.added += 1
            if (made := self._known(point)) is not None:
                self.note(made)
            else:
                self._blocks[repeat].append(point)

    def _more(self) -> None:
        """The next block with something to be made, of those combinations that are not narrow yet."""
        until = self._points.grid.keys.until_ci
        while until is not None and not any(self._blocks.values()):
            repeat = max(self._blocks) + 1
            wide = [each for each in self._points.grid.arms if not self.narrow(each.index, until)]
            if repeat > self._points.grid.most_repeats or not wide:
                return
            indices = {each.index for each in wide}
            self._add(repeat, [point for point in self._points.block(repeat) if point.arm.index in indices])

    def _block_for(self, machine: str) -> int | None:
        """Its own, else one that is nobody's, else any."""
        there = [repeat for repeat, block in self._blocks.items() if block]
        own = [repeat for repeat in there if self._owners.get(repeat) == machine]
        free = [repeat for repeat in there if repeat not in self._owners]
        chosen = next(iter([*own, *free, *there]), None)
        if chosen is not None:
            self._owners.setdefault(chosen, machine)
        return chosen


def unwanted(points: Points, point: Point, known: Callable[[Point], PointMade | None]) -> list[Point] | None:
    """Whether a point that is asked for alone is one too many: beyond ``repeats`` it is made for an interval's sake, so
    as a ``Feed`` has it only when those before it of its combination are there and leave that wide.

    Returns:
        None where it is wanted, nobody where no more are, and else those that have to be there before it is known.
    """
    keys = points.grid.keys
    if keys.until_ci is None or point.repeat <= keys.repeats:
        return None
    blocks = (points.block(repeat) for repeat in range(1, point.repeat))
    before = [each for block in blocks for each in block if each.arm.index == point.arm.index]
    ended = [(each, known(each)) for each in before]
    if missing := [each for each, made in ended if made is None]:
        return missing
    values: Values = {}
    for _, made in ended:
        _note(values, made, keys.until_ci)
    return [] if _all_narrow(values, keys.until_ci) else None


def _note(values: Values, made: PointMade | None, until: Until) -> None:
    for name, figures in made.figures.items() if made else ():
        known = values.setdefault(name, [])
        if until.figure in figures:
            known.append(figures[until.figure])


def _all_narrow(values: Values, until: Until) -> bool:
    return all(_narrow(each, until.within) for each in values.values())


def _narrow(values: list[float], within: float) -> bool:
    if len(values) < 2:
        return False
    found = spread(values)
    if found.low is None or found.high is None:  # all the same
        return True
    return (found.high - found.low) / 2 <= within * abs(found.mean)

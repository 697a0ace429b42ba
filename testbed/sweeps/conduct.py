"""A sweep conducted: points to whoever makes them, until all are there, and what all of them say together.

    grid ──> points ──> feed ──> makers ──> points/ID/        at the end: sweep.json, results, page

Nothing of it has to last: what is there is done, so whoever is killed, here or elsewhere, is simply begun again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic

from testbed.core.errors import Interrupted, TestbedError
from testbed.sweeps.canaries import Canaries
from testbed.sweeps.ended import LEFT, NOT_VALID, REFUSED, VALID, PointMade
from testbed.sweeps.estimate import Estimate
from testbed.sweeps.feed import Feed
from testbed.sweeps.folder import KeptPoint, SweepFolder
from testbed.sweeps.makers.here import Makers
from testbed.sweeps.making import ended
from testbed.sweeps.points import Point, Points
from testbed.sweeps.state import PointState, SweepState, begun, text
from testbed.sweeps.together.cost import SweepCost

KEPT_S, RECKONED_S = 10.0, 1.0
"""Seconds between two times that ``sweep.json`` is written meanwhile, and that what is left is reckoned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepProgress:
    """How far a sweep is; ``made``: the point that has just ended, or None at the beginning. ``left_s``: None where
    nobody knows.
    """

    done: int
    total: int
    left_s: float | None
    made: PointMade | None = None


class Sweep:
    """A sweep of ``points`` into ``folder``. ``say`` is told in lines what is to be known, ``told`` each step."""

    def __init__(
        self,
        points: Points,
        folder: SweepFolder,
        *,
        limit: int | None = None,
        say: Callable[[str], None] = lambda _line: None,
        told: Callable[[SweepProgress], None] = lambda _progress: None,
    ) -> None:
        self._points, self._folder, self._say, self._told = points, folder, say, told
        self._kept: dict[str, KeptPoint] = {}
        self.cost = SweepCost()
        folder.prepare()
        self.feed = Feed(points, self._known, limit)
        self.estimate = Estimate(points.engine)
        self.canaries = self._canaries()
        self.state = begun(points)
        self._outstanding: dict[int, Point] = {}
        self._written = self._reckoned = 0.0
        self._left_s: float | None = None
        self._began, self._foreseen = monotonic(), 0.0

    def run(self, makers: Callable[[], Makers]) -> SweepState:
        """Makes what is left. Raises ``TestbedError`` for what ends it all, ``Interrupted``; what was made is kept."""
        with self._folder.conducted(), self._written_down():
            self._tell(None)
            if len(self.feed) or self._points.grid.keys.until_ci is not None:
                with self.cost.growing(), makers() as hands:
                    self.cost.count = hands.count
                    self._through(hands)
        return self.state

    def done(self) -> list[tuple[Point, KeptPoint]]:
        """The points that are there with their runs, by their numbers. Each is read once, now or when it was met."""
        there = [self._points.numbered(each.number) for each in self.state.points if each.state in (VALID, NOT_VALID)]
        return [(point, kept) for point in there if (kept := self._there(point)) is not None]

    def _through(self, makers: Makers) -> None:
        while True:
            while (machine := makers.free()) is not None and self._given(makers, machine):
                pass  # as long as somebody takes them
            if not len(makers):
                return
            self._taken(makers.take())

    def _given(self, makers: Makers, machine: str) -> bool:
        """Whether there was something for that machine."""
        point = self.feed.next(machine, len(makers))
        if point is None:
            return False
        canary = self.canaries.due(machine) if self.canaries is not None else None
        if canary is not None:
            self.feed.again(point)
            makers.give(canary, machine)
            return True
        self._outstanding[point.number] = point
        makers.give(self._points.wanted(point), machine)
        return True

    def _taken(self, made: PointMade) -> None:
        self.cost.note(made.run_s)
        if made.canary:
            if self.canaries is not None:
                self.canaries.note(made)
            return
        point = self._outstanding.pop(made.number)
        self._foreseen += self.estimate.seconds([point]) or 0.0
        self.feed.note(made)
        if made.state == REFUSED:
            self._say(f"point {point.number} ({point.arm.name}) was refused: {made.reason}")
        self._tell(made)
        if monotonic() >= self._written + KEPT_S:
            self._write()

    def _tell(self, made: PointMade | None) -> None:
        if monotonic() >= self._reckoned + RECKONED_S:
            self._left_s, self._reckoned = self._left(), monotonic()
        self._told(SweepProgress(done=len(self.feed.ended), total=self.feed.added, left_s=self._left_s, made=made))

    def _left(self) -> float | None:
        """By the model, and as much slower or faster as those were that have been made."""
        foreseen = self.estimate.seconds([*self.feed.left(), *self._outstanding.values()])
        pace = (monotonic() - self._began) / self._foreseen if self._foreseen else 1.0
        return None if foreseen is None else foreseen * pace

    def _known(self, point: Point) -> PointMade | None:
        return ended(point, self._there(point))

    def _there(self, point: Point) -> KeptPoint | None:
        if point.id not in self._kept and (kept := self._folder.there(point.id, self._say)) is not None:
            self._kept[point.id] = kept
        return self._kept.get(point.id)

    def _canaries(self) -> Canaries | None:
        keys, scenario = self._points.grid.keys.canary, self._points.grid.canary
        if keys is None or scenario is None:
            return None
        return Canaries(keys, scenario, self._points.engine, self._folder, self._say)

    @contextmanager
    def _written_down(self) -> Iterator[None]:
        """``sweep.json`` at the beginning and, whatever happens, at the end."""
        self._write()
        try:
            yield
        except BaseException as end:
            with suppress(TestbedError):
                self._write()
            if isinstance(end, Interrupted):
                done = f"{len(self.feed.ended)} of {self.feed.added} points are in {self._folder.path}"
                raise Interrupted(f"{end}; {done}; the same command goes on") from end
            raise
        self._write()

    def _write(self) -> None:
        self.state.points = [_state(self._points.numbered(number), made) for number, made in self._all()]
        self.state.drifts = list(self.canaries.drifts) if self.canaries is not None else []
        self._folder.write("sweep.json", text(self.state).encode())
        self._written = monotonic()

    def _all(self) -> Iterator[tuple[int, PointMade | None]]:
        left = [point.number for point in self.feed.left()] + list(self._outstanding)
        for number in sorted([*self.feed.ended, *left]):
            yield number, self.feed.ended.get(number)


def _state(point: Point, made: PointMade | None) -> PointState:
    return PointState(
        number=point.number,
        id=point.id,
        arm=point.arm.index,
        repeat=point.repeat,
        seed=point.seed,
        state=made.state if made else LEFT,
        machine=made.machine if made else None,
        reason=made.reason if made else "",
    )

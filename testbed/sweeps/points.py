"""The points of a grid: each combination as often as it is repeated, each known by what it is made of.

number   0 1 2 3 | 4 5 6 7 | ...     a block is a repeat of every combination, shuffled anew
id       of the resolved scenario, engine, seed and version, and of code of one's own: what is there by that id
         is that very point, whoever made it
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random

from testbed.core.plan import Plan, seed_of
from testbed.core.records.claims import Claim
from testbed.core.settings import Settings
from testbed.core.version import __version__
from testbed.scenario import Scenario
from testbed.scenario.scenario import as_text
from testbed.sweeps.grid import Arm, Grid

ID_LENGTH = 16
"""Hexadecimal digits: two of a million points have the same once in thirty million grids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointWanted:
    """A point as whoever makes it needs it, wherever that is. ``resolved``: the text of its scenario; ``arm``: which
    combination it is of, by name; ``repeat`` from 1. ``canary``: it is none of the grid's. ``wait``: where another run
    holds the machine, for its end. ``code``: its own code by the scenario's names, for who has not that file.
    """

    id: str
    number: int
    arm: str
    settings: Settings
    repeat: int
    scenario: str
    engine: str
    seed: int
    resolved: str
    plans: tuple[Plan, ...]
    published: tuple[Claim, ...]
    version: str = __version__
    canary: bool = False
    wait: bool = True
    code: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where a point stands in its grid."""

    id: str
    number: int
    repeat: int
    seed: int
    arm: Arm


class Points:
    """All points of a grid by one engine, in the order in which they are made."""

    def __init__(self, grid: Grid, engine: str) -> None:
        self.grid, self.engine = grid, engine
        self._blocks: dict[int, list[Point]] = {}

    @cached_property
    def _made_of(self) -> list[bytes]:
        """What each combination is made of, but for the seed, as a digest."""
        return [made_of(arm.scenario, self.engine) for arm in self.grid.arms]

    def block(self, repeat: int) -> list[Point]:
        """A repeat (from 1) of every combination, in an order of its own."""
        if repeat not in self._blocks:
            arms = list(self.grid.arms)
            Random(f"{self.grid.keys.order_seed}/{repeat}").shuffle(arms)
            first = (repeat - 1) * len(arms)
            self._blocks[repeat] = [self._point(arm, repeat, first + place) for place, arm in enumerate(arms)]
        return self._blocks[repeat]

    def listed(self) -> list[Point]:
        """Those that are made in any case."""
        return [point for repeat in range(1, self.grid.keys.repeats + 1) for point in self.block(repeat)]

    def most(self) -> int:
        """How many there may be."""
        return len(self.grid.arms) * self.grid.most_repeats

    def numbered(self, number: int) -> Point:
        """One by its number, from 0. Raises ``IndexError`` for one that there cannot be."""
        if not 0 <= number < self.most():
            raise IndexError(number)
        block, place = divmod(number, len(self.grid.arms))
        return self.block(block + 1)[place]

    def wanted(self, point: Point) -> PointWanted:
        """What whoever makes it needs."""
        return wanted(point.arm.scenario, self.engine, point)

    def _point(self, arm: Arm, repeat: int, number: int) -> Point:
        seed = seed_of(arm.scenario.seed, repeat)
        return Point(id=identity(self._made_of[arm.index], seed), number=number, repeat=repeat, seed=seed, arm=arm)


def wanted(scenario: Scenario, engine: str, point: Point) -> PointWanted:
    """A point of that scenario."""
    return PointWanted(
        id=point.id,
        number=point.number,
        arm=point.arm.name,
        settings=point.arm.settings,
        repeat=point.repeat,
        scenario=scenario.name,
        engine=engine,
        seed=point.seed,
        resolved=as_text(scenario.resolved() | {"seed": point.seed}),
        plans=_seeded(scenario.plans(), point.seed),
        published=tuple(scenario.published),
    )


def canary(scenario: Scenario, engine: str, number: int) -> PointWanted:
    """A point of no grid's, the same again and again; ``number``: which time it is."""
    arm = Arm(index=0, name="canary", settings={}, scenario=scenario)
    known = identity(made_of(scenario, engine), scenario.seed)
    point = Point(id=known, number=number, repeat=1, seed=scenario.seed, arm=arm)
    return replace(wanted(scenario, engine, point), canary=True)


def made_of(scenario: Scenario, engine: str) -> bytes:
    """A digest of all that makes a point but its seed."""
    whole = {key: value for key, value in scenario.resolved().items() if key not in ("engine", "seed")}
    own = {name: digest for plan in scenario.plans() for name, digest in plan.own_code.items()}
    text = json.dumps([whole, own, engine, __version__], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()


def identity(made_of: bytes, seed: int) -> str:
    """The id of a point: sixteen hexadecimal digits."""
    return hashlib.sha256(made_of + str(seed).encode()).hexdigest()[:ID_LENGTH]


def _seeded(plans: Sequence[Plan], seed: int) -> tuple[Plan, ...]:
    return tuple(replace(plan, seed=seed) for plan in plans)

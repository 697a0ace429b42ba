"""The board: each policy's mean price with its interval over guests, and ranks, which are shared where nobody can
tell who is better.

Policies play the same guests, so what tells two apart is the price of one less that of the other, guest by guest. Who
is not behind the best of a rank beyond the 95 % interval of that mean (Student's t, as ``compare`` has it) shares it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from statistics import fmean

from testbed.arena.entrants import Entrant
from testbed.arena.guests import OPEN_KEY, ArenaGuest, plans
from testbed.arena.match import Match, lost, played, side_by_side
from testbed.arena.price import Weights
from testbed.core.errors import PolicyFault
from testbed.core.plan import Plan
from testbed.report.side.spread import Spread, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one policy's matches cost. ``own``: it came from a file. ``fault``: what it did wrong, in words."""

    name: str
    own: bool
    matches: tuple[Match, ...]
    fault: str = ""

    @property
    def prices(self) -> list[float]:
        """A number a guest, in their order."""
        return [match.price for match in self.matches]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One policy's place. ``own``: it came from a file. ``fault``: what it did wrong, in words; it then costs on every
    guest what no migration costs, and stands last.
    """

    name: str
    own: bool
    rank: int
    price: Spread
    completed: int
    matches: tuple[Match, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """``key``: by what anybody can tell which guests these were. ``standings``: the best first; ``finals``: those of
    the best on real hosts, where they were run.
    """

    key: str
    guests: tuple[ArenaGuest, ...]
    weights: Weights
    standings: tuple[Standing, ...]
    finals: tuple[Standing, ...] = ()

    def of(self, name: str) -> Standing:
        """The standing of that name. Raises ``KeyError``."""
        return {each.name: each for each in self.standings}[name]


def contest(entrants: Sequence[Entrant], guests: Sequence[ArenaGuest], weights: Weights, key: str) -> Board:
    """All against the same guests; ``key`` is what they were drawn from. Raises ``PrerequisiteMissing`` where a file's
    code cannot have a sandbox.
    """
    asked = plans(guests)
    standings = ranked([_all_played(each, guests, asked, weights) for each in entrants])
    return Board(key=told(key), guests=tuple(guests), weights=weights, standings=standings)


def ranked(results: Sequence[Result]) -> tuple[Standing, ...]:
    """The standings of those who played the same guests, the best first."""
    ordered = sorted(results, key=lambda each: (bool(each.fault), fmean(each.prices), each.name))
    standings: list[Standing] = []
    leader, rank = ordered[0], 1
    for place, each in enumerate(ordered, 1):
        if _better(leader, each):
            leader, rank = each, place
        standings.append(_standing(each, rank))
    return tuple(standings)


def _standing(result: Result, rank: int) -> Standing:
    return Standing(
        name=result.name,
        own=result.own,
        rank=rank,
        price=spread(result.prices),
        completed=sum(match.completed for match in result.matches),
        matches=result.matches,
        fault=result.fault,
    )


def _better(one: Result, other: Result) -> bool:
    """Whether ``one`` is better than ``other`` beyond what the choice of guests explains."""
    if one.fault or other.fault:
        return not one.fault
    less = spread([a - b for a, b in zip(one.prices, other.prices, strict=True)])
    return less.n > 1 and (less.mean if less.high is None else less.high) < 0


def _all_played(entrant: Entrant, guests: Sequence[ArenaGuest], asked: Sequence[Plan], weights: Weights) -> Result:
    """One that breaks plays no more: the others go on. A file's matches have a process each, and go on side by side."""
    own, broke = entrant.file is not None, ""
    try:
        pairs = zip(guests, asked, strict=True)
        matches = tuple(side_by_side(entrant, lambda guest, plan: played(entrant, guest, plan, weights), pairs))
    except PolicyFault as fault:
        matches, broke = tuple(lost(each, weights, fault) for each in guests), str(fault)
    return Result(name=entrant.name, own=own, matches=matches, fault=broke)


def told(key: str) -> str:
    """What a board says of its key: the open one itself, of any other no more than tells that it was the same."""
    return key if key == OPEN_KEY else f"sha256 {sha256(key.encode()).hexdigest()[:16]}"

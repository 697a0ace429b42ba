"""A board for a terminal, as JSON, and as the lines of others' leaderboards."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TypedDict

from testbed.arena.board import Board, Standing
from testbed.core.text.from_json import JsonObject
from testbed.report.words.digits import quoted
from testbed.report.words.tables import Fitting

HEADS = ("rank", "policy", "price, 95 % (t)", "completed", "time", "work lost", "downtime", "fault")
PRICE = (
    "price = time x (T - M/B) / (M/B) + work x lost / (M/B) + downtime x min(most, max(0, downtime / goal - 1)); "
    "failed, where it did not complete"
)


class LeaderboardLine(TypedDict):
    """One figure of a student's, as Gradescope's ``leaderboard`` has it."""

    name: str
    value: float | str
    order: str


def table(standings: Sequence[Standing]) -> Fitting:
    """For a terminal: a row a policy, the best first."""
    heads, rows = laid(standings)
    titles = [f">{head}" if head in ("rank", "completed") else head for head in heads]
    fitting = Fitting(titles, prose=("fault",) if "fault" in heads else ())
    for row in rows:
        fitting.row(*row)
    return fitting


def laid(standings: Sequence[Standing]) -> tuple[Sequence[str], list[list[str]]]:
    """Heads, and a row a policy; a rank that is shared has ``=``. Faults have a column where there is one."""
    ranks = [each.rank for each in standings]
    heads = HEADS if any(each.fault for each in standings) else HEADS[:-1]
    rows = [
        [
            f"{each.rank}{'=' if ranks.count(each.rank) > 1 else ''}",
            each.name,
            quoted("", each.price.mean, each.price.low, each.price.high),
            f"{each.completed} of {len(each.matches)}",
            *_shares(each),
            each.fault,
        ][: len(heads)]
        for each in standings
    ]
    return heads, rows


def notes(board: Board) -> Iterator[str]:
    """What is to be known of a board: its guests, its price, its weights."""
    yield f"{len(board.guests)} guests of key: {board.key}"
    yield PRICE
    yield f"weights: {board.weights.words}"


def as_data(board: Board) -> JsonObject:
    """All that is known of it: seconds and bytes at full size, of the finals at theirs."""
    known: JsonObject = asdict(board)
    return known | {"price": PRICE}


def leaderboard(board: Board, name: str) -> list[LeaderboardLine]:
    """Gradescope's ``leaderboard`` of one policy, whose price orders it. Raises ``KeyError`` for none of that name."""
    standing = board.of(name)
    middle = _middle(standing)
    return [
        {"name": "price", "value": round(standing.price.mean, 4), "order": "asc"},
        {"name": "completed", "value": standing.completed, "order": "desc"},
        {"name": "work lost (s)", "value": round(middle, 3), "order": "asc"},
    ]


def _middle(standing: Standing) -> float:
    return sum(match.lost_s for match in standing.matches) / len(standing.matches)


def _shares(standing: Standing) -> list[str]:
    """Means over those that completed."""
    done = [match for match in standing.matches if match.completed]
    if not done:
        return ["-", "-", "-"]
    totals = (
        sum(match.total_time_s or 0.0 for match in done),
        sum(match.lost_s for match in done),
        sum(match.downtime_s or 0.0 for match in done),
    )
    return [quoted("s", total / len(done)) for total in totals]

"""Policies against guests they have not seen: a board with prices, intervals and shared ranks, and the best of it run
for real.

    arena.match("./mine.py").of("./mine.py").price.mean       against plain, qemu and vmotion, on the open guests
    arena.scale_law("./mine.py")                              where it decides otherwise for 7 times the bytes

guests ─── drawn from a key        entrants ─ who plays, by name or file       match ─ one of each, in the model
price ──── and its weights         board ──── means, intervals, ranks          scale ─ the scale law
finals ─── the best, on hosts      formats ── words, JSON, other formats       page ── HTML
"""

from collections.abc import Sequence
from pathlib import Path

from testbed.arena.board import Board, contest
from testbed.arena.entrants import entrant
from testbed.arena.guests import OPEN_KEY, drawn
from testbed.arena.price import Weights
from testbed.arena.scale import scale_law

__all__ = ["OPEN_KEY", "Board", "Weights", "match", "scale_law"]

GUESTS = 40


def match(
    policy: str | Path,
    key: str = OPEN_KEY,
    guests: int = GUESTS,
    *,
    rivals: Sequence[str] = ("plain", "qemu", "vmotion"),
    weights: Weights | None = None,
) -> Board:
    """A policy, by name or file, against a few of ours. A file runs in a sandbox; one that breaks has its ``fault``.

    Raises ``ScenarioError`` for a name or file that there is not, ``PrerequisiteMissing`` where there is no sandbox.
    """
    them = [entrant(policy), *(entrant(name) for name in rivals if name != str(policy))]
    return contest(them, drawn(key, guests), weights or Weights(), key)

"""How a rate is trimmed against its own proof: pure arithmetic over proofs, so that it can be tried without a link.

    prove ─▶ within 0.2 %? ──yes──▶ done
      ▲          │ no
      │          ├─ another proof says the same? ──yes──▶ trim by what they say, and prove that ──┐
      └──────────┴─ no: one of them was disturbed ◀───────────────────────────────────────────────┘

A proof that was disturbed (another process had the processor) is off by itself, and two of them in different ways; a
link that is off says the same twice. A trim that does not get a link there is taken back: then it is not the link that
falls short, and it would be too fast once whatever does is over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

PROVEN = 0.002
"""How near a proof has to come to what a rate implies, and how near two of them to each other to say the same."""
MOST_PROOFS = 6
MOST_TRIM = 0.02
"""A link that is further off is not trimmed: something else is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trimmed:
    """What became of one direction. ``factor``: what its rate is multiplied by; ``share``: what it then gives of what
    the rate asked for implies; ``proofs``: how many were made.
    """

    factor: float
    share: float
    proofs: int


def trimmed(prove: Callable[[float], float]) -> Trimmed:
    """``prove`` sets the rate to so many times what was asked, and returns the share of the asked one that was seen.

    The link may be left at another factor than the one that is returned.
    """
    factor, seen, asked = 1.0, list[float](), list[float]()
    for count in range(1, MOST_PROOFS + 1):
        seen.append(prove(factor))
        if factor == 1.0:
            asked = seen
        if abs(seen[-1] - 1) <= PROVEN:
            return Trimmed(factor=factor, share=seen[-1], proofs=count)
        said = _said_twice(seen)
        if said is None:
            continue
        factor, seen = (factor / said if said > 0 else 0.0), []
        if abs(factor - 1) > MOST_TRIM:
            break
    return Trimmed(factor=1.0, share=median(asked), proofs=count)


def _said_twice(seen: list[float]) -> float | None:
    """What the last proof and an earlier one of the same rate agree upon."""
    *before, last = seen
    nearest = min(before, key=lambda each: abs(each - last), default=None)
    return (last + nearest) / 2 if nearest is not None and abs(last - nearest) <= PROVEN else None

"""Several figures judged at once, and one held against a bound: what can be said of all of them together.

Of twenty figures that do not differ one seems to, each tested at 5 %. Holm's correction keeps the chance of a single
wrong word among all of them at 5 %, whatever the figures have to do with one another, and is never weaker than
Bonferroni's (S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6,
1979, 65-70): of m figures the smallest p is multiplied by m, the next by m - 1, and so on, none below the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import fmean

from testbed.report.side.spread import Difference, difference, difference_of_pairs

AT = 0.05
"""The level at which a word is said."""


def holm(ps: Sequence[float]) -> list[float]:
    """Each p after Holm's correction, 0..1, in the order given: below ``AT`` is what differs, all of them together.
    Raises nothing; of none there are none.

    Example: ``holm([0.01, 0.04, 0.03])`` is ``[0.03, 0.06, 0.06]``.
    """
    adjusted, before = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        before = adjusted[index] = min(1.0, max(before, (len(ps) - rank) * ps[index]))
    return adjusted


def compared(a: Sequence[float], b: Sequence[float], *, paired: bool) -> Difference | None:
    """The difference b - a in the figures' unit: of pairs, where they are paired and pairs differ; else Welch's. None
    where nothing is known of the noise.
    """
    of_pairs = difference_of_pairs(a, b) if paired else None
    return of_pairs or difference(a, b)


class BoundStanding(Enum):
    """How a figure stands to a bound: what a check of it may say."""

    BEYOND = "beyond"
    WITHIN = "within"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A figure held against a bound. ``share``: how much more it is than the base's mean, None for a base of 0.
    ``difference``: of the figure from the bound itself, in its unit, with a 95 % interval; None where the noise is not
    known: then the means alone were held against each other if it is a model's, and it is ``OPEN`` otherwise.
    """

    standing: BoundStanding
    share: float | None
    difference: Difference | None


def bound(a: Sequence[float], b: Sequence[float], share: float, *, paired: bool = False, model: bool = False) -> Bound:
    """Whether ``b`` is more than ``a`` by over ``share`` of it (0.05: 5 %); with a share below 0, less by over that.

    The bound is a's own: b is compared with ``(1 + share) * a``, so that the noise of both counts, and is ``BEYOND`` it
    where the 95 % interval lies wholly beyond, ``WITHIN`` where wholly within, else ``OPEN``. ``paired``: a[i] and b[i]
    belong together, and there are as many of each. ``model``: repeats have no noise, and means decide. Raises
    ``ValueError`` for no values.
    """
    if not (a and b):
        raise ValueError("no values")
    limit, way = [(1 + share) * value for value in a], -1 if share < 0 else 1
    apart = None if model else compared(limit, b, paired=paired)
    change = fmean(b) / fmean(a) - 1 if fmean(a) else None
    if model:
        standing = BoundStanding.BEYOND if way * (fmean(b) - fmean(limit)) > 0 else BoundStanding.WITHIN
    elif apart is None or not apart.shown:
        standing = BoundStanding.OPEN
    else:
        standing = BoundStanding.BEYOND if way * apart.value > 0 else BoundStanding.WITHIN
    return Bound(standing=standing, share=change, difference=apart)

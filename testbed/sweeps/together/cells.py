"""The cells of a sweep: of each combination, and of each migration that its points run, what the repeats say together.

Intervals are of the mean, 95 %, by Student's t, as ``compare`` has them. A simulated cell is the model's own;
beside any other stands the model's word before the migration.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from testbed.core.records.migration import MigrationRecord
from testbed.core.settings import Settings
from testbed.report.side.measures import MEASURES, Measure
from testbed.report.side.spread import Spread, spread
from testbed.sweeps.folder import KeptPoint
from testbed.sweeps.points import Point

SHOWN: tuple[Measure, ...] = tuple(each for each in MEASURES if each.key in ("total_time_s", "downtime_s"))
"""What a page draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptFigure:
    """One figure of a cell: what repeats say, as emulated, and what the model foresaw of them, the mean."""

    measure: Measure
    spread: Spread
    predicted: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptCell:
    """A combination, or one migration of what it runs. ``figures`` by the key of their measure; ``ran``: points of it
    that are there, and ``valid`` of them.
    """

    arm: int
    name: str
    settings: Settings
    migration: str
    figures: dict[str, SweptFigure]
    ran: int
    valid: int
    runs: list[KeptPoint] = field(default_factory=list)


def cells(done: Sequence[tuple[Point, KeptPoint]]) -> list[SweptCell]:
    """All of them, in the order of the combinations. Figures are of those migrations that are valid and completed."""
    found: dict[tuple[int, str], list[tuple[Point, KeptPoint, MigrationRecord]]] = {}
    for point, kept in done:
        for each in kept.summary.migrations:
            found.setdefault((point.arm.index, each.name), []).append((point, kept, each))
    return [_cell(found[key]) for key in sorted(found, key=lambda key: key[0])]


def _cell(rows: Sequence[tuple[Point, KeptPoint, MigrationRecord]]) -> SweptCell:
    point, _, first = rows[0]
    several = len(rows[0][1].summary.migrations) > 1
    believed = [each for _, _, each in rows if each.valid and each.outcome == "completed"]
    return SweptCell(
        arm=point.arm.index,
        name=point.arm.name,
        settings=point.arm.settings,
        migration=first.name if several else "",
        figures={each.key: figure for each in SHOWN if (figure := _figure(each, believed)) is not None},
        ran=len(rows),
        valid=sum(each.valid for _, _, each in rows),
        runs=[kept for _, kept, _ in rows],
    )


def _figure(measure: Measure, records: Sequence[MigrationRecord]) -> SweptFigure | None:
    values = [value for each in records if (value := measure.emulated(each)) is not None]
    if not values:
        return None
    foretold = [
        value
        for each in records
        if each.predicted is not None and (value := getattr(each.predicted, measure.key)) is not None
    ]
    return SweptFigure(measure=measure, spread=spread(values), predicted=fmean(foretold) if foretold else None)

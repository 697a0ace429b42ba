"""``sweep.json``: the grid as it was asked for, and how far each of its points is. It is a report: nothing is made of
it again.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from testbed.core.settings import Settings
from testbed.core.text.yaml_text import Tree
from testbed.core.version import __version__
from testbed.sweeps.points import Points


@dataclass(frozen=True, slots=True, kw_only=True)
class PointState:
    """How far a point is: ``left``, ``valid``, ``not valid`` or ``refused``. ``arm``: which of ``SweepState.arms``."""

    number: int
    id: str
    arm: int
    repeat: int
    seed: int
    state: str
    machine: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmState:
    """A combination of the axes."""

    name: str
    settings: Settings


@dataclass(slots=True, kw_only=True)
class SweepState:
    """All of a sweep. ``grid``: as it was written; ``drifts``: what canaries have told."""

    name: str
    title: str
    engine: str
    testbed_version: str
    started_at: str
    axes: list[str]
    repeats: int
    order_seed: int
    grid: Tree
    arms: list[ArmState]
    points: list[PointState] = field(default_factory=list)
    drifts: list[str] = field(default_factory=list)
    schema: int = 1


def begun(points: Points) -> SweepState:
    """A sweep of which nothing is known yet."""
    grid = points.grid
    return SweepState(
        name=grid.name,
        title=grid.title,
        engine=points.engine,
        testbed_version=__version__,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        axes=list(grid.axes),
        repeats=grid.keys.repeats,
        order_seed=grid.keys.order_seed,
        grid=grid.written,
        arms=[ArmState(name=arm.name, settings=arm.settings) for arm in grid.arms],
    )


def text(state: SweepState) -> str:
    """The text of ``sweep.json``."""
    return json.dumps(asdict(state), allow_nan=False) + "\n"

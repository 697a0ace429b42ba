"""A grid: a scenario with a ``sweep``, which says what differs between its points, how often and in what order.

extends: hello
sweep:
  axes: {vm.workload.write_rate: [20MB/s, 40MB/s], network.vmotion.goodput: [500Mbit, 900Mbit]}
  repeats: 5            each with a seed of its own, one more than the one before
  order_seed: 7         the order within a repeat is shuffled by it
  until_ci: 5%          more repeats, until the 95 % interval of the mean is that narrow
  canary: hello         the same point first and again and again: whether the machine is still the same

``matrix`` is what one point runs.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema

from testbed.core.errors import ScenarioError
from testbed.core.plan import MOST_SEED
from testbed.core.settings import Settings
from testbed.core.text.yaml_text import KeyPath, Tree
from testbed.core.units import Dimension
from testbed.scenario import Scenario, extends
from testbed.scenario import load as load_scenario
from testbed.scenario.document import Document
from testbed.scenario.faults import one_line, scenario_error
from testbed.scenario.matrix.axes import axes_of, choices, put_in
from testbed.scenario.models import Part
from testbed.scenario.quantities import Share, one_of, text, whole
from testbed.scenario.scenario import check_base, named_document, resolve
from testbed.scenario.schema.patterns import quantity_schema

FIGURES = ("total_time", "downtime", "bytes_sent")
"""What an interval may be asked of."""
SWEEP: KeyPath = ("sweep",)
AXES: KeyPath = (*SWEEP, "axes")
MOST_ARMS, MOST_REPEATS = 100_000, 10_000
EXAMPLE = "sweep: {axes: {vm.ram: [1GiB, 2GiB]}, repeats: 5}"


PER_CENT = r"(?:[0-9]{1,2}(?:\.[0-9]{1,9})?|100(?:\.0{1,9})?) ?%"
"""``5%``, from 0 to 100."""


def _per_cent(value: object) -> object:
    """``5%`` as a share."""
    if isinstance(value, str) and value.endswith("%"):
        if not re.fullmatch(PER_CENT, value):
            raise ValueError(f"must be a share such as 0.05 or 5%, not {value[:40]!r}")
        return float(value[:-1]) / 100
    return value


_IN_PER_CENT = {"type": "string", "pattern": f"^{PER_CENT}$(?!\\n)"}
_SHARE = quantity_schema(Dimension.NUMBER, least=0.0, most=1.0, above=False)
Narrow: TypeAlias = Annotated[
    Share, BeforeValidator(_per_cent), WithJsonSchema({"anyOf": [*_SHARE["anyOf"], _IN_PER_CENT]})
]


class Until(Part):
    """Until when a point is repeated."""

    figure: Annotated[str, *one_of("figure", lambda: FIGURES)] = "total_time"
    within: Narrow = Field(description="half the 95 % interval of the mean, as a share of the mean")
    most: Annotated[int, *whole(2, MOST_REPEATS)] = Field(default=30, description="repeats at most")


class CanaryKeys(Part):
    """What is made again and again, to see whether the machine is still the same."""

    scenario: Annotated[str, *text(400)] = Field(description="the name or the file of a scenario, such as hello")
    every: Annotated[int, *whole(1, MOST_ARMS)] = Field(default=20, description="points between two of them")
    within: Narrow = Field(default=0.1, description="how far its total time may be from the first one's, as a share")


def _until(value: object) -> object:
    return {"within": value} if isinstance(value, int | float | str) and not isinstance(value, bool) else value


def _canary(value: object) -> object:
    return {"scenario": value} if isinstance(value, str) else value


class SweepKeys(Part):
    """What differs between the points, how often each is made and in what order."""

    axes: dict[str, Any] = Field(default_factory=dict, description="every combination is a point")
    repeats: Annotated[int, *whole(1, MOST_REPEATS)] = Field(
        default=1, description="how often each is made, each time with a seed of its own"
    )
    order_seed: Annotated[int, *whole(0, MOST_SEED)] = Field(default=1, description="shuffles the order in a repeat")
    until_ci: Annotated[Until | None, BeforeValidator(_until)] = Field(
        default=None, description="more repeats, until half the 95 % interval is that share of the mean: 5%"
    )
    canary: Annotated[CanaryKeys | None, BeforeValidator(_canary)] = Field(
        default=None, description="a scenario that is made first and again, to see whether the machine is the same"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One combination of the axes: its values as the grid has them, and the scenario with these in it."""

    index: int
    name: str
    settings: Settings
    scenario: Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is swept. ``axes``: the paths with their values; ``canary``: the scenario of ``keys.canary``; ``written``:
    the grid as its file has it, with what it stands on.
    """

    keys: SweepKeys
    axes: dict[str, list[Any]]
    arms: tuple[Arm, ...]
    canary: Scenario | None
    written: Tree

    @property
    def name(self) -> str:
        """Its name, also that of its results' folder."""
        return self.arms[0].scenario.name

    @property
    def title(self) -> str:
        """One line for people; may be empty."""
        return self.arms[0].scenario.title

    @property
    def engine(self) -> str:
        """What makes its points, unless another is asked for."""
        return self.arms[0].scenario.engine

    @property
    def most_repeats(self) -> int:
        """How often a point is made at most."""
        until = self.keys.until_ci
        return self.keys.repeats if until is None else max(until.most, self.keys.repeats)


def load(file: Path, own_code: Callable[[Path], None] = lambda _file: None) -> Grid:
    """The grid in a file, each of its points checked. Raises ``ScenarioError``: file, line, what was expected.

    ``own_code`` is told once of each file of code that it names, before any of them is run.
    """
    with told_in_a_line():
        return made(extends.whole(file), file.stem, own_code)


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """Faults that are met meanwhile are of one line."""
    try:
        yield
    except ScenarioError as error:
        raise ScenarioError(one_line(str(error))) from error


def made(document: Document, stem: str, own_code: Callable[[Path], None] = lambda _file: None) -> Grid:
    """The grid that a whole document is, as ``load`` has it; ``stem``: its name, where it has none of its own."""
    own_code = _once(own_code)
    if not isinstance(document.tree.get("sweep"), dict):
        missing = "is missing" if "sweep" not in document.tree else "must be a mapping of keys"
        raise ScenarioError(f"'sweep' {missing}: {EXAMPLE}", document.place(SWEEP))
    try:
        keys = SweepKeys.model_validate(document.tree["sweep"])
    except ValidationError as error:
        raise scenario_error(error, document, SweepKeys, SWEEP) from error
    _check_apart(document)
    base = named_document(document.with_value(SWEEP, None, document.place(SWEEP)), stem)
    check_base(base, swept=bool(keys.axes))
    arms = tuple(
        Arm(
            index=index,
            name=name or str(base.tree.get("name")),
            settings={each.path: each.value for each in chosen},
            scenario=resolve(put_in(base, chosen), own_code=own_code),
        )
        for index, (name, chosen) in enumerate(choices(document, AXES, MOST_ARMS))
    )
    return Grid(
        keys=keys,
        axes=axes_of(document, AXES),
        arms=arms,
        canary=_canary_of(keys, document, own_code),
        written=document.tree,
    )


def _check_apart(document: Document) -> None:
    """Refuse a path that both the sweep and the matrix of its points set."""
    for axis in axes_of(document, AXES):
        for other in set_too(document, axis):
            message = f"'matrix' sets '{other:.60}' too, which is what each point runs; remove it from one of them"
            raise ScenarioError(message, document.place((*AXES, axis)))


def set_too(document: Document, axis: str) -> list[str]:
    """The paths that the scenario's own matrix sets and that are this one, lie in it, or hold it."""
    others = axes_of(document)
    return [other for other in others if f"{axis}.".startswith(f"{other}.") or f"{other}.".startswith(f"{axis}.")]


def _canary_of(keys: SweepKeys, document: Document, own_code: Callable[[Path], None]) -> Scenario | None:
    if keys.canary is None:
        return None
    try:
        return load_scenario(keys.canary.scenario, own_code=own_code)
    except ScenarioError as error:
        raise ScenarioError(f"'sweep.canary': {error}", document.place((*SWEEP, "canary"))) from error


def _once(own_code: Callable[[Path], None]) -> Callable[[Path], None]:
    told: set[Path] = set()

    def tell(file: Path) -> None:
        if file not in told:
            told.add(file)
            own_code(file)

    return tell

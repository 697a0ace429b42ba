"""``published``: claims of others as a scenario writes them, checked and made plain (``testbed.core.records.claims``).

Either a reduction along an axis of the matrix, from its first value to its last, or how many times as large a figure is
at the first as at the last, or figures of one migration:

    - {compare: network.vmotion.rate, where: {vm.ram: 128GiB}, reduction: 0.88, source: the article}
    - {compare: network.vmotion.rate, figure: longest_halt, ratio_at_least: 3, source: the article, figure 5}
    - {rounds: [2048MB, 512MB, 128MB, 32MB, 8MB], total_time: 21.31s, source: opvizor}
"""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Self, TypeAlias, cast

from pydantic import Field, ValidationError, model_validator

from testbed.core.errors import ScenarioError
from testbed.core.records.claims import Claim, Figure
from testbed.core.settings import Settings
from testbed.core.text.label import label
from testbed.core.text.nearest import nearest
from testbed.scenario.document import Document
from testbed.scenario.faults import scenario_error
from testbed.scenario.models import Part
from testbed.scenario.quantities import LongerTime, Share, Size, Times, one_of, text
from testbed.scenario.values import meaning, spellings

Axes: TypeAlias = dict[str, list[Any]]
REDUCED = ("total_time", "downtime", "bytes_sent")
"""Figures that may fall along an axis."""
TIMES_AS_LARGE = ("longest_halt", *REDUCED)
"""Figures that may be so many times as large."""


class Reduction(Part):
    """``figure`` falls by the share ``reduction`` from the first value of an axis to the last."""

    compare: Annotated[str, *text(200)] = Field(description="an axis of the matrix")
    where: Settings = Field(default_factory=dict, description="which values of the other axes are meant")
    figure: Annotated[str, *one_of("figure", lambda: REDUCED)] = "total_time"
    reduction: Share = Field(description="1 - last / first")
    within: Share | None = Field(default=None, description="how far the run may be from it: 0.02 is two points")
    source: Annotated[str, *text(300)] = Field(description="where it was published")


class Ratio(Part):
    """``figure`` is at least ``ratio_at_least`` times as large at the first value of an axis as at the last."""

    compare: Annotated[str, *text(200)] = Field(description="an axis of the matrix")
    where: Settings = Field(default_factory=dict, description="which values of the other axes are meant")
    figure: Annotated[str, *one_of("figure", lambda: TIMES_AS_LARGE)] = "longest_halt"
    ratio_at_least: Times = Field(description="first / last")
    source: Annotated[str, *text(300)] = Field(description="where it was published")


class Figures(Part):
    """Figures of one migration."""

    where: Settings = Field(default_factory=dict, description="which migration of the matrix is meant")
    rounds: list[Size] | None = Field(
        default=None, description="bytes sent in each round, the stop-and-copy round last"
    )
    total_time: LongerTime | None = None
    downtime: LongerTime | None = None
    within: Share | None = Field(default=None, description="how far the run may be from it: 0.02 is two per cent")
    source: Annotated[str, *text(300)] = Field(description="where it was published")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.rounds is None and self.total_time is None and self.downtime is None:
            raise ValueError("give what was published: reduction with compare, or rounds, total_time, downtime")
        return self


Published: TypeAlias = Reduction | Ratio | Figures


def read_published(document: Document, axes: Axes) -> list[Published]:
    """``published`` of a scenario. Raises ``ScenarioError``, also for what no migration can be held to."""
    items = document.tree.get("published")
    if items is None:
        return []
    if not isinstance(items, list):
        raise ScenarioError("'published' must be a list", document.place(("published",)))
    found = [_read(item, index, document) for index, item in enumerate(items)]
    for index, each in enumerate(found):
        fault = fault_of(each, axes)
        if fault:
            raise ScenarioError(fault, document.place(("published", index)))
    return found


def fault_of(each: Published, axes: Axes) -> str | None:
    """Why the matrix holds nothing that this is about; None if it does."""
    named = [] if isinstance(each, Figures) else [each.compare]
    for axis in [*named, *each.where]:
        if axis not in axes:
            hint = nearest(axis[:60], list(axes)) if axes else "this scenario has no matrix"
            return f"'{axis:.60}' is not an axis of the matrix; {hint}"
    if named and len(axes[named[0]]) < 2:
        return f"the axis '{named[0]}' has one value only, so nothing can be compared along it"
    for axis, value in each.where.items():
        if meaning(axis, value) not in spellings(axis, axes[axis]):
            there = ", ".join(label(known) for known in axes[axis])
            return f"'{axis}' is never {label(value):.60} in the matrix, which has: {there}"
    return None


def claims(each: Published, axes: Axes) -> Iterator[Claim]:
    """The plain values; ``where`` with the matrix's own spelling."""
    where = {axis: spellings(axis, axes[axis])[meaning(axis, value)] for axis, value in each.where.items()}
    claim = partial(Claim, source=each.source, where=where)
    match each:
        case Reduction():
            first, last = _ends(each.compare, axes)
            along = partial(claim, over=each.compare, a=first, b=last, within=each.within)
            yield along(figure=cast(Figure, each.figure), published=each.reduction)
        case Ratio():
            first, last = _ends(each.compare, axes)
            along = partial(claim, over=each.compare, a=first, b=last, at_least=True)
            yield along(figure=cast(Figure, each.figure), published=each.ratio_at_least)
        case Figures():
            claim = partial(claim, within=each.within)
            for index, size in enumerate(each.rounds or [], 1):
                yield claim(figure="round_bytes", published=size, round=index)
            if each.total_time is not None:
                yield claim(figure="total_time", published=each.total_time)
            if each.downtime is not None:
                yield claim(figure="downtime", published=each.downtime)


def _read(item: Any, index: int, document: Document) -> Published:
    model: type[Published] = Reduction if isinstance(item, dict) and "compare" in item else Figures
    if isinstance(item, dict) and "ratio_at_least" in item:
        model = Ratio
    try:
        return model.model_validate(item)
    except ValidationError as error:
        raise scenario_error(error, document, model, ("published", index)) from error


def _ends(axis: str, axes: Axes) -> tuple[Any, Any]:
    """Its first value and its last."""
    return axes[axis][0], axes[axis][-1]

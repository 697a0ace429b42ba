"""Other workloads one after the other, each for a time, again and again.

    operation  0 ──── 1st ──── n1 ──── 2nd ──── n1+n2 ──── 1st ──── ...      n = duration x operations per second

Boundaries are counted in operations, not read from a clock, so a replay changes over where the guest did.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from guest_agent.memory.hashing import Numbers
from guest_agent.workloads import Workload, build, pace, register, size_in_pages
from testbed.core.parameters import Spec
from testbed.core.text.quantity import parse
from testbed.core.units import ByteRate, Bytes, Dimension


@register("phases")
@dataclass(frozen=True, kw_only=True)
class Phases:
    """``phases``: each a workload with its parameters and ``duration``. Each has its own pages and rate."""

    phases: list[Spec] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.phases:
            raise ValueError("phases needs at least one workload with a duration")
        if not all(isinstance(phase, dict) for phase in self.phases):
            raise ValueError("each phase is a workload: its name, its parameters and a duration")
        if any(phase.get("name") == "phases" for phase in self.phases):
            raise ValueError("phases cannot stand inside phases")
        self._ends  # noqa: B018 - read here so that a wrong phase is refused when it is written, not when it runs

    @property
    def working_set(self) -> Bytes | None:
        """The largest of them."""
        sizes = [part.working_set for part in self._parts if part.write_rate > 0]
        return None if not sizes or None in sizes else max(size for size in sizes if size is not None)

    @property
    def write_rate(self) -> ByteRate:
        """The mean over one cycle, weighted by time."""
        lengths = np.diff(self._ends, prepend=0)
        seconds = [int(n) / pace(part, 0)[0] for n, part in zip(lengths, self._parts, strict=True)]
        return sum(part.write_rate * time for part, time in zip(self._parts, seconds, strict=True)) / sum(seconds)

    def pages(self, operations: Numbers, random: Numbers, size: int) -> Numbers:
        """As the phase of each operation says, within that phase's own working set."""
        pages = np.empty_like(operations)
        phase = np.searchsorted(self._ends, operations % np.uint64(self._ends[-1]), side="right")
        for index in np.unique(phase):
            here, part = phase == index, self._parts[index]
            pages[here] = part.pages(operations[here], random[here], size_in_pages(part, size))
        return pages

    def pace(self, operation: int) -> tuple[float, int | None]:
        """The rate of the phase that this operation is in, and where the phase ends."""
        cycle = int(self._ends[-1])
        index = int(np.searchsorted(self._ends, operation % cycle, side="right"))
        return pace(self._parts[index], 0)[0], operation // cycle * cycle + int(self._ends[index])

    @cached_property
    def _parts(self) -> list[Workload]:
        return [build({key: value for key, value in phase.items() if key != "duration"}) for phase in self.phases]

    @cached_property
    def _ends(self) -> Numbers:
        """Operations of one cycle after each phase."""
        durations = [parse(phase.get("duration"), Dimension.TIME) for phase in self.phases]
        counts = [round(time * pace(part, 0)[0]) for time, part in zip(durations, self._parts, strict=True)]
        if min(counts) < 1:
            raise ValueError("duration of a phase is too short for a single operation at its rate")
        return np.cumsum(np.array(counts, np.uint64))

"""A ``Mover`` that moves nothing and runs no process, for tests of whatever surrounds one: it does as it was told.

    mover = FakeMover(ended=Ended(outcome="aborted", reason="no room", runs_at=SOURCE))
    mover = FakeMover(faults={"run": TestbedError("the guest did not start")})
    Rig(..., start=mover.start)
    mover.asked                 ["start", "foresee", "run", "migrate", ...] so far, and "end" when it was undone

Its guest counts operations by the clock, at a set rate, wherever it runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import ClassVar

import numpy as np

from guest_agent.config import GuestConfig, Role
from testbed.core.events import Event, Observer
from testbed.core.records.link import LinkRecord
from testbed.core.records.migration import MemoryRecord, PredictionRecord
from testbed.core.records.services import OrderRecord
from testbed.findings.ended import DESTINATION, SOURCE, Ended
from testbed.findings.evidence import Condition
from testbed.findings.guest_log import Counts, Times
from testbed.linux.processes.interrupts import Noted
from testbed.rig.mover import Place
from testbed.rig.orders import Orders

COMPLETED = Ended(outcome="completed", reason="the guest runs at the destination", runs_at=DESTINATION)
NOT_COMPARED = "not compared: there is no memory"
UNHURT = Condition(errors=0, fault=None)


class FakeGuest:
    """``rate``: operations per second while it runs."""

    def __init__(self, role: Role, rate: float, condition: Condition) -> None:
        self.role, self.ram_fd = role, -1
        self.config = GuestConfig(ram_bytes=0, role=role)
        self._rate, self._condition = rate, condition
        self._began: float | None = None
        self._stopped: float | None = None
        self._before, self._told = 0, -1

    def begin(self, before: int = 0) -> None:
        """The guest runs from now on, after ``before`` operations elsewhere."""
        self._began, self._before = monotonic(), before

    def stop(self) -> None:
        """The guest stands still from now on."""
        self._stopped = self._stopped or monotonic()

    def operations(self) -> int:
        """How many are done, by the clock and the rate."""
        if self._began is None:
            return 0
        return self._before + int(self._rate * ((self._stopped or monotonic()) - self._began))

    def log(self) -> tuple[Times, Counts]:
        """An entry for each operation since the last call."""
        if self._began is None:
            return np.empty(0), np.empty(0, np.int64)
        counts = np.arange(max(self._before, self._told + 1), self.operations() + 1, dtype=np.int64)
        self._told = int(counts[-1]) if len(counts) else self._told
        return self._began + (counts - self._before) / self._rate, counts

    def logs(self) -> dict[str, int]:
        """No descriptors, since there are no services."""
        return {}

    def conclude(self) -> Condition:
        """As it was told."""
        return self._condition


@dataclass(kw_only=True)
class FakeMover:
    """``ended`` is how its migration ends, after ``events``; ``meanwhile`` is called while it migrates. ``faults``:
    what is raised instead, by the name of what is asked for. ``asked``: what it was asked for, in order; others may
    write into it, too. ``rate``: its guest's operations per second.
    """

    ended: Ended = COMPLETED
    events: Sequence[Event] = ()
    meanwhile: Callable[[], object] = lambda: None
    faults: Mapping[str, BaseException] = field(default_factory=dict)
    memory: MemoryRecord = field(default_factory=lambda: MemoryRecord(match=None, method=NOT_COMPARED))
    predicted: PredictionRecord | None = None
    condition: Condition = UNHURT
    rate: float = 1000.0
    processes: dict[str, int] = field(default_factory=dict)
    orders: ClassVar[frozenset[str]] = frozenset({"cancel"})
    tracker: str = "none"
    tracker_reason: str = "nothing is moved"
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.guests = {
            SOURCE: FakeGuest("source", self.rate, self.condition),
            DESTINATION: FakeGuest("destination", self.rate, self.condition),
        }
        self._place: Place | None = None

    def start(self, place: Place) -> "FakeMover":
        """The mover itself, started: this is a ``Start``."""
        self._ask("start")
        place.stack.callback(self.asked.append, "end")
        self._place = place
        return self

    def foresee(self, _link: LinkRecord) -> PredictionRecord | None:
        """As it was told."""
        self._ask("foresee")
        return self.predicted

    def run(self) -> None:
        """The guest runs at the source."""
        self._ask("run")
        self.guests[SOURCE].begin()

    def migrate(self, observer: Observer, controls: Orders, noted: Noted) -> Ended:
        """Ends as it was told, but for a signal that was noted or a cancel by hand: then it is cancelled."""
        self._ask("migrate")
        key, began = self._at().plan.key, monotonic()
        controls.open(key, self.orders)
        for event in self.events:
            observer(event)
        self.meanwhile()
        records = [
            OrderRecord(at_s=monotonic() - began, what=order.what, value=order.value, fault=None)
            for order in controls.close(key)
        ]
        ended = replace(self.ended, controls=tuple(records))
        if noted.why or records:
            why = noted.why or "cancelled by hand"
            ended = replace(ended, outcome="cancelled", reason=why, runs_at=SOURCE, interrupted=bool(noted.why))
        self._move(ended)
        return ended

    def announced(self, ended: Ended) -> Ended:
        """The end as it was: nobody is announced."""
        self._ask("announced")
        return ended

    def freeze(self) -> None:
        """Both guests stand still."""
        self._ask("freeze")
        for guest in self.guests.values():
            guest.stop()

    def prove(self, _ended: Ended, _worked: list[bool]) -> MemoryRecord:
        """As it was told."""
        self._ask("prove")
        return self.memory

    def _move(self, ended: Ended) -> None:
        if ended.runs_at == DESTINATION:
            self.guests[SOURCE].stop()
            self.guests[DESTINATION].begin(self.guests[SOURCE].operations())

    def _at(self) -> Place:
        if self._place is None:
            raise ValueError("it was not started")
        return self._place

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.faults:
            raise self.faults[what]

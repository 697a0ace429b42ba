"""A rig to try a migration's stages on, whose parts are fakes that write down what is asked of them."""

import json
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.core.events import Event, PhaseChanged
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.engines.native.concluding import conclude
from testbed.rig.fake_mover import FakeMover
from testbed.rig.stages import Rig
from tests.unit.fake_hosts import FakeHosts, a_context, a_plan


@dataclass(kw_only=True)
class Stand:
    """A rig in a folder, all of whose parts write into one list what is asked of them."""

    folder: Path
    plan: Plan = field(default_factory=a_plan)
    hosts: FakeHosts = field(default_factory=FakeHosts)
    mover: FakeMover = field(default_factory=FakeMover)
    watch: Callable[[Event], None] = lambda _event: None
    more: dict[str, Any] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.asked = self.hosts.asked = self.mover.asked
        self.hosts.plan = self.plan
        self.events: list[Event] = []
        self.decided: list[MigrationRecord] = []
        more = {"decided": self.decided.append, "observer": self.see} | self.more
        self.rig = Rig(
            plan=self.plan,
            context=a_context(self.folder, **more),
            hosts=self.hosts,
            start=self.mover.start,
            conclude=conclude,
            stack=self.stack,
        )

    def see(self, event: Event) -> None:
        self.events.append(event)
        self.watch(event)

    @property
    def phases(self) -> list[str]:
        return [event.phase for event in self.events if isinstance(event, PhaseChanged)]

    def sampled(self, event: str) -> list[dict[str, Any]]:
        """Events of that name among the samples."""
        rows = map(json.loads, (self.folder / "samples.jsonl").read_text().splitlines())
        return [row for row in rows if row.get("event") == event]


def interrupt(phase: str) -> Callable[[Event], None]:
    """Ctrl-C as soon as that phase begins."""

    def watch(event: Event) -> None:
        if isinstance(event, PhaseChanged) and event.phase == phase:
            signal.raise_signal(signal.SIGINT)

    return watch

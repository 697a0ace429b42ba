"""Hosts and links that are none, for tests of the stages of a migration: nobody is root, and nothing passes a link."""

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from testbed.core.plan import GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.core.records.link import LinkRecord
from testbed.linux.net.counters import LinkCounters
from testbed.metrics.source import Row, SampleSource
from testbed.packets.capture import Kept
from testbed.rig.applications import Applications
from testbed.rig.context import RunContext
from testbed.rig.orders import Order
from testbed.runfiles.folder import RunFolder

LINK = LinkRecord(
    rate=1e9, goodput=9.4e8, expected_goodput=9.4e8, rtt_s=0.0, drops=0, mtu=1500, verified=True
)  # fmt: skip


def a_plan(**more: Any) -> Plan:
    """An idle guest of 4 MiB, and no time to spare."""
    return Plan(
        name="m",
        network=NetworkPlan(vmotion=LinkPlan(rate=1e9)),
        guest=GuestPlan(ram_bytes=4 << 20, workload={"name": "idle"}),
        migration=MigrationPlan(policy={"name": "plain"}),
        warmup_s=0.0,
        cooldown_s=0.0,
        **more,
    )


class FakeLink:
    """``fault``: why it obeys nobody."""

    def __init__(self, fault: str | None = None) -> None:
        self.fault = fault
        self.obeyed: list[Order] = []

    def obey(self, order: Order) -> str | None:
        self.obeyed.append(order)
        return self.fault


@dataclass
class FakeCounter:
    """Counts nothing. ``broken``: it raises from then on."""

    asked: list[str]
    broken: bool = False

    def link(self) -> LinkCounters:
        if self.broken:
            raise OSError(19, "No such device")
        return LinkCounters(rx_bytes=0, tx_bytes=0, rx_packets=0, tx_packets=0, rx_dropped=0, tx_dropped=0)

    def close(self) -> None:
        self.asked.append("counter closed")


@dataclass
class BrokenSource:
    """Says so in the sampler's thread; ``asked`` is set then."""

    fault: str
    asked: threading.Event = field(default_factory=threading.Event)

    def sample(self) -> list[Row]:
        self.asked.set()
        raise OSError(5, self.fault)

    def close(self) -> None:
        pass


@dataclass(kw_only=True)
class FakeHosts:
    """``asked`` is told what is done to them; ``faults``: what is raised instead, by the name of what is asked for."""

    plan: Plan = field(default_factory=a_plan)
    asked: list[str] = field(default_factory=list)
    faults: dict[str, BaseException] = field(default_factory=dict)
    more_sources: list[SampleSource] = field(default_factory=list)
    traffic: "FakeCrossing | None" = None
    link: FakeLink = field(default_factory=FakeLink)
    pids: tuple[int, ...] = (os.getpid(),)
    beside: tuple[int, ...] = (os.getpid(),)
    counters: list[FakeCounter] = field(default_factory=list)

    def __enter__(self) -> "FakeHosts":
        self._ask("up")
        return self

    def __exit__(self, *_: object) -> None:
        self._ask("down")

    def shape(self) -> None:
        self._ask("shape")

    def applications(self, context: RunContext, stack: ExitStack, log: IO[bytes]) -> Applications:
        nowhere: Any = SimpleNamespace(hosts={}, host=lambda _name: SimpleNamespace(vm=None))
        return Applications(self.plan, context, nowhere, stack, log)

    def prove(self) -> LinkRecord:
        self._ask("prove link")
        return replace(LINK)

    def counter(self) -> FakeCounter:
        self.counters.append(FakeCounter(self.asked))
        return self.counters[-1]

    def sources(self) -> list[SampleSource]:
        return self.more_sources

    def crossing(self, _told: Callable[[Any], None]) -> AbstractContextManager[Any] | None:
        return self.traffic

    def capture(self, context: RunContext, _log: IO[bytes]) -> Any:
        self._ask("capture")
        return FakeCapture(context.folder.path / "packets" / "01-1.pcapng", self.asked)

    def break_counters(self) -> None:
        """The link goes."""
        for counter in self.counters:
            counter.broken = True

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.faults:
            raise self.faults[what]


class FakeCrossing:
    """Cross traffic that cannot be stopped, where ``fault`` says why."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.fault, self.stopped = fault, 0

    def __enter__(self) -> "FakeCrossing":
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped += 1

    def stop(self) -> None:
        self.stopped += 1
        if self.fault:
            raise self.fault


class FakeCapture:
    """Keeps seven packets."""

    pid = 1

    def __init__(self, file: Path, asked: list[str]) -> None:
        self.file, self._asked = file, asked

    def __enter__(self) -> "FakeCapture":
        return self

    def __exit__(self, *_: object) -> None:
        self._asked.append("capture ended")

    def stop(self) -> Kept:
        return Kept(packets=7)


def a_context(folder: Path, **more: Any) -> RunContext:
    """Of a run whose files are in ``folder``."""
    told: dict[str, Any] = {"observer": lambda _event: None, "started": lambda _pid: None}
    return RunContext(
        run_id="abc123",
        runtime=folder,
        folder=RunFolder(folder),
        **(told | more),
    )

"""What is measured beside a migration: marks in time with the counters at them, samples, and both guests' logs."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from time import monotonic
from types import TracebackType

import psutil

from guest_agent.memory.ram import RAM_NAME
from testbed.core.events import Controlled, Event, Observer, PhaseChanged, RoundFinished, Sampled
from testbed.core.migration_key import MigrationKey
from testbed.core.plan import Plan
from testbed.core.records.sample_owner import NAMED, NUMBER, named
from testbed.engines import RunContext
from testbed.engines.native.settling import Pair
from testbed.findings.accounting import LinkCount
from testbed.findings.guest_log import GuestLog
from testbed.linux.net.counters import Counters
from testbed.metrics.guest import GuestSource
from testbed.metrics.host import ProcessSource, cpu_seconds, pss_bytes
from testbed.metrics.link import LinkSource
from testbed.metrics.sampler import Sampler, SamplerReport
from testbed.metrics.source import Row, Seldom
from testbed.metrics.tcp import TcpSource
from testbed.migration.streams.sockets import STREAM_PORT
from testbed.network.fabric import Fabric
from testbed.network.traffic.cross_traffic import Crossed
from testbed.rig.logs import LogFollower

VMOTION = "vmotion"
"""The interface at both hosts' ends of the vMotion network, by the rule for topologies."""
TELL_EVERY = 12
"""Ticks of the sampler between two of the events that a live view draws, and two looks at processes, whose times the
kernel counts in hundredths of a second."""
LOGS_EVERY = 4
"""Ticks between two looks at a log of a service or a client, which keeps each operation anyhow; a divisor of the other,
so that what is told counts as many looks each time."""
SELDOM = 5
"""Ticks of the sampler between two looks at what changes slowly or says the same again: together these would cost more
than all the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An instant (CLOCK_MONOTONIC, s) and what had been counted by then. CPU in seconds."""

    at: float
    link: LinkCount
    guest_cpu_s: float
    operations: int


class Telling:
    """A ``Source`` that gives no rows: it tells whoever watches, from the sampler's thread. ``followers`` are the logs
    of services and clients; more may come.
    """

    def __init__(self, migration: MigrationKey, pid: int, pair: Pair, observer: Observer) -> None:
        self._migration, self._pair, self._observer = migration, pair, observer
        self._counters = Counters(pid, VMOTION)
        self.followers: list[LogFollower] = []

    def sample(self) -> list[Row]:
        """Tells."""
        operations = max(self._pair.source.operations(), self._pair.destination.operations())
        sent = self._counters.link().tx_bytes
        silent = [
            longest for each in self.followers if (longest := each.take_silence_s()) is not None and not each.name
        ]
        self._observer(
            Sampled(
                at=monotonic(),
                migration=self._migration,
                link_bytes=sent,
                operations=operations,
                services=completed(self.followers),
                silence_s=max(silent, default=None),
            )
        )
        return []

    def close(self) -> None:
        """Lets go of the namespace."""
        self._counters.close()


def completed(followers: Sequence[LogFollower]) -> dict[str, int]:
    """Operations of each service so far, by its clients' log where it has clients, else by the guest's at all hosts."""
    seen: dict[str, dict[bool, int]] = {}
    for each in followers:
        if each.name:
            counts = seen.setdefault(each.name, {})
            counts[each.is_client] = counts.get(each.is_client, 0) + each.count
    return {name: counts.get(True, counts.get(False, 0)) for name, counts in seen.items()}


class Measuring:
    """From before the guest's first operation to after its last. Its result is complete once the context has ended."""

    def __init__(self, plan: Plan, context: RunContext, fabric: Fabric, pair: Pair) -> None:
        self._pair = pair
        self._stack = ExitStack()
        self.marks: dict[str, Mark] = {}
        self.memory_overhead: int | None = None
        source, destination = fabric.host("esx1"), fabric.host("esx2")
        self._counters = self._stack.enter_context(Counters(source.pid, VMOTION))
        self._processes = {
            "source": pair.source_agent.process.pid,
            "destination": pair.destination_agent.process.pid,
            "guest-source": pair.source.process.pid,
            "guest-destination": pair.destination.process.pid,
        }
        self._shells = [host.pid for host in fabric.hosts.values()] + [fabric.bridge.pid]
        self._plan = plan
        self._telling = Telling(plan.key, source.pid, pair, context.observer)
        self._sampler = Sampler(
            context.samples,
            (
                LinkSource("esx1", source.pid, VMOTION, qdisc_every=SELDOM),
                Seldom(LinkSource("esx2", destination.pid, VMOTION), SELDOM),
                Seldom(TcpSource("esx1", source.pid, STREAM_PORT), TELL_EVERY),
                Seldom(ProcessSource(self._processes), TELL_EVERY),
                GuestSource(pair.source.operations, "esx1"),
                GuestSource(pair.destination.operations, "esx2"),
                Seldom(self._telling, TELL_EVERY),
            ),
            context.sample_s,
            {NUMBER: context.number},
        )

    def __enter__(self) -> "Measuring":
        self._stack.enter_context(self._sampler)
        self._sampler.event(NAMED, **named(self._plan.key, self._plan.seed))
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def follow(self, logs: Sequence[LogFollower]) -> None:
        """Logs of services and clients to be sampled too, from now on."""
        for log in logs:
            self._sampler.add(Seldom(log, LOGS_EVERY))
        self._telling.followers += logs

    def watch(self, name: str, pid: int) -> None:
        """One more process, whose memory counts."""
        self._processes[name] = pid

    def mark(self, name: str) -> None:
        """Reads every counter now."""
        counted = self._counters.link()
        self.marks[name] = Mark(
            at=monotonic(),
            link=LinkCount(sent_bytes=counted.tx_bytes, sent_packets=counted.tx_packets),
            guest_cpu_s=sum(
                cpu_seconds(self._processes[name]) or 0.0 for name in ("guest-source", "guest-destination")
            ),
            operations=max(self._pair.source.operations(), self._pair.destination.operations()),
        )
        self._sampler.event("mark", name=name)

    def mark_anyway(self, name: str, last: str) -> None:
        """The same; where a counter cannot be read any more, that of the mark ``last`` stands for it."""
        try:
            self.mark(name)
        except (OSError, psutil.Error):
            self.marks[name] = replace(self.marks[last], at=monotonic())

    def note(self, event: Event) -> None:
        """What happened, among the samples, on the same clock: rounds with their decisions, phases."""
        match event:
            case RoundFinished():
                done = asdict(event.round) | {"kind": event.round.kind.value}
                self._sampler.event("round", round=done, decision=event.decision.reason if event.decision else None)
            case PhaseChanged():
                self._sampler.event("phase", phase=event.phase)
            case Controlled():
                self._sampler.event("control", what=event.what, value=event.value, fault=event.fault)

    def crossed(self, arrived: Crossed) -> None:
        """Cross traffic that has arrived so far, among the samples."""
        self._sampler.event("cross_traffic", at=arrived.at, bytes=arrived.sent_bytes)

    def take_memory(self) -> None:
        """All processes' proportional share of memory, but of the two RAMs."""
        processes = [psutil.Process().pid, *self._processes.values(), *self._shells]
        self.memory_overhead = sum(pss_bytes(pid, RAM_NAME) or 0 for pid in processes)

    def stop(self) -> None:
        """No further samples. Raises ``TestbedError`` when some were not written."""
        self._stack.close()

    def report(self) -> SamplerReport:
        """What the sampling cost, and what was lost; complete after ``stop``."""
        return self._sampler.report()

    def guest_log(self) -> GuestLog:
        """Both guests' journals as one."""
        return GuestLog.joined(self._pair.source.log(), self._pair.destination.log())

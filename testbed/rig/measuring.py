"""What is measured beside a migration: marks in time with the counters at them, samples, and both guests' logs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from time import monotonic
from types import TracebackType

import psutil

from guest_agent.memory.ram import RAM_NAME
from testbed.core.events import Controlled, Event, FaultInjected, Observer, PhaseChanged, RoundFinished, Sampled
from testbed.core.migration_key import MigrationKey
from testbed.core.plan import Plan
from testbed.core.records.sample_owner import NAMED, NUMBER, named
from testbed.core.records.sampler import SamplerReport
from testbed.findings.accounting import LinkCount
from testbed.findings.guest_log import GuestLog
from testbed.findings.marks import Mark
from testbed.metrics.guest import GuestSource
from testbed.metrics.host import ProcessSource, cpu_seconds, pss_bytes
from testbed.metrics.sampler import Sampler
from testbed.metrics.source import Row, Seldom
from testbed.network.traffic.cross_traffic import Crossed
from testbed.rig.context import RunContext
from testbed.rig.hosts import Hosts, LinkCounter
from testbed.rig.logs import JournalFollower, LogFollower
from testbed.rig.mover import GuestAtHost

GUESTS = ("guest-source", "guest-destination")
"""The guests' processes, whose CPU time counts as the guest's."""
TELL_EVERY = 12
"""Ticks of the sampler between two of the events that a live view draws, and two looks at processes, whose times the
kernel counts in hundredths of a second."""
LOGS_EVERY = 4
"""Ticks between two looks at a log of a service or a client, which keeps each operation anyhow; a divisor of the other,
so that what is told counts as many looks each time."""


class LiveSource:
    """A ``SampleSource`` that gives no rows: it tells whoever watches, from the sampler's thread. ``operations`` of the
    guest so far; ``followers`` are the logs of services and clients; more may come.
    """

    def __init__(
        self, migration: MigrationKey, counter: LinkCounter, operations: Callable[[], int], observer: Observer
    ) -> None:
        self._migration, self._operations, self._observer = migration, operations, observer
        self._counter = counter
        self.followers: list[LogFollower] = []

    def sample(self) -> list[Row]:
        """No rows: the observer is told how far guest, link and services are."""
        operations = self._operations()
        sent = self._counter.link().tx_bytes
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
        """Lets go of the link."""
        self._counter.close()


def completed(followers: Sequence[LogFollower]) -> dict[str, int]:
    """Operations of each service so far, by its clients' log where it has clients, else by the guest's at all hosts."""
    counts: dict[str, dict[bool, int]] = {}
    for each in followers:
        if each.name:
            sides = counts.setdefault(each.name, {})
            sides[each.is_client] = sides.get(each.is_client, 0) + each.count
    return {name: sides.get(True, sides.get(False, 0)) for name, sides in counts.items()}


class Measurement:
    """From before the guest's first operation to after its last. Its result is complete once the context has ended.

    ``processes``: pids by the names that samples give them; ``guests``: the guest at each host, by the host's name.
    """

    def __init__(
        self,
        plan: Plan,
        context: RunContext,
        hosts: Hosts,
        processes: Mapping[str, int],
        guests: Mapping[str, GuestAtHost],
    ) -> None:
        self._stack = ExitStack()
        self.marks: dict[str, Mark] = {}
        self.memory_overhead: int | None = None
        self._plan, self._guests = plan, guests
        self._journals = [JournalFollower(guest.log) for guest in guests.values()]
        self._processes, self._beside = dict(processes), list(hosts.beside)
        self._counter = hosts.counter()
        self._stack.callback(self._counter.close)
        self._live = LiveSource(plan.key, hosts.counter(), self.operations, context.observer)
        self._sampler = Sampler(
            context.folder.samples,
            (
                *hosts.sources(),
                Seldom(ProcessSource(self._processes), TELL_EVERY),
                *(GuestSource(guest.operations, host) for host, guest in guests.items()),
                *(Seldom(journal, TELL_EVERY) for journal in self._journals),
                Seldom(self._live, TELL_EVERY),
            ),
            context.sample_s,
            {NUMBER: context.number},
            f"make room, or {context.folder.otherwise}",
        )

    def operations(self) -> int:
        """How many operations the guest has completed so far, wherever it is."""
        return max(guest.operations() for guest in self._guests.values())

    def __enter__(self) -> "Measurement":
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
        self._live.followers += logs

    def watch(self, name: str, pid: int) -> None:
        """One more process, whose memory counts."""
        self._processes[name] = pid

    def mark(self, name: str) -> None:
        """Reads every counter now."""
        counted = self._counter.link()
        self.marks[name] = Mark(
            at=monotonic(),
            link=LinkCount(sent_bytes=counted.tx_bytes, sent_packets=counted.tx_packets),
            guest_cpu_s=sum(cpu_seconds(self._processes[name]) or 0.0 for name in GUESTS if name in self._processes),
            operations=self.operations(),
        )
        self._sampler.event("mark", name=name)

    def mark_anyway(self, name: str, last: str) -> None:
        """Reads every counter now; where one cannot be read any more, those of the mark ``last`` stand for all."""
        try:
            self.mark(name)
        except (OSError, psutil.Error):
            self.marks[name] = replace(self.marks[last], at=monotonic())

    def note(self, event: Event) -> None:
        """What happened, among the samples, on the same clock: rounds with their decisions, phases."""
        match event:
            case RoundFinished():
                fields = asdict(event.round) | {"kind": event.round.kind.value}
                self._sampler.event("round", round=fields, decision=event.decision.reason if event.decision else None)
            case PhaseChanged():
                self._sampler.event("phase", phase=event.phase)
            case Controlled():
                self._sampler.event("control", what=event.what, value=event.value, fault=event.fault)
            case FaultInjected():
                self._sampler.event("fault", phase=event.phase, what=event.what, fault=event.fault)

    def crossed(self, arrived: Crossed) -> None:
        """Cross traffic that has arrived so far, among the samples."""
        self._sampler.event("cross_traffic", at=arrived.at, bytes=arrived.sent_bytes)

    def take_memory(self) -> None:
        """All processes' proportional share of memory, but of the two RAMs."""
        processes = [psutil.Process().pid, *self._processes.values(), *self._beside]
        self.memory_overhead = sum(pss_bytes(pid, RAM_NAME) or 0 for pid in processes)

    def stop(self) -> None:
        """No further samples. Raises ``TestbedError`` when some were not written."""
        self._stack.close()

    def report(self) -> SamplerReport:
        """What the sampling cost, and what was lost; complete after ``stop``."""
        return self._sampler.report()

    def guest_log(self) -> GuestLog:
        """All hosts' guests' journals as one; complete after ``stop``."""
        return GuestLog.joined(*(part for journal in self._journals for part in journal.entries()))

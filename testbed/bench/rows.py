"""``testbed bench``: what this machine can do, as ratios out of one run, each with what would be good.

Every row is measured on real hosts, links and guests, a few seconds each, several times: the median, and between which
figures it lies. A figure that misses its mark is printed as it is: the machine may be busy, and two numbers that were
taken one after the other say more than one alone.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeAlias

from testbed.bench.guest import peak_rate, scan_cost, slowdown
from testbed.core.errors import TestbedError
from testbed.core.parameters import Spec
from testbed.core.plan import GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.core.records.migration import MigrationRecord
from testbed.engines.native.engine import native_rig
from testbed.metrics.sampler import PERIOD_S
from testbed.network.fabric import Fabric
from testbed.network.traffic.iperf3 import iperf3_goodput
from testbed.rig.context import RunContext
from testbed.rig.stages import build

GIB = 1 << 30
IDLE = {"name": "idle"}
PAIRS = 5
TIMES = 3
"""How often a row is measured."""
OFTEN = 7
"""How often what swings most is: a few tenths of a second in which two processors do all they can."""
_NEVER_S = 3600.0
Surroundings: TypeAlias = Callable[[], AbstractContextManager[RunContext]]
"""What each migration is put into anew: nobody keeps its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``met`` says whether ``figure`` is on the right side of the ``mark``."""

    measure: str
    figure: str
    mark: str
    met: bool


@dataclass(frozen=True, slots=True)
class Several:
    """One figure, measured more than once."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, measure: Callable[[], float], times: int = TIMES) -> "Several":
        """Measures it so often."""
        return cls(tuple(measure() for _ in range(times)))

    @property
    def median(self) -> float:
        """Half of them lie below."""
        return median(self.values)

    def words(self, shown: Callable[[float], str]) -> str:
        """``1.31 (1.22 to 1.40 in 7)``."""
        return f"{shown(self.median)} ({shown(min(self.values))} to {shown(max(self.values))} in {len(self.values)})"


def rows(surroundings: Surroundings) -> Iterator[Row]:
    """The table, row by row as each is measured. Needs root, and the machine to itself."""
    yield from (_wire(rate, surroundings) for rate in (1e9, 4e9, 10e9, None))
    yield _scan()
    yield from _idle_downtime(surroundings)
    yield from _services_downtime(surroundings)
    yield _undisturbed(surroundings)
    yield _slowdown()
    yield _peak()


def _wire(rate: float | None, surroundings: Surroundings) -> Row:
    """Round 1 between two measurements by iperf3 on the very same link."""
    pairs = [_against_iperf3(rate, surroundings) for _ in range(TIMES if rate else OFTEN)]
    ratios, gigabits = (Several(values) for values in zip(*pairs, strict=True))
    name = "unshaped" if rate is None else f"at {rate / 1e9:g} Gbit/s, MTU 1500"
    least = 0.9 if rate is None else 0.99
    return Row(
        measure=f"goodput of round 1 / iperf3, {name}",
        figure=f"{ratios.words('{:.3f}'.format)}, {gigabits.words('{:.2f}'.format)} Gbit/s",
        mark=f">= {least:g}" + (", > 10 Gbit/s" if rate is None else ""),
        met=ratios.median >= least and (rate is not None or gigabits.median > 10),
    )


def _against_iperf3(rate: float | None, surroundings: Surroundings) -> tuple[float, float]:
    """The ratio, and round 1 in Gbit/s."""
    plan = _plan(LinkPlan(rate=rate), ram_bytes=GIB)
    with surroundings() as context, ExitStack() as stack:
        fabric = Fabric(plan.network, context.run_id)
        built = build(native_rig(plan, context, fabric, stack))
        before = iperf3_goodput(fabric, 2)
        moved = built.warm_up().migrate()
        after = iperf3_goodput(fabric, 2)
        record = moved.conclude()
    if not record.rounds:
        raise TestbedError(f"the migration sent nothing to measure: {record.outcome}: {record.reason}")
    first = record.rounds[0]
    return first.bandwidth / ((before + after) / 2), first.bandwidth * 8 / 1e9


def _idle_downtime(surroundings: Surroundings) -> Iterator[Row]:
    """An idle guest of 1 GiB over 1 Gbit/s: what a switchover costs at least, and what memory the lot needs."""
    records = [_moved(_plan(LinkPlan(rate=1e9), ram_bytes=GIB), surroundings) for _ in range(TIMES)]
    downtime = _downtime(records)
    overhead = Several(tuple((each.memory_overhead_bytes or 0) / 2**20 for each in records))
    yield Row(
        measure="downtime, idle 1 GiB guest, 1 Gbit/s",
        figure=f"{downtime.words('{:.1f}'.format)} ms, {_longest_phase(records)}",
        mark="< 20 ms",
        met=downtime.median < 20,
    )
    yield Row(
        measure="memory beside the two RAMs (PSS, all processes)",
        figure=f"{overhead.words('{:.0f}'.format)} MiB",
        mark="< 300 MiB",
        met=0 < overhead.median < 300,
    )


def _services_downtime(surroundings: Surroundings) -> Iterator[Row]:
    """The same with an application and connections that move with it, and what it costs to watch all that."""
    echo = {"name": "echo", "connections": 10}
    records = [_moved(_plan(LinkPlan(rate=1e9), ram_bytes=GIB, services=(echo,)), surroundings) for _ in range(TIMES)]
    downtime, moved = _downtime(records), min(each.connections.moved if each.connections else 0 for each in records)
    yield Row(
        measure="downtime, idle 1 GiB guest with a service and 10 connections",
        figure=f"{downtime.words('{:.1f}'.format)} ms, {_longest_phase(records)}; {moved} connections moved",
        mark="< 30 ms",
        met=downtime.median < 30 and moved == 10,
    )
    sampling = Several(tuple(each.cpu.sampler_share or 0.0 if each.cpu else 0.0 for each in records))
    probing = Several(tuple(each.cpu.probe_share or 0.0 if each.cpu else 0.0 for each in records))
    both = Several(tuple(map(sum, zip(sampling.values, probing.values, strict=True))))
    yield Row(
        measure="sampling every 20 ms and probing every 1.9 ms, share of a core",
        figure=f"{both.words('{:.1%}'.format)}, {sampling.median:.1%} and {probing.median:.1%}",
        mark="< 5 %",
        met=bool(min(sampling.values) and min(probing.values)) and both.median < 0.05,
    )


def _undisturbed(surroundings: Surroundings) -> Row:
    """A migration's time while it is watched and while it is not, by turns."""
    writer = {"name": "uniform", "write_rate": 24e6, "working_set": 64_000_000}
    plan = _plan(LinkPlan(rate=1e9), ram_bytes=256_000_000, workload=writer)
    alone = replace(plan, guest=replace(plan.guest, probe=False))
    watched, unwatched = [], []
    for _ in range(PAIRS):
        watched.append(_moved(plan, surroundings).total_time_s or float("inf"))
        unwatched.append(_moved(alone, surroundings, sample_s=_NEVER_S).total_time_s or float("inf"))
    ratio = median(watched) / median(unwatched)
    noise = (max(unwatched) - min(unwatched)) / median(unwatched)
    return Row(
        measure=f"a migration's time with sampling and probing / without, {PAIRS} pairs",
        figure=f"{ratio:.4f} (without they lie within {noise:.2%})",
        mark="< 1.01",
        met=ratio < 1.01,
    )


def _moved(plan: Plan, surroundings: Surroundings, sample_s: float = PERIOD_S) -> MigrationRecord:
    """One migration, whole."""
    with surroundings() as context, ExitStack() as stack:
        sampled = replace(context, sample_s=sample_s)
        rig = native_rig(plan, sampled, Fabric(plan.network, context.run_id), stack)
        return build(rig).warm_up().migrate().conclude()


def _downtime(records: Sequence[MigrationRecord]) -> Several:
    """In milliseconds; infinite for one that did not complete."""
    return Several(tuple((each.downtime_s or float("inf")) * 1e3 for each in records))


def _longest_phase(records: Sequence[MigrationRecord]) -> str:
    """Of the migration whose downtime is the median."""
    middle = sorted(records, key=lambda each: each.downtime_s or float("inf"))[len(records) // 2]
    name, seconds = max(middle.downtime_phases_s.items(), key=lambda phase: phase[1], default=("?", 0.0))
    return f"longest: {name} {seconds * 1e3:.1f} ms"


def _scan() -> Row:
    cost = Several.of(lambda: scan_cost() * 1e3)
    return Row(
        measure="one dirty scan of 1 GiB, 1 % dirty",
        figure=f"{cost.words('{:.2f}'.format)} ms",
        mark="< 5 ms",
        met=cost.median < 5,
    )


def _slowdown() -> Row:
    runs = [slowdown() for _ in range(TIMES)]
    share, rate = Several(tuple(each.share for each in runs)), Several(tuple(each.rate for each in runs))
    return Row(
        measure="guest's slowdown while tracked, 100 MB/s",
        figure=f"{share.words('{:.1%}'.format)}, rate held: {rate.median:.1%}",
        mark="< 5 %",
        met=share.median < 0.05,
    )


def _peak() -> Row:
    peak = Several.of(lambda: peak_rate() / 1e9)
    return Row(
        measure="distinct pages written while tracked",
        figure=f"{peak.words('{:.2f}'.format)} GB/s",
        mark=">= 1.5 GB/s",
        met=peak.median >= 1.5,
    )


def _plan(
    link: LinkPlan,
    *,
    ram_bytes: int,
    workload: Spec = IDLE,
    services: tuple[Spec, ...] = (),
) -> Plan:
    return Plan(
        name="bench",
        network=NetworkPlan(vmotion=link),
        guest=GuestPlan(ram_bytes=ram_bytes, workload=workload, services=services),
        migration=MigrationPlan(policy={"name": "plain", "downtime_goal": 0.1}),
        warmup_s=0.2,
        cooldown_s=0.2,
    )

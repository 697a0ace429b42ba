"""``testbed bench``: what this machine can do, as ratios out of one run, each with what would be good.

Every row is measured on real hosts, links and guests, a few seconds each. A figure that misses its mark is printed as
it is: the machine may be busy, and two numbers that were taken one after the other say more than one alone.
"""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from testbed.core.plan import GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.core.record import MigrationRecord
from testbed.engines import RunContext
from testbed.engines.bench_guest import peak_rate, scan_cost, slowdown
from testbed.engines.native import Lab
from testbed.linux import owned
from testbed.metrics.sampler import PERIOD_S
from testbed.network.iperf3 import iperf3_goodput

GIB = 1 << 30
IDLE = {"name": "idle"}
PAIRS = 5
_NEVER_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. ``met`` says whether ``figure`` is on the right side of the ``mark``."""

    measure: str
    figure: str
    mark: str
    met: bool


def rows(started: Callable[[int], None]) -> Iterator[Row]:
    """The table, row by row as each is measured. Needs root, and the machine to itself."""
    yield from (_wire(rate, started) for rate in (1e9, 4e9, 10e9, None))
    yield _scan()
    yield from _idle_downtime(started)
    yield from _services_downtime(started)
    yield _undisturbed(started)
    yield _slowdown()
    yield _peak()


def _wire(rate: float | None, started: Callable[[int], None]) -> Row:
    """Round 1 between two measurements by iperf3 on the very same link."""
    plan = _plan(LinkPlan(rate=rate), ram_bytes=GIB)
    with _lab(plan, started) as lab:
        link = lab.build()
        before = iperf3_goodput(lab.fabric, 2)
        lab.warm_up()
        ended = lab.migrate()
        after = iperf3_goodput(lab.fabric, 2)
        done = lab.conclude(link, ended)
    ratio = done.rounds[0].bandwidth / ((before + after) / 2)
    gigabits = done.rounds[0].bandwidth * 8 / 1e9
    name = "unshaped" if rate is None else f"at {rate / 1e9:g} Gbit/s, MTU 1500"
    least = 0.9 if rate is None else 0.99
    return Row(
        measure=f"goodput of round 1 / iperf3, {name}",
        figure=f"{ratio:.3f} ({gigabits:.2f} Gbit/s)",
        mark=f">= {least:g}" + (", > 10 Gbit/s" if rate is None else ""),
        met=ratio >= least and (rate is not None or gigabits > 10),
    )


def _idle_downtime(started: Callable[[int], None]) -> Iterator[Row]:
    """An idle guest of 1 GiB over 1 Gbit/s: what a switchover costs at least, and what memory the lot needs."""
    done = _moved(_plan(LinkPlan(rate=1e9), ram_bytes=GIB), started)
    downtime, overhead = done.downtime_s or float("inf"), done.memory_overhead_bytes or 0
    yield Row(
        measure="downtime, idle 1 GiB guest, 1 Gbit/s",
        figure=f"{downtime * 1e3:.1f} ms ({_longest_phase(done)})",
        mark="< 20 ms",
        met=downtime < 0.02,
    )
    yield Row(
        measure="memory beside the two RAMs (PSS, all processes)",
        figure=f"{overhead / 2**20:.0f} MiB",
        mark="< 300 MiB",
        met=0 < overhead < 300 * 2**20,
    )


def _services_downtime(started: Callable[[int], None]) -> Iterator[Row]:
    """The same with an application and connections that move with it, and what it costs to watch all that."""
    echo = {"name": "echo", "connections": 10}
    done = _moved(_plan(LinkPlan(rate=1e9), ram_bytes=GIB, services=(echo,)), started)
    downtime, moved = done.downtime_s or float("inf"), done.connections.moved if done.connections else 0
    yield Row(
        measure="downtime, idle 1 GiB guest with a service and 10 connections",
        figure=f"{downtime * 1e3:.1f} ms ({_longest_phase(done)}; {moved} connections moved)",
        mark="< 30 ms",
        met=downtime < 0.03 and moved == 10,
    )
    sampling, probing = (done.cpu.sampler_share, done.cpu.probe_share) if done.cpu else (None, None)
    share = (sampling or 0.0) + (probing or 0.0)
    yield Row(
        measure="sampling every 20 ms and probing every 1.9 ms, share of a core",
        figure=f"{share:.1%} ({sampling or 0:.1%} and {probing or 0:.1%})",
        mark="< 5 %",
        met=bool(sampling and probing) and share < 0.05,
    )


def _undisturbed(started: Callable[[int], None]) -> Row:
    """A migration's time while it is watched and while it is not, by turns."""
    writer = {"name": "uniform", "write_rate": 24e6, "working_set": 64_000_000}
    plan = _plan(LinkPlan(rate=1e9), ram_bytes=256_000_000, workload=writer)
    alone = replace(plan, guest=replace(plan.guest, probe=False))
    watched, unwatched = [], []
    for _ in range(PAIRS):
        watched.append(_moved(plan, started).total_time_s or float("inf"))
        unwatched.append(_moved(alone, started, sample_s=_NEVER_S).total_time_s or float("inf"))
    ratio = median(watched) / median(unwatched)
    noise = (max(unwatched) - min(unwatched)) / median(unwatched)
    return Row(
        measure=f"a migration's time with sampling and probing / without, {PAIRS} pairs",
        figure=f"{ratio:.4f} (without they lie within {noise:.2%})",
        mark="< 1.01",
        met=ratio < 1.01,
    )


def _moved(plan: Plan, started: Callable[[int], None], sample_s: float = PERIOD_S) -> MigrationRecord:
    """One migration, whole."""
    with _lab(plan, started, sample_s) as lab:
        link = lab.build()
        lab.warm_up()
        return lab.conclude(link, lab.migrate())


def _longest_phase(done: MigrationRecord) -> str:
    name, seconds = max(done.downtime_phases_s.items(), key=lambda phase: phase[1], default=("?", 0.0))
    return f"longest: {name} {seconds * 1e3:.1f} ms"


def _scan() -> Row:
    cost = scan_cost()
    return Row(
        measure="one dirty scan of 1 GiB, 1 % dirty", figure=f"{cost * 1e3:.2f} ms", mark="< 5 ms", met=cost < 5e-3
    )


def _slowdown() -> Row:
    seen = slowdown()
    return Row(
        measure="guest's slowdown while tracked, 100 MB/s",
        figure=f"{seen.share:.1%} (rate held: {seen.rate:.1%})",
        mark="< 5 %",
        met=seen.share < 0.05,
    )


def _peak() -> Row:
    peak = peak_rate()
    return Row(
        measure="distinct pages written while tracked",
        figure=f"{peak / 1e9:.2f} GB/s",
        mark=">= 1.5 GB/s",
        met=peak >= 1.5e9,
    )


def _plan(
    link: LinkPlan,
    *,
    ram_bytes: int,
    workload: dict[str, Any] = IDLE,
    services: tuple[dict[str, Any], ...] = (),
) -> Plan:
    return Plan(
        name="bench",
        network=NetworkPlan(vmotion=link),
        guest=GuestPlan(ram_bytes=ram_bytes, workload=workload, services=services),
        migration=MigrationPlan(policy={"name": "plain", "downtime_goal": 0.1}),
        warmup_s=0.2,
        cooldown_s=0.2,
    )


@contextmanager
def _lab(plan: Plan, started: Callable[[int], None], sample_s: float = PERIOD_S) -> Iterator[Lab]:
    """A lab whose files are thrown away."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fast-motion-")))
        context = RunContext(
            run_id=secrets.token_hex(3),
            runtime=folder,
            samples=folder / "samples.jsonl",
            log=folder / "log.txt",
            observer=lambda _event: None,
            started=started,
            sample_s=sample_s,
        )
        log = stack.enter_context(owned.append(context.log))
        yield Lab(plan, context, stack, log)

"""The model's chance against guests that really draw pages, one by one, by the guest's own program."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from guest_agent.config import GuestConfig
from guest_agent.memory.program import Program
from testbed.core.plan import Plan
from testbed.core.records.migration import PredictionRecord
from testbed.core.rounds import Throttle
from testbed.core.units import PAGE_SIZE
from testbed.migration.precopy import migrate
from testbed.model import guest as fluid
from testbed.model.chance import BATCH_S, Draw, Scatter, ScatteredGuest
from testbed.model.guest import FluidGuest
from testbed.model.interval import REPLICAS, predict_with_chance
from testbed.model.link import link_goodput
from testbed.model.predict import predict
from testbed.model.source import Costs, FluidSource
from testbed.model.streams import Streams
from testbed.policies import build
from testbed.throttles import stop_and_continue
from tests.unit.plans import GBIT, plan, writes

MIB = 1 / 1024
COSTS = Costs(setup_s=0.005, round_s=0.0003, scan_s=0.0002, pause_s=0.0004, resume_s=0.001)
SEEDS = range(40)


class PageGuest(FluidGuest):
    """A real guest's writes in virtual time, in batches of a millisecond: which pages it dirties is its program's."""

    def __init__(self, asked: Plan, seed: int) -> None:
        super().__init__(asked.guest.workload, asked.guest.ram_bytes)
        self._program = Program(
            GuestConfig(ram_bytes=asked.guest.ram_bytes, workload=dict(asked.guest.workload), seed=seed)
        )
        self._pages_dirty = np.zeros(asked.guest.ram_bytes // PAGE_SIZE, np.bool_)
        self._now = float(np.random.default_rng(seed).random()) * BATCH_S
        self._operation, self._due = 0, 0.0

    def run(self, duration_s: float, throttle: Throttle | None = None) -> None:
        assert throttle is None
        before, self._now = self._now, self._now + duration_s
        batches = self._now // BATCH_S - before // BATCH_S
        rate, _ = self._program.pace(self._operation)
        self._due += batches * BATCH_S * rate
        numbers = np.arange(self._operation, int(self._due), dtype=np.uint64)
        self._pages_dirty[self._program.pages(numbers).astype(np.int64)] = True
        self._operation = int(self._due)

    def collect(self, unsent: int = 0) -> int:
        assert unsent == 0, "the policy looks at whole rounds"
        self._pages_dirty[0] = True
        found = int(self._pages_dirty.sum()) * PAGE_SIZE
        self._pages_dirty[:] = False
        return found


def replayed(asked: Plan, goodput: float, seed: int) -> tuple[float, float | None, int, int]:
    """Total time, downtime, bytes and rounds of the very pre-copy, of pages."""
    guest = PageGuest(asked, seed)
    guest.run(asked.warmup_s)
    guest.collect()
    source = FluidSource(
        guest,
        ram_bytes=asked.guest.ram_bytes,
        streams=Streams(rate=goodput, rtt_s=1e-4),
        costs=COSTS,
        timeout_s=asked.migration.timeout_s,
        scattered=asked.guest.workload["name"] != "sequential",
    )
    done = migrate(source, build(asked.migration.policy))
    sent = sum(each.sent_bytes for each in done.rounds)
    return source.clock, sum(source.phases.values()), sent, len(done.rounds)


COARSE = {"zipf": 0.003}
"""Share by which the fluid is off: the guest's tail is dealt in runs of whole ranks, of one page or two, which the law
is not, and so its writes meet dirty pages a little more often."""


def within(said: PredictionRecord, seen: tuple[float, float | None, int, int], off: float) -> list[bool]:
    assert said.low is not None and said.high is not None
    ends = [(end.total_time_s, end.downtime_s, end.bytes_sent, end.rounds) for end in (said.low, said.high)]
    spans = zip(ends[0], seen, ends[1], strict=True)
    return [low * (1 - off) <= value <= high * (1 + off) for low, value, high in spans]  # type: ignore[operator]


GOODPUT = 0.3
"""Gbit/s, as a scaled 10G link."""


@pytest.mark.parametrize(
    ("workload", "policy"),
    [
        (writes(0.95 * GOODPUT, 64 * MIB), {"name": "plain", "downtime_goal": 0.0625}),
        (writes(0.9 * GOODPUT, 64 * MIB), {"name": "plain", "downtime_goal": 0.02}),
        (writes(0.95 * GOODPUT, 64 * MIB), "xen"),
        (writes(0.95 * GOODPUT, 64 * MIB), {"name": "flattening", "downtime_goal": 0.0625}),
        (writes(0.9 * GOODPUT, 4 * MIB), {"name": "plain", "downtime_goal": 0.01}),
        (writes(0.5 * GOODPUT), {"name": "plain", "downtime_goal": 0.05}),
        (
            {**writes(1.1 * GOODPUT, 64 * MIB), "name": "hot-cold", "hot_share": 0.1, "hot_rate_share": 0.9},
            {"name": "plain", "downtime_goal": 0.1},
        ),
        (
            {**writes(1.2 * GOODPUT, 64 * MIB), "name": "zipf", "exponent": 1.0},
            {"name": "plain", "downtime_goal": 0.1},
        ),
    ],
    ids=["plain", "plain-to-the-end", "xen", "flattening", "small-set", "sequential", "hot-cold", "zipf"],
)
def test_nine_of_ten_runs_of_real_pages_lie_within_what_was_predicted(
    workload: dict[str, Any], policy: str | dict[str, Any]
) -> None:
    asked = plan(128 * MIB, workload, policy, goodput=GOODPUT)
    said = predict_with_chance(asked, goodput=GOODPUT * GBIT, rtt_s=1e-4, costs=COSTS)
    assert said.replicas == said.alike == REPLICAS
    off = COARSE.get(workload["name"], 0.0)
    found = [within(said, replayed(asked, GOODPUT * GBIT, seed), off) for seed in SEEDS]
    shares = np.mean(found, axis=0)
    assert (shares >= 0.9).all(), dict(zip(("total", "downtime", "sent", "rounds"), shares, strict=True))


LAWS: list[dict[str, Any]] = [
    writes(0.3, 64 * MIB),
    writes(2.0, 4 * MIB),
    {**writes(0.3, 64 * MIB), "name": "hot-cold", "hot_share": 0.1, "hot_rate_share": 0.9},
    {**writes(0.3), "name": "zipf", "exponent": 1.0},
]


@pytest.mark.parametrize("workload", LAWS, ids=["uniform", "small-set", "hot-cold", "zipf"])
def test_as_many_pages_are_hit_as_real_ones_and_they_scatter_as_much(workload: dict[str, Any]) -> None:
    asked, count = plan(128 * MIB, workload), 300
    seen = np.array([_found(PageGuest(asked, seed)) for seed in range(count)]) / PAGE_SIZE
    drawn = np.array(
        [
            _found(ScatteredGuest(workload, asked.guest.ram_bytes, (), Draw(np.random.default_rng(seed), Scatter())))
            for seed in range(count)
        ]
    )
    drawn = drawn / PAGE_SIZE
    error = np.sqrt((seen.var() + drawn.var()) / count)
    assert abs(drawn.mean() - seen.mean()) < max(4 * error, 0.004 * seen.mean())
    assert drawn.std() == pytest.approx(seen.std(), rel=0.2)


def _found(guest: FluidGuest) -> int:
    """In 80 batches or 81, after a first time."""
    guest.run(0.01)
    guest.collect()
    guest.run(0.0802)
    return guest.collect()


def test_writes_in_order_and_writes_that_a_throttle_counts_leave_nothing_to_chance() -> None:
    for workload, throttle in (
        (writes(0.3), None),
        (writes(3, 64 * MIB), Throttle(kind="sdps", dirty_rate=4096 * 1e4)),
    ):
        found = set()
        for seed in range(20):
            guest = ScatteredGuest(workload, 2**27, (), Draw(np.random.default_rng(seed), Scatter()))
            guest.run(0.1, throttle)
            found.add(guest.collect() // PAGE_SIZE)
        assert max(found) - min(found) <= 2e-3 * max(found) * 10 + 2, "only where in a batch it begins and ends"


def test_auto_converge_takes_its_share_of_long_rounds_and_a_whole_number_of_stops_of_short_ones() -> None:
    throttle = Throttle(kind="auto_converge", level=0.6)
    stop = fluid.stopped_s(throttle)

    def rounds(seconds: float) -> tuple[list[float], list[float]]:
        guest = ScatteredGuest(writes(0.3, 64 * MIB), 2**27, (), Draw(np.random.default_rng(3), Scatter()))
        shares, held = [], []
        for _ in range(400):
            guest.operations = guest.wanted = 0.0
            guest.run(seconds, throttle)
            shares.append(guest.operations / guest.wanted)
            held.append(guest.held_s(throttle))
        return shares, held

    shares, _ = rounds(5.0)
    assert np.mean(shares) == pytest.approx(0.4, abs=0.015), "its timers are late, so it runs a little longer"
    shares, held = rounds(0.105)
    assert np.mean(shares) == pytest.approx(0.425, abs=0.03) and 0.005 < np.std(shares) < 0.06
    assert min(held) >= 0 and max(held) <= stop and 0.3 < np.mean(np.array(held) > 0) < 0.9
    assert FluidGuest(writes(0.3), 2**27).held_s(throttle) == pytest.approx(0.6 * stop / 2)
    assert fluid.SLICE_S == stop_and_continue.SLICE_S


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    def said(seed: int) -> PredictionRecord:
        asked = plan(128 * MIB, writes(0.95 * GOODPUT, 64 * MIB), goodput=GOODPUT, seed=seed)
        return predict_with_chance(asked, goodput=GOODPUT * GBIT, scatter=Scatter(goodput=1e-3, round_s=1e-4))

    assert said(1) == said(1)
    assert said(1).low != said(2).low and said(1).total_time_s == said(2).total_time_s


def test_where_nothing_is_left_to_chance_the_interval_is_the_figure() -> None:
    said = predict_with_chance(plan(1, {"name": "idle"}), goodput=1e9)
    assert said.low is not None and said.high is not None
    assert said.low == said.high
    assert (said.low.total_time_s, said.low.rounds) == (said.total_time_s, said.rounds)


def test_how_it_ends_may_be_left_to_chance_too() -> None:
    """A deadline that the migration just makes, or not: the interval is of those that end as predicted."""

    def said(timeout_s: float) -> PredictionRecord:
        policy, workload = {"name": "plain", "downtime_goal": 0.0625}, writes(0.95 * GOODPUT, 64 * MIB)
        asked = plan(128 * MIB, workload, policy, goodput=GOODPUT, timeout_s=timeout_s)
        return predict_with_chance(asked, goodput=GOODPUT * GBIT, costs=COSTS)

    free = said(600.0)
    held = said(free.total_time_s)
    assert held.high is not None and free.high is not None and held.outcome == "completed"
    assert 0 < held.alike < held.replicas
    assert held.high.total_time_s < free.high.total_time_s


def test_a_replica_takes_no_longer_than_what_is_predicted_without_chance() -> None:
    """Or little more: both in one process, in its own time."""

    def lasts(made: Callable[..., PredictionRecord]) -> float:
        begun = time.process_time()
        assert made(asked, goodput=9.4 * GBIT).rounds > 10
        return time.process_time() - begun

    asked = plan(128, writes(9.02, 40), "vmotion")
    once = min(lasts(predict) for _ in range(5))
    assert min(lasts(predict_with_chance) for _ in range(2)) < 8 * (REPLICAS + 1) * once


def test_a_stall_makes_a_migration_longer() -> None:
    asked = plan(1, writes(1, 0.5))
    free = predict_with_chance(asked, goodput=1e9)
    stalled = predict_with_chance(asked, goodput=1e9, scatter=Scatter(stalls=5.0, stall_s=0.05))
    assert free.high is not None and stalled.high is not None
    assert stalled.high.total_time_s > free.high.total_time_s + 0.05


def test_where_frames_are_lost_the_first_of_them_comes_when_it_comes() -> None:
    asked = plan(0.03, {"name": "idle", "working_set": None})
    vmotion = replace(asked.network.vmotion, rate=1e8, goodput=None, delay_s=0.05, loss=0.001)
    lossy = replace(asked, network=replace(asked.network, vmotion=vmotion))
    said = predict_with_chance(lossy, goodput=link_goodput(vmotion), rtt_s=0.1)
    assert said.low and said.high
    assert said.low.total_time_s < said.total_time_s < said.high.total_time_s > 2 * said.low.total_time_s

"""Every scenario that comes with the testbed does in the model what its own comments and claims say."""

from dataclasses import dataclass
from functools import cache

import pytest

from testbed import scenarios
from testbed.core.plan import Plan
from testbed.core.records.migration import MigrationRecord
from testbed.engines.simulated import run
from testbed.model import closed_forms as law
from testbed.model.laws import laws
from testbed.runfiles.published import comparisons
from testbed.scenario import load

NAMES = scenarios.names()
FIRST = ("hello", "opvizor")
"""Older than the rest, and of another size: one is for the first five seconds, the other is written in full size."""
OVERHEAD_S = 5.0
"""Seconds a migration beside its own: hosts, guests, calibration, warm-up, proof of memory."""


@dataclass(frozen=True)
class Said:
    """What a scenario's comments say of a migration: seconds at full size, rounds, sent/RAM."""

    total: float
    rounds: int | None = None
    sent: float | None = None


EXPECTED: dict[str, list[Said]] = {
    "fast-motion": [Said(366, 13, 3.13), Said(43.3, 5, 1.42), Said(488, 13, 2.09), Said(79.6, 6, 1.30)],
    "fast-motion-wws": [Said(494, 28, 4.22), Said(57.2, 6, 1.46), Said(619, 28, 2.65), Said(104, 6, 1.32)],
    "fast-motion-linear": [Said(302, 13, 2.59), Said(36.3, 4, 1.19), Said(376, 8, 1.61), Said(67.8, 4, 1.11)],
    "fast-motion-cross-traffic": [Said(262, 2, 1), Said(32.2, 2, 1), Said(330, 2, 1), Said(60.0, 2, 1)],
    "one-vmknic": [Said(133, 15), Said(61.8, 7), Said(43.3, 5)],
    "beyond-40g": [Said(133), Said(56.9), Said(25.9), Said(183), Said(80.0), Said(30.2)],
    "iometer-halt": [Said(308, 7, 2.63), Said(43.8, 5, 1.43)],
    "oltp-256": [Said(491, 13, 2.10), Said(79.8, 6, 1.31)],
    "iometer-profiles": [Said(59.8, 3, 1.02), Said(60.7, 4, 1.04), Said(60.7, 4, 1.04)],
    "keep-talking": [Said(5.41, 4, 1.12)],
    "bank": [Said(2.67, 3, 1.17)],
    "held-against-qemu": [Said(8.66), Said(10.8, 6), Said(13.3), Said(24.0)],
    "busy-but-clean": [Said(60.1, 3, 1.03)],
    "scale-invariance": [Said(121, 13, 2.07)] * 3,
    "auto-converge": [Said(38.5), Said(32.4), Said(32.5), Said(98.9), Said(72.5), Said(91.3)],
    "convergence-sweep": [
        *(Said(30.5, 3), Said(36.5, 4), Said(54.5, 7), Said(108.5, 15), Said(271, 40)),
        *(Said(30.4, 3), Said(35.4, 4), Said(47.6, 7), Said(70.7, 12), Said(106, 24)),
    ],
    "policies": [
        *(Said(91.8, 27), Said(82.4, 16), Said(64.5, 16), Said(60.3, 13)),
        *(Said(64.3, 6), Said(67.6, 7), Said(81.4, 14), Said(78.5, 12)),
    ],
}


@cache
def simulated(name: str) -> list[tuple[Plan, MigrationRecord]]:
    return [(plan, run(plan)) for plan in load(name).plans()]


def records(name: str) -> list[MigrationRecord]:
    return [record for _, record in simulated(name)]


@pytest.mark.parametrize("name", NAMES)
def test_every_migration_ends_as_expected_and_every_claim_is_met(name: str) -> None:
    assert [record.invalid_reasons for record in records(name)] == [[]] * len(records(name))
    held = comparisons(load(name).published, records(name))
    assert [each.name for each in held if each.within is not None and not each.met] == []


@pytest.mark.parametrize("name", EXPECTED)
def test_what_the_comments_say(name: str) -> None:
    for record, said in zip(records(name), EXPECTED[name], strict=True):
        assert record.full_scale["total_time_s"] == pytest.approx(said.total, rel=0.005), record.name
        assert said.rounds in (None, len(record.rounds)), record.name
        if said.sent is not None:
            assert record.bytes_sent / record.vm.ram_bytes == pytest.approx(said.sent, abs=0.006), record.name


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIRST])
def test_it_fits_a_small_machine_and_three_minutes(name: str) -> None:
    seconds = 0.0
    for plan, record in simulated(name):
        assert 2 * plan.guest.ram_bytes < 3 * 2**30
        assert (record.link.goodput or 0) < 2e9
        last = record.rounds[-1]
        seconds += last.started_s + last.duration_s + OVERHEAD_S
    assert seconds <= 180


@pytest.mark.parametrize("name", ["fast-motion", "fast-motion-wws"])
def test_sdps_is_active_at_10g_only_and_the_smaller_guest_gains_more(name: str) -> None:
    active = [record.throttle.active_s > 0 for record in records(name) if record.throttle]
    assert active == [True, False, True, False]
    small, large = comparisons(load(name).published, records(name))
    assert (small.measured or 0) > (large.measured or 0)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("policies", "no-convergence")])
def test_every_downtime_is_within_the_goal(name: str) -> None:
    for plan, record in simulated(name):
        assert record.downtime_s is not None
        assert record.downtime_s <= plan.migration.policy["downtime_goal"] * 1.001


def test_without_a_throttle_it_stays_on_the_plateau_and_gives_up() -> None:
    seen = records("no-convergence")
    assert {record.outcome for record in seen} == {"aborted"}
    assert all(record.valid and record.full_scale["total_time_s"] is None for record in seen)
    left = [record.rounds[-1].dirtied_bytes / record.vm.ram_bytes for record in seen]
    assert left[1:] == pytest.approx([law.plateau(rho) for rho in (1.1, 1.5, 2)], rel=0.05)
    assert 0.09 < left[0] < 0.1


def test_the_sweep_follows_its_laws() -> None:
    for plan, record in simulated("convergence-sweep"):
        said = laws(plan, (record.link.goodput or 0) / 8)
        if plan.guest.workload["name"] == "sequential":
            assert record.total_time_s == pytest.approx(said.linear_time_s, rel=0.02)
        else:
            assert record.total_time_s == pytest.approx(said.finite_time_s, rel=0.05)


def test_a_guest_that_rewrites_a_small_set_is_hardly_slowed_by_sdps() -> None:
    slowed = {record.name: record.throttle.active_s for record in records("auto-converge") if record.throttle}
    small = [seconds for name, seconds in slowed.items() if "working_set=1GiB" in name]
    assert small[0] > 4 * max(small[1:])

"""Whose run it is: under each workload, with services and at other scales, one's own seed passes and others do not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guest_agent.config import GuestConfig
from guest_agent.memory.fingerprint import expected
from guest_agent.memory.program import Program
from testbed.audit.decoys import Likeness, Window, likeness
from testbed.audit.subject import Allowance, Subject
from testbed.audit.workload import ALIKE, of
from testbed.core.extents import cell_pages
from testbed.core.plan import GuestPlan, LinkPlan, MigrationPlan, NetworkPlan, Plan
from testbed.core.records.fingerprint import FingerprintRecord
from testbed.core.records.migration import MemoryRecord, VmRecord
from testbed.core.records.rounds import RoundRecord
from testbed.core.units import PAGE_SIZE
from testbed.runfiles.pages import Cells
from tests.unit.audited import Files
from tests.unit.records import a_migration

OLTP = {"name": "oltp", "accounts": 100, "tellers": 10, "branches": 1, "sessions": 1, "history": 100}
PHASES = [
    {"name": "uniform", "write_rate": "20MB/s", "duration": "300ms"},
    {"name": "idle", "duration": "100ms"},
    {"name": "zipf", "write_rate": "10MB/s", "duration": "200ms"},
]
TOLD: dict[str, dict[str, Any]] = {
    "uniform": {"name": "uniform", "write_rate": 24e6},
    "a working set": {"name": "uniform", "write_rate": 24e6, "working_set": 48 << 20},
    "hot-cold": {"name": "hot-cold", "write_rate": 24e6},
    "zipf": {"name": "zipf", "write_rate": 24e6},
    "zipf, steeper": {"name": "zipf", "write_rate": 24e6, "exponent": 1.4},
    "phases": {"name": "phases", "phases": PHASES},
}
ALIKE_UNDER_ALL: dict[str, dict[str, Any]] = {
    "sequential": {"name": "sequential", "write_rate": 24e6},
    "idle": {"name": "idle"},
}
SIZES = (64 << 20, 256 << 20)
ENDS = (12_000, 15_000, 15_700)
"""The guest's counter at the end of each of three rounds; the first began at 6,000."""
RATE = 24e6 / PAGE_SIZE


def config(workload: dict[str, Any], ram: int, **more: Any) -> GuestConfig:
    asked: dict[str, Any] = {"ram_bytes": ram, "workload": workload, "seed": 1}
    return GuestConfig(**asked | more)


def dirtied(guest: GuestConfig, first: int, until: int, service_pages: int = 0) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The pages that a tracker finds after these operations, cell by cell; services write to pages of their own."""
    pages = set(Program(guest).pages(np.arange(first, until, dtype=np.uint64)).tolist()) | {0}
    pages |= set(range(1, 1 + service_pages))
    each = cell_pages(guest.pages)
    counts = np.bincount(np.array(sorted(pages), np.int64) // each, minlength=-(-guest.pages // each))
    return counts.astype(np.int64)


def windows(guest: GuestConfig, late: int = 0, service_pages: int = 0) -> list[Window]:
    """Three rounds of that guest; what was found is of a window that is ``late`` by some operations."""
    begins = (6_000, *ENDS[:-1])
    return [
        Window(first=first, until=until, found=dirtied(guest, first + late, until + late, service_pages))
        for first, until in zip(begins, ENDS, strict=True)
    ]


def under(guest: GuestConfig, found: list[Window], seed: int) -> Likeness | None:
    return likeness(replace(guest, seed=seed), cell_pages(guest.pages), found)


@pytest.mark.parametrize("ram", SIZES)
@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("services", [[], [OLTP]], ids=["alone", "services"])
def test_pages_are_those_of_one_seed(name: str, ram: int, services: list[dict[str, Any]]) -> None:
    guest = config(TOLD[name], ram, services=services)
    found = windows(guest, late=10, service_pages=guest.reserved_pages - 1)
    own = under(guest, found, 1)
    assert own and own.correlation > 0.9
    others = [under(guest, found, seed) for seed in range(2, 12)]
    assert all(each and each.correlation < ALIKE / 1.5 for each in others)


@pytest.mark.parametrize("name", ALIKE_UNDER_ALL)
def test_where_seeds_write_the_same_pages_nothing_is_said(name: str) -> None:
    guest = config(ALIKE_UNDER_ALL[name], SIZES[0])
    assert under(guest, windows(guest), 1) is None


def test_a_working_set_that_is_dirty_all_over_tells_nothing() -> None:
    guest = config({"name": "uniform", "write_rate": 24e6, "working_set": 1 << 20}, SIZES[0])
    assert under(guest, windows(guest), 1) is None


@settings(max_examples=25, deadline=None)
@given(mine=st.integers(0, 2**62), theirs=st.integers(0, 2**62), late=st.integers(0, 40))
def test_of_two_seeds_only_ones_own_passes(mine: int, theirs: int, late: int) -> None:
    guest = config(TOLD["uniform"], SIZES[0], seed=mine)
    found = windows(guest, late)
    own, other = under(guest, found, mine), under(guest, found, theirs)
    assert own and other and own.correlation > ALIKE
    assert mine == theirs or other.correlation < ALIKE


def subject(workload: dict[str, Any], seed: int, *, claimed: int, zero_share: float = 0.0, **more: Any) -> Subject:
    """A record of a run under ``seed``, whose files say that it was ``claimed``."""
    ram = SIZES[0]
    guest = config(workload, ram, seed=seed, zero_share=zero_share)
    found = windows(guest)
    left = expected(guest, 20_000)
    rounds = [
        RoundRecord(
            index=index, kind="precopy", started_s=0.0, duration_s=(each.until - each.first) / RATE, sent_bytes=0,
            dirtied_bytes=0, bandwidth=0.0, dirty_rate=0.0, throttle=0.0, decision="", operations=each.until,
        )
        for index, each in enumerate(found, 1)
    ]  # fmt: skip
    counts = np.stack([each.found for each in found])
    plan = Plan(
        name="x",
        seed=claimed,
        network=NetworkPlan(vmotion=LinkPlan()),
        guest=GuestPlan(ram_bytes=ram, workload=workload, zero_share=zero_share),
        migration=MigrationPlan(policy={"name": "plain"}),
    )
    known = FingerprintRecord(operations=left.operations, digest=left.digest)
    done = a_migration(
        rounds=rounds,
        memory=MemoryRecord(match=True, method="", fingerprint=known),
        vm=VmRecord(ram_bytes=ram, workload=workload["name"], working_set_bytes=None, write_rate=24e6),
    )
    cells = Cells(
        pages=guest.pages, cell_pages=cell_pages(guest.pages), rounds=[1, 2, 3], sent=counts * 0, dirtied=counts
    )
    asked: dict[str, Any] = {"engine": "native", "seed": claimed, "done": done, "cells": cells, "plan": plan}
    return Subject(**asked | more)


def told(seen: Subject) -> list[str]:
    return [each.state for each in of(seen)]


@pytest.mark.parametrize("name", [*TOLD, *ALIKE_UNDER_ALL])
def test_a_run_is_its_own_seed_s_and_a_friends_is_found(name: str) -> None:
    workload = (TOLD | ALIKE_UNDER_ALL)[name]
    pages = "not known" if name in ALIKE_UNDER_ALL else "held"
    assert told(subject(workload, 1, claimed=1)) == [pages, "held"]
    theirs = "not known" if name in ALIKE_UNDER_ALL else "not held"
    assert told(subject(workload, 2, claimed=1)) == [theirs, "not held"]


def test_a_memory_that_is_all_zeros_tells_nothing() -> None:
    assert told(subject({"name": "idle"}, 1, claimed=1, zero_share=1.0)) == ["not known", "not known"]
    assert told(subject({"name": "idle"}, 1, claimed=1, zero_share=0.9)) == ["not known", "held"]


def test_nobody_can_make_it_recompute_for_long() -> None:
    seen = subject(TOLD["uniform"], 1, claimed=1, allowance=Allowance(left=100))
    assert told(seen) == ["not known", "not known"]
    seen = subject(TOLD["uniform"], 1, claimed=1)
    seen.done.rounds[1].operations, seen.done.rounds[2].operations = 10**18, 10**18 + 1
    assert seen.done.memory and seen.done.memory.fingerprint
    seen.done.memory.fingerprint.operations = 10**18
    assert told(seen) == ["not known", "not held"]


def guest_samples(files: Files) -> list[dict[str, Any]]:
    return [row for row in files.samples if row.get("kind") == "guest" and row.get("host") == "esx1"]


@pytest.mark.parametrize(("gap", "rounds"), [(0.5, 3), (1.5, 2)])
def test_a_round_whose_first_operation_is_not_known_well_accuses_nobody(
    tmp_path: Path, gap: float, rounds: int
) -> None:
    """Of a counter that stood still and made up for it, or was read too seldom: round 1 lasts 2.3 s."""
    files = Files.kept()
    (begun,) = (row["t"] for row in files.samples if row.get("event") == "round" and row["round"]["index"] == 1)
    begun -= files.rounds[0]["duration_s"]
    unread = [row for row in guest_samples(files) if -0.1 < row["t"] - begun < gap]
    files.samples = [row for row in files.samples if row not in unread]
    (said,) = (each.agreement for each in files.audited(tmp_path).found if each.agreement.name == "pages' seed")
    assert said.state == "held" and f"rounds: {rounds}" in said.why


def test_a_round_of_milliseconds_between_two_samples_accuses_nobody(tmp_path: Path) -> None:
    """Samples that are 60 ms apart leave no gap, and yet many times more operations open than a round of 13 ms has."""
    files = Files.kept()
    for each in (files.rounds[0], files.noted[0]):
        each.update(duration_s=0.013, scan_s=0.0)
    (said,) = (each.agreement for each in files.audited(tmp_path).found if each.agreement.name == "pages' seed")
    assert said.state == "held" and "rounds: 2" in said.why


def test_a_wrong_scenario_is_a_reason_and_no_fault() -> None:
    seen = subject(TOLD["uniform"], 1, claimed=1)
    assert told(replace(seen, plan=None, unplanned="there is no scenario.yaml")) == ["not known", "not known"]
    assert seen.plan
    tiny = replace(seen.plan, guest=replace(seen.plan.guest, ram_bytes=PAGE_SIZE + 1))
    assert told(replace(seen, plan=tiny)) == ["not known", "not known"]

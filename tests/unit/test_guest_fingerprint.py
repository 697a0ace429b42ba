"""A fingerprint is that of one seed, workload and number of operations, wherever it is read, whatever services do."""

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guest_agent.config import GuestConfig
from guest_agent.memory.fingerprint import LAST, expected, found
from guest_agent.memory.program import Memory, Program
from guest_agent.memory.ram import counters
from testbed.core.units import PAGE_SIZE
from testbed.linux.memory import memfd
from tests.unit.replaying import redo, replay

PAGES = 700
WORKLOADS: list[dict[str, Any]] = [
    {"name": "uniform"},
    {"name": "uniform", "working_set": 400 * PAGE_SIZE},
    {"name": "sequential", "working_set": 300 * PAGE_SIZE},
    {"name": "hot-cold"},
    {"name": "zipf"},
    {"name": "idle"},
    {"name": "phases", "phases": [{"name": "uniform", "duration": "10ms"}, {"name": "idle", "duration": "9s"}]},
]
OLTP = {"name": "oltp", "accounts": 100, "tellers": 10, "branches": 1, "sessions": 1, "history": 100}


def config(workload: dict[str, Any], **more: Any) -> GuestConfig:
    asked: dict[str, Any] = {"ram_bytes": PAGES * PAGE_SIZE, "workload": workload, "seed": 3}
    return GuestConfig(**asked | more)


def read(memory: Memory, known: GuestConfig) -> Any:
    fd = memfd.create("ram", memory.nbytes)
    try:
        os.pwrite(fd, memory.data.cast("B"), 0)
        return found(fd, known)
    finally:
        os.close(fd)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda each: each["name"])
@pytest.mark.parametrize("operations", [0, 1, 900, 3000])
def test_a_memory_has_the_fingerprint_that_its_seed_and_operations_give(workload: Any, operations: int) -> None:
    known = config(workload)
    assert read(replay(known, operations), known) == expected(known, operations)


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda each: each["name"])
def test_another_seed_has_another(workload: Any) -> None:
    digests = {expected(config(workload, seed=seed), 3000).digest for seed in range(20)}
    assert len(digests) == 20


@pytest.mark.parametrize("workload", [each for each in WORKLOADS if each["name"] not in ("idle", "phases")])
def test_another_number_of_operations_has_another(workload: Any) -> None:
    assert len({expected(config(workload), 3000 + more).digest for more in range(20)}) == 20


@pytest.mark.parametrize("change_bytes", [8, 64, 4096])
def test_what_services_write_changes_nothing(change_bytes: int) -> None:
    known = config({"name": "uniform"}, services=[OLTP], change_bytes=change_bytes)
    memory = replay(known, 500)
    memory[1 : known.reserved_pages] = 7
    assert read(memory, known) == expected(known, 500)


def test_a_flipped_bit_where_it_looks_is_seen() -> None:
    known = config({"name": "uniform"})
    memory = replay(known, 500)
    place = int(Program(known).places(np.array([499], np.uint64))[0])
    memory.reshape(-1).view("u1")[place * 64] ^= 1
    assert read(memory, known).digest != expected(known, 500).digest


@settings(max_examples=30, deadline=None)
@given(done=st.integers(0, 2000), batch=st.integers(0, LAST), share=st.floats(0, 1))
def test_a_batch_that_was_cut_off_is_carried_out_in_what_is_read(done: int, batch: int, share: float) -> None:
    known = config({"name": "uniform", "working_set": 300 * PAGE_SIZE})
    memory = replay(known, done)
    redo(Program(known), memory, done, done + round(batch * share))
    counters(memory)[:] = (done, done + batch)
    assert read(memory, known) == expected(known, done + batch)


def test_a_ram_without_a_guest_has_none() -> None:
    known = config({"name": "uniform"})
    assert read(np.zeros((PAGES, PAGE_SIZE // 8), np.uint64), known) is None
    memory = replay(known, 10)
    counters(memory)[:] = (10, 10 + LAST + 1)
    assert read(memory, known) is None

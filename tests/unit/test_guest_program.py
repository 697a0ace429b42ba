"""Operations are stores, and pure: in any batches, twice, or interrupted, the memory comes out the same."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guest_agent.config import GuestConfig
from guest_agent.memory.fill import fill
from guest_agent.memory.program import Ahead, Memory, Program
from guest_agent.memory.ram import read_state, write_state
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.units import PAGE_SIZE
from tests.unit.replaying import redo, replay

PAGES = 40
WORKLOADS = ["sequential", "uniform", "hot-cold", "zipf", "idle"]


def config(name: str = "uniform", pages: int = PAGES, **settings: Any) -> GuestConfig:
    return GuestConfig(ram_bytes=pages * PAGE_SIZE, workload={"name": name}, **settings)


def zeros(pages: int = PAGES) -> Memory:
    return np.zeros((pages, PAGE_SIZE // 8), np.uint64)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(WORKLOADS),
    change=st.sampled_from([8, 64, 512, 4096]),
    cuts=st.lists(st.integers(0, 400), max_size=4),
    seed=st.integers(0, 2**63 - 1),
)
def test_batches_of_any_size_give_the_same_memory(name: str, change: int, cuts: list[int], seed: int) -> None:
    program = Program(config(name, change_bytes=change, seed=seed))
    whole, parts = zeros(), zeros()
    redo(program, whole, 0, 400)
    edges = [0, *sorted(cuts), 400]
    for first, until in pairwise(edges):
        redo(program, parts, first, until)
    assert np.array_equal(whole, parts)


@settings(max_examples=40, deadline=None)
@given(done=st.integers(0, 300), partly=st.integers(0, 100))
def test_an_interrupted_batch_may_be_redone_from_its_beginning(done: int, partly: int) -> None:
    program, whole, interrupted = Program(config()), zeros(), zeros()
    redo(program, whole, 0, done + 100)
    redo(program, interrupted, 0, done + partly)
    redo(program, interrupted, done, done + 100)
    assert np.array_equal(whole, interrupted)


def test_one_after_the_other_is_the_same_as_all_at_once() -> None:
    """Also where two operations of a batch write the same slot: 4 pages, one slot each."""
    program, slow, fast = Program(config(pages=5, change_bytes=4096)), zeros(5), zeros(5)
    for n in range(200):
        redo(program, slow, n, n + 1)
    redo(program, fast, 0, 200)
    assert np.array_equal(slow, fast)


@given(name=st.sampled_from(WORKLOADS), first=st.integers(0, 2**50))
def test_no_operation_writes_page_0_or_beyond_the_working_set(name: str, first: int) -> None:
    workload = {"name": name} | ({} if name == "idle" else {"working_set": 10 * PAGE_SIZE})
    program, memory = Program(GuestConfig(ram_bytes=PAGES * PAGE_SIZE, workload=workload)), zeros()
    redo(program, memory, first, first + 500)
    assert not memory[0].any() and not memory[11:].any()
    assert memory[1:11].any() == (name != "idle")


@settings(max_examples=60, deadline=None)
@given(
    workload=st.sampled_from([*WORKLOADS, "phases"]),
    batches=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 2500)), min_size=1, max_size=5),
)
def test_working_out_ahead_changes_nothing(workload: str, batches: list[tuple[int, int]]) -> None:
    phases = [{"name": "uniform", "duration": 0.02}, {"name": "idle", "duration": 0.1}]
    spec = {"name": workload} | ({"phases": phases} if workload == "phases" else {})
    program = Program(GuestConfig(ram_bytes=PAGES * PAGE_SIZE, workload=spec))
    plain, memory = zeros(), zeros()
    ahead = Ahead(program, memory)
    for first, count in batches:
        redo(program, plain, first, first + count)
        ahead.run(first, count)
    assert np.array_equal(plain, memory)


def test_places_and_content_are_what_run_writes() -> None:
    program, memory, operations = Program(config()), zeros(), np.arange(300, dtype=np.uint64)
    by_hand = program.slots(zeros())
    for place, content in zip(program.places(operations), program.content(operations), strict=True):
        by_hand[int(place)] = content
    redo(program, memory, 0, 300)
    assert program.slots(memory).tobytes() == by_hand.tobytes()


def test_every_operation_leaves_different_bytes() -> None:
    content = Program(config()).content(np.arange(10_000, dtype=np.uint64))
    assert len({entry.tobytes() for entry in content}) == 10_000


@pytest.mark.parametrize("name", WORKLOADS)
def test_one_seed_one_memory(name: str) -> None:
    first, again, other = (replay(config(name, seed=seed), 500) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not (first[1:] == other[1:]).all(axis=1).any()


def test_first_no_page_is_zero_and_no_two_are_equal() -> None:
    memory = zeros(1000)
    fill(memory, config(pages=1000))
    assert not memory[0].any() and memory[1:].all()
    assert len(np.unique(memory[1:], axis=0)) == 999


@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
def test_as_many_pages_are_zero_as_asked(part: float) -> None:
    memory = zeros(4001)
    fill(memory, config(pages=4001, zero_share=part))
    assert np.mean(~memory[1:].any(axis=1)) == pytest.approx(part, abs=0.03)


@given(first=st.integers(0, 200), pages=st.integers(1, 100))
def test_a_part_is_filled_as_the_whole_is(first: int, pages: int) -> None:
    whole, part = zeros(300), zeros(pages)
    fill(whole, config(pages=300, zero_share=0.2))
    fill(part, config(pages=300, zero_share=0.2), first)
    assert np.array_equal(part, whole[first : first + pages])


def test_the_state_can_be_read_back_from_the_memory() -> None:
    asked = GuestConfig(ram_bytes=8 * PAGE_SIZE, workload={"name": "zipf", "exponent": 1.5}, seed=9, change_bytes=128)
    state = read_state(replay(asked, 77).data.cast("B"))
    assert (state.operations, state.pending, state.config) == (77, 77, asked)


@pytest.mark.parametrize("damage", [slice(0, 1), slice(8, 9), slice(13, 15), slice(512, 513)])
def test_a_page_0_that_holds_no_state_is_refused(damage: slice) -> None:
    page = bytearray(PAGE_SIZE)
    write_state(page, config())
    page[damage] = bytes(255 for _ in page[damage])
    with pytest.raises(TestbedError):
        read_state(page)


def test_a_state_that_does_not_fit_is_refused() -> None:
    phases = [{"name": "uniform", "write_rate": 1e6, "duration": 1.0}] * 100
    with pytest.raises(ScenarioError, match="shorten"):
        write_state(bytearray(PAGE_SIZE), GuestConfig(ram_bytes=1 << 20, workload={"name": "phases", "phases": phases}))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('{"ram_bytes": 4097}', "whole pages"),
        ('{"ram_bytes": 4096}', "at least 2 pages"),
        ('{"ram_bytes": "8192"}', "whole number of bytes"),
        ('{"ram_bytes": 8192, "change_bytes": 48}', "power of two"),
        ('{"ram_bytes": 8192, "zero_share": 2}', "zero_share"),
        ('{"ram_bytes": 8192, "seed": -1}', "seed"),
        ('{"ram_bytes": 8192, "batch_s": 0}', "batch_s"),
        ('{"ram_bytes": 8192, "role": "client"}', "role"),
        ('{"ram_bytes": 8192, "workload": {"name": "uniform", "working_set": "1MiB"}}', "larger than ram"),
        ('{"ram_bytes": 8192, "workload": "uniform"}', "workload"),
        ('{"colour": "blue"}', "configuration cannot be read"),
        ("[]", "configuration cannot be read"),
        ("{", "configuration cannot be read"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_in_one_line(wrong: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says) as caught:
        GuestConfig.parse(wrong)
    assert "\n" not in str(caught.value)

"""The disk exerciser: its operations are pure functions, it goes on after a move, and a tampered datastore is found."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guest_agent.services import ServiceEvidence, registry
from guest_agent.services.iometer.accesses import RUN, Accesses
from guest_agent.services.iometer.service import COMPLETED, ERRORS, NEXT, Iometer
from tests.unit.service_machine import SmallMachine, evidence

SPEC = Iometer(size=1 << 20, read=0.5)

shares = st.floats(0, 1)
accesses = st.builds(
    Accesses,
    seed=st.integers(0, 2**63 - 1),
    block=st.just(4096),
    blocks=st.integers(1, 5000),
    read=shares,
    random=shares,
)


def header(machine: SmallMachine) -> list[int]:
    return [int(word) for word in machine.area[:24].view(np.uint64)]


def worked(spec: Iometer, path: Path, operations: int) -> SmallMachine:
    machine = SmallMachine(spec, str(path / "store")).start()
    machine.run(lambda: header(machine)[COMPLETED] >= operations)
    return machine


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[tuple[ServiceEvidence, SmallMachine]]:
    first = worked(SPEC, tmp_path, 1500)
    second = first.move()
    second.run(lambda: header(second)[COMPLETED] >= 3000)
    second.drain()
    yield evidence(first, second), second
    first.close()
    second.close()


@settings(max_examples=50, deadline=None)
@given(accesses, st.lists(st.integers(0, 10**7), min_size=1, max_size=20))
def test_operations_are_functions_of_their_number_alone(spec: Accesses, numbers: list[int]) -> None:
    details = spec.details(np.array(numbers, np.uint64))
    alone = [int(spec.details(np.array([number], np.uint64))[0]) for number in numbers]
    assert details.tolist() == alone
    assert all(detail >> 1 < spec.blocks for detail in alone)


@settings(max_examples=30, deadline=None)
@given(accesses, st.integers(0, 2**40), st.integers(0, 4999))
def test_written_content_is_known_again_and_is_nobody_elses(spec: Accesses, number: int, block: int) -> None:
    buffer = np.zeros(spec.block // 8, np.uint64)
    assert spec.is_content(buffer, block)
    spec.write(buffer, spec.pattern(), number, block)
    assert spec.is_content(buffer, block) and not spec.is_content(buffer, block + 1)
    expected = spec.contents(np.array([number], np.uint64), np.array([block], np.uint64), spec.pattern())
    assert buffer.tolist() == expected[0].tolist()
    buffer[0] += np.uint64(1)
    assert not spec.is_content(buffer, block)


def test_shares_are_what_was_asked_for() -> None:
    spec = Accesses(seed=3, block=4096, blocks=1 << 20, read=0.7, random=0.4)
    details = np.concatenate([spec.run(run) for run in range(50)])
    blocks = (details >> np.uint64(1)).astype(np.int64)
    assert abs(float((details & np.uint64(1)).mean()) - 0.3) < 0.01
    assert abs(float((np.diff(blocks) == 1).mean()) - 0.6) < 0.01


def test_without_random_ones_accesses_are_sequential_through_all_blocks() -> None:
    spec = Accesses(seed=3, block=4096, blocks=700, read=1, random=0)
    numbers = np.arange(3 * RUN)
    assert (spec.details(numbers.astype(np.uint64)) >> np.uint64(1)).tolist() == (numbers % 700).tolist()


@pytest.mark.parametrize(
    "spec",
    [
        SPEC, replace(SPEC, block=65536, random=0.3), replace(SPEC, block=512, outstanding=64, read=0.1),
        replace(SPEC, size=8192, read=0.2), replace(SPEC, buffers=1 << 20), replace(SPEC, iops=20_000.0),
        replace(SPEC, size=10_000, outstanding=1, read=0.0),
    ],
)  # fmt: skip
def test_it_goes_on_after_a_move_and_nothing_is_lost(spec: Iometer, tmp_path: Path) -> None:
    machines = [worked(spec, tmp_path, 400)]
    for part in (800, 1200):
        machines.append(machines[-1].move())
        machines[-1].run(lambda part=part: header(machines[-1])[COMPLETED] >= part)  # type: ignore[misc]
    machines[-1].drain()
    verdict = spec.verify(evidence(*machines))
    assert verdict.ok, verdict.findings
    assert verdict.operations == header(machines[-1])[NEXT] >= 1200 and verdict.lost == verdict.doubled == 0
    for machine in machines:
        machine.close()


def test_a_drained_machine_holds_nothing_in_flight(tmp_path: Path) -> None:
    machine = worked(SPEC, tmp_path, 100)
    machine.drain()
    assert header(machine)[NEXT] == header(machine)[COMPLETED]
    machine.close()


def test_it_keeps_as_many_outstanding_as_asked_and_goes_through_its_pool(tmp_path: Path) -> None:
    spec = replace(SPEC, outstanding=4, buffers=64 * 4096, read=0.0)
    machine = SmallMachine(spec, str(tmp_path / "store")).start()
    depths = set()
    while header(machine)[COMPLETED] < 200:
        machine.turn()
        depths.add(header(machine)[NEXT] - header(machine)[COMPLETED])
    assert max(depths) <= 4
    assert machine.area[4096:].reshape(64, -1).any(axis=1).all()
    machine.close()


@pytest.mark.parametrize("tamper", [0, 8, 4088])
def test_a_changed_byte_on_the_datastore_is_found(moved: tuple[ServiceEvidence, SmallMachine], tamper: int) -> None:
    left, machine = moved
    byte = machine.files.take(17 * 4096 + tamper, 1)
    machine.files.put(17 * 4096 + tamper, bytes([byte[0] ^ 1]))
    verdict = SPEC.verify(left)
    assert not verdict.ok and "block 17 " in verdict.findings[0]


def test_a_write_that_never_reached_the_datastore_is_found(moved: tuple[ServiceEvidence, SmallMachine]) -> None:
    left, machine = moved
    rows = np.concatenate(left.logs)
    writes = rows[(rows[:, 3] & np.uint64(1)) == 1]
    block = int(writes[-1, 3]) >> 1
    machine.files.put(block * 4096, bytes(4096))
    assert any(f"block {block} " in finding for finding in SPEC.verify(left).findings)


def test_an_older_write_in_place_of_the_last_is_found(moved: tuple[ServiceEvidence, SmallMachine]) -> None:
    left, machine = moved
    rows = np.concatenate(left.logs)
    writes = rows[(rows[:, 3] & np.uint64(1)) == 1]
    blocks, times = np.unique(writes[:, 3], return_counts=True)
    chosen = blocks[times.argmax()]
    oldest = writes[writes[:, 3] == chosen][0, 2]
    spec, block = SPEC.accesses(left.seed), int(chosen) >> 1
    content = spec.contents(oldest[None], np.array([block], np.uint64), spec.pattern())
    machine.files.put(block * 4096, content.tobytes())
    assert any(f"block {block} " in finding for finding in SPEC.verify(left).findings)


def test_operations_lost_and_doubled_are_counted(moved: tuple[ServiceEvidence, SmallMachine]) -> None:
    left, _ = moved
    first, second = left.logs
    lost = SPEC.verify(replace(left, logs=[first, second[:-3]]))
    assert (lost.ok, lost.lost, lost.doubled) == (False, 3, 0)
    doubled = SPEC.verify(replace(left, logs=[first, first[-2:], second]))
    assert (doubled.ok, doubled.lost, doubled.doubled) == (False, 0, 2)


def test_an_exerciser_that_did_nothing_is_not_in_order(tmp_path: Path) -> None:
    machine = SmallMachine(SPEC, str(tmp_path / "store")).start()
    assert SPEC.verify(evidence(machine)).findings == ("no operation was completed at all",)
    machine.close()


def test_an_overwritten_log_is_said(moved: tuple[ServiceEvidence, SmallMachine]) -> None:
    left, _ = moved
    verdict = SPEC.verify(replace(left, logs=[left.logs[0][1000:], left.logs[1]]))
    assert not verdict.ok and "overwritten" in verdict.findings[0]


def test_either_of_two_writes_that_overlap_may_be_last(tmp_path: Path) -> None:
    spec = replace(SPEC, read=0.0, size=4096, outstanding=8)  # one block: all writes meet
    machine = worked(spec, tmp_path, 64)
    machine.drain()
    assert spec.verify(evidence(machine)).ok
    machine.close()


def test_a_failing_datastore_and_foreign_content_are_errors(tmp_path: Path) -> None:
    machine = worked(replace(SPEC, read=1.0, outstanding=1), tmp_path, 10)
    machine.files.fail = errno.EIO
    machine.run(lambda: header(machine)[ERRORS] == 1)
    machine.files.put(0, b"x" * SPEC.size)
    machine.run(lambda: header(machine)[ERRORS] > 2)
    machine.drain()
    assert any("failed" in finding for finding in SPEC.verify(evidence(machine)).findings)
    machine.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"block": 100},
        {"read": 1.5},
        {"random": -1},
        {"outstanding": 0},
        {"size": 100},
        {"block": 1 << 30},
        {"iops": 0.0},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Iometer(**wrong)  # type: ignore[arg-type]


def test_all_services_are_found_by_name() -> None:
    assert {"echo", "iometer", "oltp"} <= registry.items().keys()

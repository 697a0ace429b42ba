"""Guests with services as processes: their logs and sockets, and a move of all that they are to another process."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guest_agent.config import GuestConfig
from guest_agent.gate import GateKeeper
from guest_agent.machine import areas_of
from guest_agent.memory.program import Memory
from guest_agent.memory.verify import areas, prove
from guest_agent.messages import Acknowledged, ControlRequest
from guest_agent.ring import RingReader
from guest_agent.services import ServiceEvidence, build
from guest_agent.services.iometer.service import COMPLETED
from testbed.core.errors import TestbedError
from testbed.core.units import PAGE_SIZE
from testbed.linux.memory import memfd
from testbed.linux.processes import process
from testbed.rig.guests import GuestProcess, local_guest
from tests.unit.connections import moved, readable
from tests.unit.descriptors import room_for_many

RAM = 4 << 20
IOMETER: dict[str, Any] = {"name": "iometer", "size": 1 << 20, "read": 0.5}
BUSY_RAM: dict[str, Any] = {"name": "uniform", "write_rate": 100e6}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT, 0o600)
    os.posix_fallocate(fd, 0, 8 << 20)
    yield fd
    os.close(fd)


class Runs:
    """Starts guests as processes and looks into their RAM."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path, self._stack = path, stack

    def __call__(self, config: GuestConfig) -> tuple[GuestProcess, Memory, int]:
        path = self._path / f"{config.role}-{time.monotonic_ns()}"
        guest = self._stack.enter_context(local_guest(config, path))
        ports = guest.client.ports()
        self._stack.callback(os.close, ports.ram_fd)
        self._stack.callback(os.close, ports.journal_fd)
        mapped = memfd.map_shared(ports.ram_fd, RAM)
        return guest, np.frombuffer(mapped, np.uint64).reshape(-1, PAGE_SIZE // 8), ports.ram_fd


@pytest.fixture
def start(tmp_path: Path, stack: ExitStack) -> Runs:
    return Runs(tmp_path, stack)


def come_to_rest(guest: GuestProcess) -> None:
    """As a stun does it: held, and stopped with nothing in flight."""
    ports = guest.client.ports()
    keeper = GateKeeper(ports.journal_fd)
    os.close(ports.journal_fd)
    os.close(ports.ram_fd)
    keeper.hold()
    process.freeze(guest.pid)
    while keeper.busy:
        process.resume(guest.pid)
        wait_until_idle(keeper)
        process.freeze(guest.pid)


def wait_until_idle(keeper: GateKeeper) -> None:
    while keeper.busy:
        pass


def test_a_process_gives_its_logs_away(start: Runs, disk: int) -> None:
    config = GuestConfig(ram_bytes=RAM, workload=BUSY_RAM, services=[IOMETER], disk_fd=disk)
    guest, _, _ = start(config)
    logs = guest.client.logs()
    reader = RingReader(logs["iometer"])
    os.close(logs["iometer"])
    assert list(logs) == ["iometer"] and len(reader.read()) == 0
    guest.client.run()
    rows = reader.read()
    while len(rows) < 500:
        rows = np.concatenate([rows, reader.read()])
    assert sorted(rows[:500, 2].tolist())[:100] == list(range(100))
    assert (rows[:, 0] < rows[:, 1]).all()
    assert guest.client.status().running


def test_a_process_without_services_has_no_logs_and_takes_no_nonsense(start: Runs) -> None:
    guest, _, _ = start(GuestConfig(ram_bytes=RAM))
    assert guest.client.logs() == {}
    with pytest.raises(TestbedError, match="of 1 connections 0 descriptors came"):
        guest.client._ask(ControlRequest(do="adopt", local_ports=(7,)), Acknowledged, 0)
    with open("/dev/null", "rb") as null, pytest.raises(TestbedError, match="socket"):
        guest.client.adopt([7], [null.fileno()])
    assert not guest.client.status().running


def test_a_process_takes_hundreds_of_connections_and_closes_those_that_nobody_serves(
    start: Runs, stack: ExitStack
) -> None:
    stack.enter_context(room_for_many())
    guest, _, _ = start(GuestConfig(ram_bytes=RAM))
    pairs = [moved(stack) for _ in range(300)]
    for _, here in pairs:
        stack.enter_context(here)
    guest.client.adopt([7] * 300, [here.fileno() for _, here in pairs])
    for _, here in pairs:
        here.close()
    assert not any(readable(client) for client, _ in pairs)
    guest.client.run()
    for client, _ in pairs:
        client.settimeout(30)
        assert client.recv(1) == b""


def test_a_guest_with_a_disk_moves_and_everything_is_proved(start: Runs, disk: int) -> None:
    """Wherever it is stopped: nothing is in flight, nothing is begun, and the other goes on with the next operation."""
    config = GuestConfig(ram_bytes=RAM, workload=BUSY_RAM, services=[IOMETER], disk_fd=disk)
    guest, memory, source_fd = start(config)
    readers = [log_of(guest)]
    guest.client.run()
    wait_for(config, memory, 300)
    come_to_rest(guest)
    frozen = memory.copy()
    other, there, destination_fd = start(replace(config, role="destination"))
    readers.append(log_of(other))
    np.copyto(there, memory)
    before = prove(source_fd, destination_fd, config)
    assert before.match and before.pages_excluded == 0
    other.client.run()
    wait_for(config, there, 600)
    come_to_rest(other)
    assert np.array_equal(memory, frozen)
    found = prove(source_fd, destination_fd, config)
    assert found.match and 0 < found.pages_excluded < config.reserved_pages
    assert found.pages_compared + found.pages_replayed + found.pages_excluded == config.pages
    evidence = ServiceEvidence(
        area=areas(destination_fd, config)[0],
        read=lambda offset, length: read_direct(disk, offset, length),
        logs=[reader.read() for reader in readers],
        client=None,
        said=None,
        seed=config.seed,
    )
    verdict = build(IOMETER).verify(evidence)
    assert verdict.ok, verdict.findings
    assert verdict.operations >= 600 and all(len(rows) for rows in evidence.logs)


def test_a_guest_that_is_let_go_again_goes_on(start: Runs, disk: int) -> None:
    config = GuestConfig(ram_bytes=RAM, services=[IOMETER], disk_fd=disk)
    guest, memory, _ = start(config)
    ports = guest.client.ports()
    keeper = GateKeeper(ports.journal_fd)
    guest.client.run()
    for goal in (200, 400, 600):
        wait_for(config, memory, goal)
        come_to_rest(guest)
        still = memory[1 : config.reserved_pages].copy()
        process.resume(guest.pid)
        assert guest.client.status().running, "its host is served while it is held"
        assert np.array_equal(memory[1 : config.reserved_pages], still)
        keeper.release()
    os.close(ports.ram_fd)
    os.close(ports.journal_fd)


def test_its_services_end_with_it(start: Runs, disk: int) -> None:
    guest, memory, _ = start(config := GuestConfig(ram_bytes=RAM, services=[IOMETER], disk_fd=disk))
    guest.client.run()
    wait_for(config, memory, 10)
    guest.client.stop()
    assert guest.wait(10) == 0


def log_of(guest: GuestProcess) -> RingReader:
    ((_, fd),) = guest.client.logs().items()
    reader = RingReader(fd)
    os.close(fd)
    return reader


def wait_for(config: GuestConfig, memory: Memory, operations: int) -> None:
    header = areas_of(config, memory)[0][:PAGE_SIZE].view(np.uint64)
    deadline = time.monotonic() + 60
    while int(header[COMPLETED]) < operations:
        assert time.monotonic() < deadline, "the service did not get there"


def read_direct(fd: int, offset: int, length: int) -> bytes:
    with open(f"/proc/self/fd/{fd}", "rb") as file:
        return os.pread(file.fileno(), length, offset)

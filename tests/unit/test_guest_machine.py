"""Services on a guest: their areas, parts of the disk and sockets, its probe, and what it refuses to be."""

import gc
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guest_agent import udp_echo
from guest_agent.config import GuestConfig
from guest_agent.gate import GateKeeper
from guest_agent.guest import Guest
from guest_agent.machine import areas_of
from guest_agent.memory.program import Program
from guest_agent.memory.ram import write_state
from guest_agent.services import build
from guest_agent.services.echo.service import Echo
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.units import PAGE_SIZE
from tests.unit.connections import moved, readable
from tests.unit.replaying import replay

RAM = 4 << 20
IOMETER: dict[str, Any] = {"name": "iometer", "size": 1 << 20, "read": 0.5}
OLTP: dict[str, Any] = {"name": "oltp", "accounts": 100, "tellers": 10, "branches": 1, "sessions": 1, "history": 100}
ECHO: dict[str, Any] = {"name": "echo"}
BUSY_RAM: dict[str, Any] = {"name": "uniform", "write_rate": 100e6}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """A guest leaves its sockets open until its process ends; those of guests in this process are closed here."""
    before = set(map(id, _sockets()))
    yield
    for each in _sockets():
        if id(each) not in before:
            each.close()


def _sockets() -> list[socket.socket]:
    return [each for each in gc.get_objects() if isinstance(each, socket.socket)]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_TMPFILE | os.O_RDWR | os.O_DIRECT, 0o600)
    os.posix_fallocate(fd, 0, 8 << 20)
    yield fd
    os.close(fd)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Where echo listens instead of on 7, which not everybody may."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    monkeypatch.setattr(Echo, "port", number)
    return number


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    monkeypatch.setattr(udp_echo, "PROBE_PORT", number)
    return number


def turn_until(guest: Guest, ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < deadline, "the guest did not get there"
        guest.loop.turn(min(guest.step(), 0.01) if guest.running else 0)


def test_areas_follow_the_state_and_come_before_the_working_set(disk: int) -> None:
    config = GuestConfig(ram_bytes=RAM, workload=BUSY_RAM, services=[ECHO, IOMETER], disk_fd=disk)
    echo, iometer = (build(spec) for spec in config.services)
    assert config.reserved_pages == 1 + echo.area_pages + iometer.area_pages
    memory = replay(config, 20_000)
    assert not memory[1 : config.reserved_pages].any() and memory[config.reserved_pages :].all(axis=1).any()
    first, second = areas_of(config, memory)
    first[:], second[:] = 1, 2
    assert len(first) == echo.area_pages * PAGE_SIZE and len(second) == iometer.area_pages * PAGE_SIZE
    flat = memory.reshape(-1).view(np.uint8)
    assert (flat[PAGE_SIZE : 2 * PAGE_SIZE] == 1).all()
    assert (flat[2 * PAGE_SIZE : config.reserved_pages * PAGE_SIZE] == 2).all()


def test_operations_that_write_no_page_write_none_of_a_service_either() -> None:
    resting = {"name": "phases", "phases": [{"name": "idle", "duration": 0.1}, {**BUSY_RAM, "duration": 0.1}]}
    config = GuestConfig(ram_bytes=RAM, workload=resting, services=[OLTP])
    pages = Program(config).pages(np.arange(1000, dtype=np.uint64))
    assert (pages[:100] == 0).all() and (pages[100:] >= config.reserved_pages).all()
    assert not replay(config, 1000)[1 : config.reserved_pages].any()


def test_services_begin_after_the_first_step_and_are_told_whether_they_ran_before(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    config, seen = GuestConfig(ram_bytes=RAM, services=[ECHO]), list[tuple[int, bool, int]]()

    def begin(service: object, machine: Any, seed: int, sockets: Sequence[socket.socket]) -> None:
        seen.append((guest.operations, machine.resumed, seed))

    monkeypatch.setattr(Echo, "start", begin)
    for role in ("source", "destination"):
        guest = Guest(replace(config, role=role, seed=1 if role == "source" else 2))  # the seed is in the state
        write_state(guest.ram.memory.data.cast("B"), config)
        guest.loop.turn(0)
        guest.run()
        assert len(seen) == (role == "destination")
        guest.loop.turn(0)
    assert seen == [(1, False, 1), (1, True, 1)]


def test_a_state_with_other_services_than_were_made_ready_is_refused(port: int) -> None:
    guest = Guest(GuestConfig(ram_bytes=RAM, role="destination", services=[ECHO]))
    write_state(guest.ram.memory.data.cast("B"), GuestConfig(ram_bytes=RAM))
    with pytest.raises(TestbedError, match="other services"):
        guest.run()
    assert not guest.running


def test_a_destination_does_not_load_again_what_differs_in_its_descriptor_alone(disk: int) -> None:
    config = GuestConfig(ram_bytes=RAM, services=[IOMETER], disk_fd=disk, role="destination")
    guest = Guest(config)
    pacer = guest.pacer
    write_state(guest.ram.memory.data.cast("B"), replace(config, role="source", disk_fd=999))
    guest.run()
    assert guest.pacer is pacer


def test_connections_that_moved_go_on_at_their_service_and_others_are_closed(port: int, stack: ExitStack) -> None:
    config = GuestConfig(ram_bytes=RAM, role="destination", services=[ECHO])
    guest = Guest(config)
    write_state(guest.ram.memory.data.cast("B"), config)
    (client, here), (stranger, nobody) = moved(stack), moved(stack)
    client.sendall(b"sent before")
    fds = [here.detach(), nobody.detach()]
    guest.machines.adopt([port, port + 1], fds)
    assert fds == []
    guest.loop.turn(0)
    assert not readable(client) and not readable(stranger)
    guest.run()
    turn_until(guest, lambda: readable(client) and readable(stranger))
    assert client.recv(100) == b"sent before" and stranger.recv(100) == b""
    other = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
    other.sendall(b"a new one")
    turn_until(guest, lambda: readable(other))
    assert other.recv(100) == b"a new one"
    with pytest.raises(TestbedError, match="before the guest runs"):
        guest.machines.adopt([], [])


def test_a_guest_that_is_held_begins_no_batch_and_makes_up_for_it_afterwards() -> None:
    guest = Guest(GuestConfig(ram_bytes=RAM, workload=BUSY_RAM))
    keeper = GateKeeper(guest.journal.fd)
    guest.run()
    turn_until(guest, lambda: guest.operations > 100)
    keeper.hold()
    done, until = guest.operations, time.monotonic() + 0.005
    while time.monotonic() < until:
        guest.loop.turn(guest.step())
    assert guest.operations == done
    keeper.release()
    guest.step()
    assert guest.operations > done + 1 and guest.pacer.shortfall == 0


@pytest.mark.parametrize("ports", [[], [7, 8]])
def test_connections_that_cannot_be_are_refused_and_stay_the_callers(ports: list[int]) -> None:
    guest, fds = Guest(GuestConfig(ram_bytes=RAM)), [7]
    with pytest.raises(TestbedError, match="connection"):
        guest.machines.adopt(ports, fds)
    assert fds == [7]


def test_the_probe_is_answered_whether_the_gate_is_shut_or_not(probed: int, stack: ExitStack) -> None:
    guest = Guest(GuestConfig(ram_bytes=RAM, address="127.0.0.1"))
    keeper = GateKeeper(guest.journal.fd)
    asker = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    asker.connect(("127.0.0.1", probed))
    guest.run()
    for shut in (False, True):
        (keeper.hold if shut else keeper.release)()
        for number in range(100):
            asker.send(b"%d" % number)
        answers = list[bytes]()
        while len(answers) < 100:
            turn_until(guest, lambda: readable(asker))
            answers.append(asker.recv(100))
        assert answers == [b"%d" % number for number in range(100)]
        assert not keeper.busy


def test_a_guest_that_waits_is_silent_and_answers_once_it_has_made_its_first_step(
    probed: int, stack: ExitStack
) -> None:
    config = GuestConfig(ram_bytes=RAM, role="destination", address="127.0.0.1")
    guest = Guest(config)
    write_state(guest.ram.memory.data.cast("B"), config)
    asker = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    asker.connect(("127.0.0.1", probed))
    asker.send(b"are you there?")
    for _ in range(10):
        guest.loop.turn(0.001)
    assert not readable(asker)
    guest.run()
    turn_until(guest, lambda: readable(asker))
    assert asker.recv(100) == b"are you there?"


def test_the_probe_can_be_made_ready_before_its_address_is_there(probed: int) -> None:
    Guest(GuestConfig(ram_bytes=RAM, address="192.0.2.100"))
    with pytest.raises(TestbedError, match=r"cannot answer probes at 192\.0\.2\.100"):
        Guest(GuestConfig(ram_bytes=RAM, address="192.0.2.100"))


def test_an_asker_that_cannot_be_answered_harms_nobody(probed: int, stack: ExitStack) -> None:
    guest = Guest(GuestConfig(ram_bytes=RAM, address="127.0.0.1"))
    guest.run()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.connect(("127.0.0.1", probed))
        gone.send(b"gone")
    asker = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    asker.connect(("127.0.0.1", probed))
    asker.send(b"here")
    turn_until(guest, lambda: readable(asker))
    assert asker.recv(100) == b"here"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"services": "echo"}, "must be a list"),
        ({"services": ["echo"]}, "names with parameters"),
        ({"services": [{"name": "ecko"}]}, "did you mean 'echo'"),
        ({"services": [{"name": "echo", "connections": 0}]}, "must lie between"),
        ({"services": [{"name": "echo", "wrong": 0}]}, "service 'echo' has no parameter 'wrong'; there are"),
        ({"services": [ECHO, ECHO]}, "there once"),
        ({"services": [IOMETER]}, "disk_fd"),
        ({"services": [{**OLTP, "history": 10**6}]}, "the services need"),
        ({"services": [ECHO], "workload": {"name": "uniform", "working_set": RAM}}, "need 4.1 kB beside a working_set"),
        ({"address": 7}, "address must be"),
        ({"disk_fd": "0"}, "disk_fd must be"),
        ({"disk_fd": -2}, "disk_fd must be"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        Guest(GuestConfig(ram_bytes=RAM, **settings))

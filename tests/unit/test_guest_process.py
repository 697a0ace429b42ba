"""A real guest, from outside: its socket, its memory at any moment, its life and its end."""

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from guest_agent.config import GuestConfig
from guest_agent.control import GuestClient
from guest_agent.journal import JournalReader
from guest_agent.memory.program import Memory, Program
from guest_agent.memory.ram import counters
from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.units import PAGE_SIZE
from testbed.linux.memory import memfd
from testbed.linux.processes import process
from testbed.rig.guests import GuestProcess, local_guest
from tests.unit.descriptors import room_for_many
from tests.unit.replaying import read_state_of, redo, replay

RAM = 4 << 20
WORKLOADS: list[dict[str, Any]] = [
    {"name": "idle"},
    {"name": "sequential", "write_rate": 300e6},
    {"name": "uniform", "write_rate": 300e6, "working_set": 1 << 20},
    {"name": "hot-cold", "write_rate": 300e6},
    {"name": "zipf", "write_rate": 300e6, "exponent": 1.2},
    {
        "name": "phases",
        "phases": [
            {"name": "uniform", "write_rate": 200e6, "duration": 0.011},
            {"name": "idle", "duration": 0.01},
            {"name": "sequential", "write_rate": 50e6, "duration": 0.02},
        ],
    },
]

Start = Callable[..., GuestProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(workload: dict[str, Any] | None = None, **settings: Any) -> GuestProcess:
            config = GuestConfig(ram_bytes=RAM, workload=workload or WORKLOADS[1], **settings)
            return stack.enter_context(local_guest(config, tmp_path / f"{time.monotonic_ns()}"))

        yield start


def memory_of(guest: GuestProcess) -> Memory:
    """The guest's RAM itself, not a copy."""
    ports = guest.client.ports()
    os.close(ports.journal_fd)
    mapping = memfd.map_shared(ports.ram_fd, ports.ram_bytes)
    os.close(ports.ram_fd)
    return np.frombuffer(mapping, np.uint64).reshape(-1, PAGE_SIZE // 8)


def connected(guest: GuestProcess) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(guest.socket))
    return connection


def refused(kind: type[TestbedError], words: str, config: GuestConfig, path: Path) -> None:
    with pytest.raises(kind, match=words), local_guest(config, path):
        raise AssertionError("it cannot be ready")


def wait_for(guest: GuestProcess, operations: int) -> None:
    while guest.client.status().operations < operations:
        pass


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: str(workload["name"]))
def test_memory_is_the_replay_of_its_operations_wherever_it_is_stopped(start: Start, workload: dict[str, Any]) -> None:
    guest = start(workload, seed=77)
    memory, config = memory_of(guest), GuestConfig(ram_bytes=RAM, workload=workload, seed=77)
    guest.client.run()
    for moment in np.random.default_rng(5).uniform(0, 0.02, 12):
        goal, until = int(counters(memory)[0]), time.monotonic() + moment
        while time.monotonic() < until or counters(memory)[0] == goal:
            pass
        process.freeze(guest.pid)
        done, pending = (int(counter) for counter in counters(memory))
        frozen, expected = memory.copy(), replay(config, done)
        for each in (frozen, expected):
            redo(Program(config), each, done, pending)  # the batch it was stopped in, if it was stopped in one
        assert np.array_equal(frozen[1:], expected[1:])
        process.resume(guest.pid)


def test_all_of_ram_is_there_and_not_zero_before_it_runs(start: Start) -> None:
    assert memory_of(start())[1:].all()
    assert not memory_of(start(zero_share=1.0))[1:].any()


def test_where_it_is(start: Start) -> None:
    guest = start()
    ports = guest.client.ports()
    assert ports.pid == guest.pid and ports.ram_bytes == RAM
    with open(f"/proc/{guest.pid}/maps", encoding="ascii") as maps:
        assert any(line.startswith(f"{ports.ram_address:x}-") and "guest-ram" in line for line in maps)
    state = read_state_of(ports.ram_fd)
    assert state.operations == 0 and state.config.ram_bytes == RAM
    with pytest.raises(PermissionError):
        os.ftruncate(ports.ram_fd, RAM // 2)


def test_the_journal_has_every_batch(start: Start) -> None:
    guest = start()
    ports = guest.client.ports()
    journal = JournalReader(ports.journal_fd)
    first = guest.client.run()
    wait_for(guest, 1000)
    process.freeze(guest.pid)
    records = journal.read()
    assert journal.lost == 0 and len(journal.read()) == 0
    assert records[0].tolist() == [round(first.at * 1e9), 1]
    assert records[-1, 1] == read_state_of(ports.ram_fd).operations >= 1000
    assert (np.diff(records.astype(np.int64), axis=0) > 0).all()


def test_a_rate_is_held(start: Start) -> None:
    guest = start({"name": "uniform", "write_rate": 20e6})
    guest.client.run()
    before = guest.client.status()
    wait_for(guest, before.operations + 5000)
    after = guest.client.status()
    achieved = (after.operations - before.operations) * PAGE_SIZE / (after.at - before.at)
    assert achieved == pytest.approx(20e6, rel=0.05)


def test_run_twice_is_refused_and_harmless(start: Start) -> None:
    guest = start()
    guest.client.run()
    with pytest.raises(TestbedError, match="running already"):
        guest.client.run()
    assert guest.client.status().running


def test_a_destination_without_a_state_refuses_to_run(start: Start) -> None:
    with pytest.raises(TestbedError, match="page 0 holds no guest"):
        start(role="destination").client.run()


def test_its_socket_is_its_owners_alone_and_disappears_with_it(tmp_path: Path) -> None:
    path = tmp_path / "guest"
    with local_guest(GuestConfig(ram_bytes=RAM), path) as guest:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        guest.client.stop()
        assert guest.wait(10) == 0
        assert not path.exists()


def test_a_path_that_is_taken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guest"
    path.touch()
    refused(ScenarioError, "choose another path", GuestConfig(ram_bytes=RAM), path)
    refused(ScenarioError, "cannot be made", GuestConfig(ram_bytes=RAM), tmp_path / ("x" * 120))


def test_what_the_guest_refuses_its_starter_hears(tmp_path: Path) -> None:
    misspelt = GuestConfig(ram_bytes=RAM, workload={"name": "unform"})
    refused(ScenarioError, "did you mean 'uniform'", misspelt, tmp_path / "guest")
    refused(PrerequisiteMissing, "does not fit", GuestConfig(ram_bytes=1 << 43), tmp_path / "guest")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"status\n", "a request is one line"),
        (b"[1]\n", "a request is one line"),
        (b'{"do": 1}\n', "a request is one line"),
        (b'{"do": "fly"}\n', "cannot 'fly'"),
        (b"\xff\n", "a request is one line"),
    ],
)
def test_a_wrong_request_gets_a_line_and_does_no_harm(start: Start, line: bytes, says: str) -> None:
    guest = start()
    with connected(guest) as connection:
        connection.sendall(line)
        reply = json.loads(connection.makefile().readline())
        assert reply["ok"] is False and says in reply["error"]
    assert not guest.client.status().running


def test_a_request_without_end_ends_its_connection_and_no_other(start: Start) -> None:
    guest = start()
    guest.client.run()
    with connected(guest) as connection, pytest.raises(OSError):
        while True:
            connection.sendall(b"x" * 65536)
    assert guest.client.status().running


def test_several_may_ask_at_once_in_pieces(start: Start) -> None:
    guest = start()
    with connected(guest) as one, connected(guest) as other:
        one.sendall(b'{"do": "sta')
        other.sendall(b'{"do": "status"}\n{"do": "status"}\n')
        lines = other.makefile()
        assert json.loads(lines.readline())["ok"] and json.loads(lines.readline())["ok"]
        one.sendall(b'tus"}\n')
        assert json.loads(one.makefile().readline())["ok"]


def test_a_stopped_guest_does_not_answer_and_that_is_said(start: Start) -> None:
    guest = start()
    process.freeze(guest.pid)
    with (
        GuestClient.connect(str(guest.socket), timeout=0.05) as client,
        pytest.raises(TestbedError, match="is it stopped"),
    ):
        client.status()


def test_it_leaves_when_its_parent_closes_its_input(start: Start) -> None:
    guest = start()
    guest.client.run()
    guest.close_input()
    assert guest.wait(10) == 0


def test_it_dies_with_its_parent_even_while_stopped(tmp_path: Path) -> None:
    path = str(tmp_path / "guest")
    program = (
        "from pathlib import Path; import sys\n"
        "from guest_agent.config import GuestConfig; from testbed.rig.guests import local_guest\n"
        f"with local_guest(GuestConfig(ram_bytes={RAM}), Path({path!r})) as guest:\n"
        "    print(guest.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        guest = psutil.Process(int(parent.stdout.readline()))
        process.freeze(guest.pid)
        parent.send_signal(signal.SIGKILL)
    guest.wait(timeout=10)


def test_its_first_step_is_the_first_in_the_journal_even_at_a_destination(start: Start) -> None:
    source, destination = start(), start(role="destination")
    memory = memory_of(source)
    source.client.run()
    wait_for(source, 100)
    process.freeze(source.pid)
    np.copyto(memory_of(destination), memory)
    first = destination.client.run()
    assert first.operation == int(counters(memory)[0]) + 1
    records = JournalReader(destination.client.ports().journal_fd).read()
    assert records[0].tolist() == [round(first.at * 1e9), first.operation]


def test_a_destination_goes_by_the_state_it_received_and_not_by_what_it_was_started_with(start: Start) -> None:
    source = start({"name": "zipf", "write_rate": 50e6}, seed=5)
    destination = start(role="destination", workload={"name": "idle"}, seed=9)
    memory, received = memory_of(source), memory_of(destination)
    source.client.run()
    wait_for(source, 50)
    process.freeze(source.pid)
    np.copyto(received, memory)
    destination.client.run()
    wait_for(destination, int(counters(memory)[0]) + 500)
    process.freeze(destination.pid)
    config = GuestConfig(ram_bytes=RAM, workload={"name": "zipf", "write_rate": 50e6}, seed=5)
    done, pending = (int(counter) for counter in counters(received))
    frozen, expected = received.copy(), replay(config, done)
    for each in (frozen, expected):
        redo(Program(config), each, done, pending)
    assert np.array_equal(frozen[1:], expected[1:])


def test_a_guest_may_have_as_many_connections_as_its_hard_limit_allows(start: Start) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with room_for_many(512):
        guest = start()
    assert resource.prlimit(guest.pid, resource.RLIMIT_NOFILE) == (hard, hard)

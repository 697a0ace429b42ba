"""Who is not of a migration and comes to its agents' ports, from wherever it can: nothing comes of it."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from testbed.core.network.names import CHANNEL_PORT, STREAM_PORT
from testbed.linux.net.netns import inside, write_sysctls
from testbed.network.commands import run_in
from testbed.wire.messages import Hello, StreamHello, encode
from tests.netns.launching import Launched, launch
from tests.processes import living

SMALL = (
    "hello", "--set", "network.vmotion.goodput=400Mbit", "--set", "vm.workload.write_rate=4MB/s",
    "--set", "vm.workload.working_set=16MB", "--set", "vm.ram=64MB", "--set", "warmup=3s",
    "--set", "migration.streams=2",
)  # fmt: skip
VMOTION = "10.0.1.2"
HELLOS = (
    b"",
    b"x",
    encode(Hello(bytes(16), 64_000_000, 4096, 2)),
    encode(StreamHello(bytes(16), 0)),
    b"GET / HTTP/1.0",
)


def connect(stack: ExitStack, port: int, says: bytes = b"") -> str | None:
    """Why not; None when it is connected."""
    try:
        stack.enter_context(socket.create_connection((VMOTION, port), 1)).sendall(says)
    except OSError as fault:
        return type(fault).__name__
    return None


def strangers(pid: int, stack: ExitStack, count: int, says: Sequence[bytes] = HELLOS) -> list[str | None]:
    """So many at each of both ports, from the namespace of a process."""
    tries = [(port, says[number % len(says)]) for number in range(count) for port in (CHANNEL_PORT, STREAM_PORT)]
    return inside(pid, lambda: [connect(stack, port, each) for port, each in tries])


def host_of(run: Launched, name: str) -> psutil.Process:
    return run.child(f"mininet:{name}")


def is_as_if_nothing_was(run: Launched) -> None:
    assert run.migration["outcome"] == "completed", run.migration["reason"]
    assert run.migration["memory"]["match"]


@pytest.mark.parametrize("who", ["client", "guest"])
def test_from_the_vm_network_no_port_of_an_agent_is_reached(tmp_path: Path, who: str) -> None:
    with launch(tmp_path / "run", *SMALL) as run, ExitStack() as stack:
        run.wait_for("warmup")
        process = host_of(run, "client") if who == "client" else run.child("guest_agent", '"role": "source"')
        run_in(process.pid, ["ip", "route", "add", "10.0.1.0/24", "via", "10.0.2.2"])
        found = strangers(process.pid, stack, 5)
        assert None not in found and len(found) == 10
        assert run.end() in (0, 1)
        is_as_if_nothing_was(run)
        assert "stranger" not in (tmp_path / "run" / "log.txt").read_text()


def test_by_way_of_the_other_host_no_port_of_an_agent_is_reached(tmp_path: Path) -> None:
    """Not even if that were a router."""
    with launch(tmp_path / "run", *SMALL) as run, ExitStack() as stack:
        run.wait_for("warmup")
        client = host_of(run, "client").pid
        write_sysctls(host_of(run, "esx1").pid, {"net/ipv4/ip_forward": "1"})
        run_in(client, ["ip", "route", "add", "10.0.1.0/24", "via", "10.0.2.1"])
        assert None not in strangers(client, stack, 2)
        assert run.end() in (0, 1)
        is_as_if_nothing_was(run)


def test_strangers_from_the_vmotion_network_end_nothing(tmp_path: Path) -> None:
    """They have the source's own address, its interface and the right ports, and some are first in the queue."""
    with launch(tmp_path / "run", *SMALL) as run, ExitStack() as stack:
        run.wait_for("warmup")
        found = strangers(host_of(run, "esx1").pid, stack, 100)
        assert found == [None] * 200
        assert run.end() in (0, 1)
        is_as_if_nothing_was(run)
        log = (tmp_path / "run" / "log.txt").read_text()
        for words in (
            "a stranger from 10.0.1.1 was turned away from port 8000",
            "another migration",
            "begins with b'GE'",
        ):
            assert words in log
        assert "strangers in all were turned away from port 8000" in log


def test_a_destination_that_had_ended_before_its_source_came_says_why(tmp_path: Path) -> None:
    """It may open nothing more, so it cannot let a stranger in, and ends; to the source nobody listens any more."""
    with launch(tmp_path / "run", *SMALL) as run, ExitStack() as stack:
        run.wait_for("warmup")
        destination = run.child("agent_process", '"role": "destination"')
        destination.rlimit(psutil.RLIMIT_NOFILE, (3, 3))
        strangers(host_of(run, "esx1").pid, stack, 1)
        assert living([destination], 60) == [] and run.end() == 1
        found = run.migration
    assert found["outcome"] == "aborted" and found["runs_at"] == "esx1"
    assert "refused" in found["reason"] and "(the destination: no source came: Too many open files" in found["reason"]

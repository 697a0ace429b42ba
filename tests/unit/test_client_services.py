"""Clients as processes against real services: what they say at their end, across moves and broken connections."""

import dataclasses
import os
import signal
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guest_agent.client.common import ClientConfig, is_stop
from guest_agent.client.conversation import ClientFinished, ClientReady
from guest_agent.services.echo.service import Echo
from guest_agent.services.oltp.service import Oltp
from testbed.core.errors import ScenarioError
from tests.unit.descriptors import room_for_many
from tests.unit.service_machine import Clients, SmallMachine, evidence, free_port

OLTP = Oltp(accounts=1000, sessions=6, history=100_000, think_time=0.0005)
ECHO = Echo(connections=40, size=700, window=3, interval=0.01)
CLOSED = dataclasses.replace(ECHO, interval=0.0)


def spec(service: Oltp | Echo) -> dict[str, Any]:
    return {"name": type(service).__name__.lower(), **dataclasses.asdict(service)}


def rows_of(clients: Clients, machine: SmallMachine, count: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """At least that many."""
    parts = [clients.rows()]

    def there() -> bool:
        parts.append(clients.rows())
        return sum(map(len, parts)) >= count

    machine.run(there)
    return np.concatenate(parts)


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Oltp, "port", free_port())
    monkeypatch.setattr(Echo, "port", free_port())


@pytest.mark.parametrize("service", [OLTP, dataclasses.replace(OLTP, think_time=0.0), ECHO, CLOSED])
def test_connections_that_move_are_never_noticed(service: Oltp | Echo, tmp_path: Path) -> None:
    machines = [SmallMachine(service, str(tmp_path / "store")).start()]
    with Clients(service.port or 0, spec(service)) as clients:
        clients.hear(machines[0], ClientReady)
        parts = [rows_of(clients, machines[0], 300)]
        for _ in range(3):
            machines.append(machines[-1].move())
            parts.append(rows_of(clients, machines[-1], 300))
        clients.say()
        said = clients.hear(machines[-1], ClientFinished)
        assert clients.process.wait(5) == 0
        rows = np.concatenate([*parts, clients.rows()])
    machines[-1].drain()
    assert said.sent == said.answered == len(rows) and said.reconnects == said.errors == 0
    assert bool((rows[:, 1] > rows[:, 0]).all()) and len(np.unique(rows[:, 2])) == len(rows)
    verdict = service.verify(evidence(*machines, client=rows, said=said))
    assert verdict.ok and verdict.operations == len(rows), verdict.findings
    for machine in machines:
        machine.close()


def test_more_connections_than_files_that_a_login_is_given_are_made(tmp_path: Path) -> None:
    few = max(map(int, os.listdir("/proc/self/fd"))) + 40
    many = dataclasses.replace(ECHO, connections=few, interval=10.0)
    machine = SmallMachine(many, str(tmp_path / "store")).start()
    with room_for_many(few):
        clients = Clients(many.port or 0, spec(many))
    with clients:
        clients.hear(machine, ClientReady)
    machine.close()


def test_sessions_whose_connections_break_reconnect_and_lose_nothing(tmp_path: Path) -> None:
    first = SmallMachine(OLTP, str(tmp_path / "store")).start()
    with Clients(OLTP.port or 0, spec(OLTP)) as clients:
        clients.hear(first, ClientReady)
        parts = [rows_of(clients, first, 100)]
        first.drain()
        area = first.area.tobytes()
        reset(first)
        second = SmallMachine(OLTP, first.path, area=area).start()
        parts.append(rows_of(clients, second, 500))
        clients.say()
        said = clients.hear(second, ClientFinished)
        rows = np.concatenate([*parts, clients.rows()])
    second.drain()
    assert said.reconnects >= OLTP.sessions and said.sent == said.answered
    left = evidence(first, second, client=rows, said=said, may_break=None)
    assert OLTP.verify(left).ok, OLTP.verify(left).findings
    assert not OLTP.verify(dataclasses.replace(left, may_break=0)).ok
    first.close()
    second.close()


def test_echo_counts_connections_that_broke(tmp_path: Path) -> None:
    first = SmallMachine(ECHO, str(tmp_path / "none")).start()
    with Clients(ECHO.port or 0, spec(ECHO)) as clients:
        clients.hear(first, ClientReady)
        rows_of(clients, first, 100)
        reset(first)
        second = SmallMachine(ECHO, first.path).start()
        rows_of(clients, second, 500)
        clients.say()
        said = clients.hear(second, ClientFinished)
    assert said.broken >= ECHO.connections and said.reconnects >= ECHO.connections and said.mismatched == 0
    left = evidence(first, second, said=said, may_break=None)
    assert ECHO.verify(left).ok, "what was under way when its connection broke is no fault"
    assert said.sent == said.answered + said.abandoned
    assert not ECHO.verify(dataclasses.replace(left, may_break=0)).ok
    first.close()
    second.close()


def test_bytes_that_come_back_wrong_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = SmallMachine(CLOSED, str(tmp_path / "none")).start()
    with Clients(CLOSED.port or 0, spec(CLOSED), seed=1) as clients:
        clients.hear(machine, ClientReady)
        connection = next(s for s in machine._sockets if not s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        connection.send(b"never asked for")
        rows_of(clients, machine, 1)
        clients.say()
        said = clients.hear(machine, ClientFinished)
    assert said.mismatched == said.errors > 0
    machine.close()


def test_clients_leave_with_their_parent(tmp_path: Path) -> None:
    machine = SmallMachine(ECHO, str(tmp_path / "none")).start()
    with Clients(ECHO.port or 0, spec(ECHO)) as clients:
        clients.hear(machine, ClientReady)
        assert clients.process.stdin
        clients.process.stdin.close()
        assert clients.process.wait(10) == 1
        clients.process.stdin = None
    machine.close()


def test_what_is_outstanding_is_waited_for_so_long_and_no_longer(tmp_path: Path) -> None:
    machine = SmallMachine(CLOSED, str(tmp_path / "none")).start()
    with Clients(CLOSED.port or 0, spec(CLOSED)) as clients:
        clients.hear(machine, ClientReady)
        clients.say()  # and nobody serves it any more
        assert clients.process.wait(10) == 0
        said = clients.event()
        assert isinstance(said, ClientFinished) and said.sent > said.answered
    machine.close()


@pytest.mark.parametrize(
    ("service", "said"),
    [({"name": "iometer"}, "no clients"), ({"name": "ecko"}, "echo"), ({"name": "echo", "x": 1}, "x")],
)
def test_what_cannot_be_talked_to_is_refused(service: dict[str, Any], said: str) -> None:
    with Clients(1, service) as clients:
        assert clients.process.wait(20) == ScenarioError.exit_code
        assert clients.process.stderr and said in clients.process.stderr.read().decode()


def test_a_configuration_that_is_none_is_refused() -> None:
    for text in ("", "[]", "{", '{"kind": "probe"}'):
        with pytest.raises(ScenarioError, match="cannot be read"):
            ClientConfig.parse(text)


def test_only_stop_is_stop() -> None:
    assert is_stop(b'{"do": "stop"}')
    assert not any(map(is_stop, (b"", b"stop", b"[]", b'{"do": "go"}', b"\xff")))


def reset(machine: SmallMachine) -> None:
    """Its connections end as those of a host that is gone, and knows nothing of them."""
    for sock in list(machine._sockets):
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    machine._close_sockets()


def test_a_stopped_client_goes_on(tmp_path: Path) -> None:
    machine = SmallMachine(ECHO, str(tmp_path / "none")).start()
    with Clients(ECHO.port or 0, spec(ECHO)) as clients:
        clients.hear(machine, ClientReady)
        clients.process.send_signal(signal.SIGSTOP)
        clients.process.send_signal(signal.SIGCONT)
        assert len(rows_of(clients, machine, 200)) >= 200
    machine.close()

"""A client or a guest that says nothing holds nobody up."""

import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from guest_agent.client.common import ClientConfig
from guest_agent.client.conversation import EVENTS, ClientFinished
from testbed.core.errors import TestbedError
from testbed.linux.processes.lines import Lines
from testbed.rig import clients
from testbed.rig.clients import ClientProcess


class Spawning:
    """Starts what a test says, whatever was asked for: the stand-in of a ``Fabric``."""

    def __init__(self, program: str) -> None:
        self._program = program

    def spawn(self, _host: str, _command: list[str], **more: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", self._program], **more)


def client(program: str, log: IO[bytes]) -> ClientProcess:
    fabric: Any = Spawning(program)
    return ClientProcess(fabric, ClientConfig(kind="probe", address="10.0.2.100"), log)


READY = 'print(\'{"event": "ready"}\', flush=True)\n'
MUTE = "import time\ntime.sleep(1000)"


def test_a_client_that_never_gets_ready_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "READY_S", 0.1)
    with (
        (tmp_path / "log").open("wb") as log,
        client(MUTE, log) as stuck,
        pytest.raises(TestbedError, match="did not reach the guest"),
    ):
        stuck.wait_ready()


def test_a_client_that_does_not_stop_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "END_S", 0.1)
    with (tmp_path / "log").open("wb") as log, client(READY + MUTE, log) as stuck:
        stuck.wait_ready()
        assert stuck.stop() is None


def test_what_a_client_says_at_its_end_is_heard(tmp_path: Path) -> None:
    finished = ClientFinished(sent=3, answered=2, errors=0, reconnects=1)
    program = f'{READY}assert input() == \'{{"do": "stop"}}\'\nprint({EVENTS.line(finished).decode()!r})'
    with (tmp_path / "log").open("wb") as log, client(program, log) as orderly:
        orderly.wait_ready()
        assert orderly.stop() == finished


def test_lines_come_whole_in_order_and_the_rest_at_the_end() -> None:
    program = (
        "import sys\nsys.stdout.write('one\\ntwo\\nthr'); sys.stdout.flush()\nsys.stdin.read()\nsys.stdout.write('ee')"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as said:
        assert said.stdin and said.stdout
        lines = Lines(said.stdout)
        assert [lines.next(20), lines.next(20), lines.next(0.05)] == [b"one\n", b"two\n", None]
        said.stdin.close()
        said.stdin = None
        assert [lines.next(20), lines.next(20)] == [b"three", b""]

"""Clients that no scenario knows of, each with a manner of its own, talk to a service while its guest is migrated."""

import hashlib
import random
import socket
from pathlib import Path

from testbed.linux.net.netns import open_socket
from tests.netns.launching import Launched, launch
from tests.netns.test_service_faults import await_end

SCENARIO = """
name: strangers
warmup: 500ms
cooldown: 3s
vm:
  ram: 96MiB
  workload: {name: hot-cold, working_set: 16MiB, write_rate: 4MB/s}
  services:
    - {name: echo, connections: 20, interval: 10ms}
network: {vmotion: {goodput: 400Mbit}}
migration: {policy: {name: vmotion, downtime_goal: 2s}}
"""
ECHO = "10.0.2.100", 7


class Stranger:
    """Asks for ``size`` bytes, takes no more than a few thousand before it reads, and reads last of all."""

    def __init__(self, run: Launched, size: int) -> None:
        client = run.child("guest_agent.client", '"kind": "probe"')
        self.socket = open_socket(client.pid, socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(20)
        self.socket.connect(ECHO)
        self.said = random.Random(size).randbytes(size)
        self.socket.sendall(self.said)

    def hear(self) -> tuple[int, str]:
        """To the end: how many bytes, and what they were."""
        self.socket.settimeout(20)
        heard = b""
        with self.socket:
            while more := self.socket.recv(1 << 16):
                heard += more
        return len(heard), hashlib.sha256(heard).hexdigest()

    @property
    def due(self) -> tuple[int, str]:
        return len(self.said), hashlib.sha256(self.said).hexdigest()


def test_who_half_closed_or_reads_late_gets_every_byte_that_was_due(tmp_path: Path) -> None:
    (tmp_path / "strangers.yaml").write_text(SCENARIO)
    with launch(tmp_path / "run", str(tmp_path / "strangers.yaml")) as run:
        run.wait_for("round 1")
        agent = run.child("migration.agent", '"role": "destination"')
        closing, late = Stranger(run, 30_000), Stranger(run, 60_000)
        closing.socket.shutdown(socket.SHUT_WR)  # the service reads this as the end, and closes
        await_end(agent)
        late.socket.shutdown(socket.SHUT_WR)
        assert late.hear() == late.due
        assert closing.hear() == closing.due
        assert run.end() in (0, 1)
        found = run.migration
    assert found["outcome"] == "completed"
    assert (found["connections"]["moved"], found["connections"]["refused"]) == (22, 0)
    assert found["connections"]["refusals"] == {}
    assert not [reason for reason in found["invalid_reasons"] if "connection" in reason]
    (echo,) = found["services"]
    assert (echo["verified"], echo["lost"], echo["doubled"], echo["reconnects"]) == (True, 0, 0, 0), echo["findings"]

"""Who talks to the guest from the client host: its probe, and the clients of its services, each a process and a log."""

import json
import os
import subprocess
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import IO, Any

from guest_agent import ring
from testbed.core.errors import TestbedError
from testbed.core.text.printable import printable_texts
from testbed.linux.memory import memfd
from testbed.linux.processes.child import last_line, pipe_of
from testbed.linux.processes.lines import Lines
from testbed.linux.processes.module import module
from testbed.metrics.host import cpu_seconds
from testbed.network.fabric import Fabric
from testbed.rig.logs import CLIENT, LogFollower

PROBE = "probe"
READY_S, END_S = 30.0, 5.0
"""A client tries for ten seconds to reach the guest, and finishes what is outstanding within two; this long either may
take in all, before it is known to be stuck."""


class ClientProcess:
    """One client of the guest. A context manager: leaving it ends the process."""

    def __init__(self, fabric: Fabric, config: dict[str, Any], log: IO[bytes]) -> None:
        self.name: str = config["service"]["name"] if config["kind"] == "service" else PROBE
        self._log = log
        self._ring = memfd.create("client-log", ring.size())
        kind = "client" if self.name == PROBE else "service"
        labels = {} if self.name == PROBE else {"name": self.name, "host": CLIENT}
        self.follower = LogFollower(self._ring, kind, **labels)
        self.process = fabric.spawn(
            CLIENT,
            module("guest_agent.client", json.dumps({**config, "log_fd": self._ring})),
            pass_fds=(self._ring,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        self._lines = Lines(pipe_of(self.process.stdout))
        self._at_ready = (0.0, monotonic())

    def __enter__(self) -> "ClientProcess":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe_of(pipe).close()
        os.close(self._ring)

    def wait_ready(self) -> None:
        """The guest answers it. Raises ``TestbedError`` with what the client said."""
        said = self._event(READY_S)
        if said.get("event") != "ready":
            raise TestbedError(f"the {self.name} client did not reach the guest: {said.get('reason') or self._last()}")
        self._at_ready = cpu_seconds(self.process.pid) or 0.0, monotonic()

    def stop(self) -> dict[str, Any]:
        """It finishes what is outstanding; what it says at its end, empty when it died or is stuck."""
        with suppress(OSError):
            pipe_of(self.process.stdin).write(b'{"do":"stop"}\n')
            pipe_of(self.process.stdin).flush()
        said = self._event(END_S)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(END_S if said else 0)
        return said if said.get("event") == "finished" else {}

    def cpu_share(self) -> float | None:
        """Of one core, since it was ready; None when it has ended."""
        used, since = self._at_ready
        now = cpu_seconds(self.process.pid)
        return None if now is None else (now - used) / (monotonic() - since)

    def _event(self, timeout_s: float) -> dict[str, Any]:
        line = self._lines.next(timeout_s)
        try:
            return dict(json.loads(line, object_hook=printable_texts)) if line else {}
        except ValueError:
            return {}

    def _last(self) -> str:
        return last_line(self._log)

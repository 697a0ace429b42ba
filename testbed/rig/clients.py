"""Who talks to the guest from the client host: its probe, and the clients of its services, each a process and a log."""

import os
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import IO

from guest_agent import ring
from guest_agent.client.common import ClientConfig
from guest_agent.client.conversation import EVENTS, ORDERS, ClientFinished, ClientReady, ClientStop
from testbed.core.errors import TestbedError
from testbed.linux.memory import memfd
from testbed.linux.processes.child import Child
from testbed.linux.processes.module import module
from testbed.metrics.host import cpu_seconds
from testbed.network.fabric import Fabric
from testbed.rig.logs import CLIENT, LogFollower

PROBE = "probe"
READY_S, END_S = 30.0, 5.0
"""A client tries for ten seconds to reach the guest, and finishes what is outstanding within two; this long either may
take in all, before it is known to be stuck."""


class ClientProcess(Child):
    """One client of the guest, and its log."""

    def __init__(self, fabric: Fabric, config: ClientConfig, log: IO[bytes]) -> None:
        self.name = config.name
        rows = memfd.create("client-log", ring.size())
        argv = module("guest_agent.client", replace(config, log_fd=rows).to_json())
        super().__init__(partial(fabric.spawn, CLIENT), argv, log, pass_fds=(rows,))
        self.belongings.callback(os.close, rows)
        kind = "client" if self.name == PROBE else "service"
        labels = {} if self.name == PROBE else {"name": self.name, "host": CLIENT}
        self.follower = LogFollower(rows, kind, **labels)
        self._at_ready = (0.0, monotonic())

    def wait_ready(self) -> None:
        """The guest answers it. Raises ``TestbedError`` with what the client said."""
        if not isinstance(self._event(READY_S), ClientReady):
            raise TestbedError(f"the {self.name} client did not reach the guest: {self.last_words()}")
        self._at_ready = cpu_seconds(self.pid) or 0.0, monotonic()

    def stop(self) -> ClientFinished | None:
        """Lets the client finish what is outstanding. What it counted; None when it died or is stuck."""
        self.tell(ORDERS.line(ClientStop()))
        event = self._event(END_S)
        if not isinstance(event, ClientFinished):
            return None
        self.wait(END_S)
        return event

    def cpu_share(self) -> float | None:
        """Share of one core that the client took since it was ready; None when it has ended."""
        used, since = self._at_ready
        now = cpu_seconds(self.pid)
        return None if now is None else (now - used) / (monotonic() - since)

    def _event(self, timeout_s: float) -> ClientReady | ClientFinished | None:
        """None: it said nothing, or what nobody understands."""
        with suppress(ValueError):
            return EVENTS.read(self.hear(timeout_s) or b"")
        return None

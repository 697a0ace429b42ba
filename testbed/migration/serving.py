"""The destination agent's life: reserve, listen, serve one migration, say what happened."""

import mmap
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from testbed.core.errors import MigrationAborted
from testbed.linux.nic import Nic
from testbed.migration.announcing import Announcer
from testbed.migration.attached import AttachedGuest
from testbed.migration.channel import Channel
from testbed.migration.connections import Arriving
from testbed.migration.destination import DestinationAgent
from testbed.migration.sockets import PORT, STREAM_PORT, listen, tune
from testbed.wire.states import Role

Say = Callable[..., None]


class Destination:
    """Config: role, guest (socket), address, migration_id (hex), streams, wait_s; nic (interface, ip, prefix; None: the
    guest has no network) and the frames (hex) that announce it.
    """

    def __init__(self, config: dict[str, Any], say: Say) -> None:
        self._config, self._say = config, say
        self._announcer: Announcer | None = None

    def run(self) -> None:
        """Raises ``TestbedError`` when the source never came, or the migration broke."""
        address, streams = self._config["address"], self._config["streams"]
        with ExitStack() as stack:
            guest = stack.enter_context(AttachedGuest(self._config["guest"]))
            listener = stack.enter_context(listen(address, PORT))
            stream_listener = stack.enter_context(listen(address, STREAM_PORT, streams))
            arrival = self._arrival(guest.ports().pid, stack)
            ports = guest.ports()
            # Mapped before anybody is told to come, so that no page is faulted in while pages arrive.
            memory = mmap.mmap(ports.ram_fd, ports.ram_bytes, mmap.MAP_SHARED | mmap.MAP_POPULATE)
            self._say("ready", port=PORT, pid=os.getpid())
            listener.settimeout(self._config["wait_s"])
            before = os.times()
            agent = DestinationAgent(
                guest=guest,
                memory=memoryview(memory),
                channel=Channel(self._accept(listener), Role.DESTINATION),
                listener=stream_listener,
                migration_id=bytes.fromhex(self._config["migration_id"]),
                arrival=arrival,
            )
            try:
                agent.serve()
                self._finish(agent, before)
            finally:
                if agent.runs_here and self._announcer:  # also when nobody was left to be told that it runs
                    self._announcer.repeat(self._say)

    def _arrival(self, pid: int, stack: ExitStack) -> Arriving | None:
        nic = self._config.get("nic")
        if nic is None:
            return None
        try:
            link = Nic(pid, nic["interface"], nic["ip"], nic["prefix"])
            stack.callback(link.close)
            frames = [bytes.fromhex(frame) for frame in self._config["frames"]]
            self._announcer = Announcer(pid, nic["interface"], frames)
        except OSError as fault:
            raise MigrationAborted(f"the guest's network interface cannot be reached: {fault}") from fault
        stack.callback(self._announcer.close)
        return Arriving(pid, link, self._announcer)

    @staticmethod
    def _accept(listener: socket.socket) -> socket.socket:
        try:
            sock, _ = listener.accept()
        except OSError as fault:
            raise MigrationAborted(f"no source came: {fault}") from fault
        tune(sock)
        return sock

    def _finish(self, agent: DestinationAgent, before: os.times_result) -> None:
        times = os.times()
        self._say(
            "finished",
            outcome="aborted" if agent.abandoned else "completed",
            reason=agent.abandoned or "the guest runs here",
            received_bytes=agent.received_bytes,
            cpu_s=times.user + times.system - before.user - before.system,
        )

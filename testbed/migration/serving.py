"""The destination agent's life: reserve, listen, serve one migration, say what happened."""

import mmap
import os
import socket
from collections.abc import Callable
from typing import Any

from testbed.core.errors import MigrationAborted
from testbed.migration.attached import AttachedGuest
from testbed.migration.channel import Channel
from testbed.migration.destination import DestinationAgent
from testbed.migration.sockets import PORT, listen, tune
from testbed.wire.states import Role

Say = Callable[..., None]


class Destination:
    """Config: role, guest (socket), address, migration_id (hex), streams, wait_s."""

    def __init__(self, config: dict[str, Any], say: Say) -> None:
        self._config, self._say = config, say

    def run(self) -> None:
        """Raises ``TestbedError`` when the source never came, or the migration broke."""
        config = self._config
        with AttachedGuest(config["guest"]) as guest, listen(config["address"], config["streams"]) as listener:
            ports = guest.ports()
            # Mapped before anybody is told to come, so that no page is faulted in while pages arrive.
            memory = mmap.mmap(ports.ram_fd, ports.ram_bytes, mmap.MAP_SHARED | mmap.MAP_POPULATE)
            self._say("ready", port=PORT, pid=os.getpid())
            listener.settimeout(config["wait_s"])
            before = os.times()
            channel = Channel(self._accept(listener), Role.DESTINATION)
            agent = DestinationAgent(
                guest=guest,
                memory=memoryview(memory),
                channel=channel,
                listener=listener,
                migration_id=bytes.fromhex(config["migration_id"]),
            )
            agent.serve()
            times = os.times()
            self._say(
                "finished",
                outcome="aborted" if agent.abandoned else "completed",
                reason=agent.abandoned or "the guest runs here",
                received_bytes=agent.received_bytes,
                cpu_s=times.user + times.system - before.user - before.system,
            )

    @staticmethod
    def _accept(listener: socket.socket) -> socket.socket:
        try:
            sock, _ = listener.accept()
        except OSError as fault:
            raise MigrationAborted(f"no source came: {fault}") from fault
        tune(sock)
        return sock

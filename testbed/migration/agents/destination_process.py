"""The destination agent's life: reserve, listen, serve one migration, say what happened."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack

from testbed.core.agents.config import DestinationConfig
from testbed.core.agents.told import DestinationFinished, DestinationReady, Told
from testbed.core.errors import MigrationAborted, in_words
from testbed.core.network.names import CHANNEL_PORT, STREAM_PORT
from testbed.linux.memory import memfd
from testbed.linux.net.interface import Nic
from testbed.migration.admission import BACKLOG, Admission, First
from testbed.migration.agents.attached import AttachedGuest
from testbed.migration.channel import Channel
from testbed.migration.destination import DestinationAgent
from testbed.migration.holding import Holding
from testbed.migration.identity.announcer import Announcer
from testbed.migration.identity.connections import Arriving
from testbed.migration.streams.sockets import listen
from testbed.wire.messages import Hello, StreamHello
from testbed.wire.states import Role

Say = Callable[[Told], None]


class Destination:
    """``say`` is told when it is ready, when it has finished, and at last that the guest was announced; ``holding``:
    where it waits meanwhile.
    """

    def __init__(self, config: DestinationConfig, say: Say, holding: Holding) -> None:
        self._config, self._say, self._holding = config, say, holding
        self._announcer: Announcer | None = None

    def run(self) -> None:
        """Raises ``TestbedError`` when the source never came, or the migration broke."""
        with ExitStack() as stack:
            guest = stack.enter_context(AttachedGuest(self._config.guest))
            admission = self._admission(CHANNEL_PORT, Hello, stack)
            stream_admission = self._admission(STREAM_PORT, StreamHello, stack)
            arrival = self._arrival(guest.ports().pid, stack)
            ports = guest.ports()
            # Mapped before anybody is told to come, so that no page is faulted in while pages arrive.
            memory = stack.enter_context(memfd.map_shared(ports.ram_fd, ports.ram_bytes, populate=True))
            view = stack.enter_context(memoryview(memory))
            self._say(DestinationReady())
            before = os.times()
            channel = self._channel(admission, stack)
            agent = DestinationAgent(
                guest=guest, memory=view, channel=channel, admission=stream_admission, arrival=arrival
            )
            stack.callback(agent.close)
            try:
                agent.serve()
                self._finish(agent, before)
            finally:
                if agent.runs_here and self._announcer:  # also when nobody was left to be told that it runs
                    self._announcer.repeat(self._say)

    def _arrival(self, pid: int, stack: ExitStack) -> Arriving | None:
        nic = self._config.nic
        if nic is None:
            return None
        try:
            link = Nic(pid, nic.interface, nic.ip, nic.prefix)
            stack.callback(link.close)
            frames = [bytes.fromhex(frame) for frame in self._config.frames]
            self._announcer = Announcer(pid, nic.interface, frames)
        except OSError as fault:
            raise MigrationAborted(f"the guest's network interface cannot be reached: {in_words(fault)}") from fault
        stack.callback(self._announcer.close)
        return Arriving(pid, link, self._announcer)

    def _admission(self, port: int, first: type[First], stack: ExitStack) -> Admission[First]:
        listener = listen(self._config.address, port, self._config.interface, BACKLOG)
        known = bytes.fromhex(self._config.migration_id)
        admission = Admission(listener, first, known, peer=self._config.peer, log=_log)
        return stack.enter_context(admission)

    def _channel(self, admission: Admission[Hello], stack: ExitStack) -> Channel:
        """To the source, once it has come: nobody else is let in after it."""
        sock, said, _ = admission.admit(self._config.wait_s)
        admission.close()
        return Channel(stack.enter_context(sock), Role.DESTINATION, received=said, holding=self._holding)

    def _finish(self, agent: DestinationAgent, before: os.times_result) -> None:
        times = os.times()
        self._say(
            DestinationFinished(
                outcome="aborted" if agent.abandoned else "completed",
                reason=agent.abandoned or "the guest runs here",
                cpu_s=times.user + times.system - before.user - before.system,
            )
        )


def _log(line: str) -> None:
    """Standard error goes to the run's log."""
    sys.stderr.write(f"{line}\n")

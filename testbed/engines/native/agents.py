"""The agents' processes as the run sees them: orders go in, events come out, and an end is always noticed."""

import signal
from contextlib import suppress
from functools import partial
from typing import IO, TypeVar

from testbed.core.agents.config import AgentConfig
from testbed.core.agents.told import AgentFailed, AgentOrder, Gone, Told
from testbed.core.errors import PrerequisiteMissing, RemoteProtocolError, TestbedError
from testbed.core.text.json_lines import argument
from testbed.linux.processes.child import Child, pipe_of
from testbed.linux.processes.module import module
from testbed.network.fabric import Fabric
from testbed.wire.lines import ORDERS, read_event

T = TypeVar("T")


class AgentDied(TestbedError):
    """An agent ended without saying how the migration went."""


class AgentProcess(Child):
    """One agent in one host. A context manager: leaving it ends the process."""

    def __init__(self, fabric: Fabric, host: str, config: AgentConfig, log: IO[bytes]) -> None:
        super().__init__(
            partial(fabric.spawn, host), module("testbed.migration.agents.agent_process", argument(config)), log
        )
        self.role: str = config.role
        self._gone = False
        self._nonsense: str | None = None

    def leave(self, error: BaseException | None) -> None:
        """Nothing more is heard of it."""
        self._gone = True

    def order(self, what: AgentOrder) -> None:
        """Tell it; an agent that has died hears nothing, and its events say so."""
        with suppress(OSError, ValueError):  # the latter of a pipe that was closed with the process
            pipe_of(self.process.stdin).write(ORDERS.line(what))
            pipe_of(self.process.stdin).flush()

    def suspend(self) -> None:
        """The agent makes no step any more, and its connections stay: it hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def next_event(self, timeout_s: float) -> Told | Gone | None:
        """What it says next, None when it said nothing for that time, ``Gone`` for ever after its last line. One that
        says what cannot be read is ended: whatever it would say next, it is not what it seemed.
        """
        said = b"" if self._gone else self._lines.next(timeout_s)
        if said is None:
            return None
        # A line that is cut off in the middle is the last one: the agent was killed while it wrote it.
        if said.endswith(b"\n"):
            try:
                return read_event(said)
            except RemoteProtocolError as fault:
                self._nonsense = str(fault)
                self.kill()
        self._gone = True
        return Gone(nonsense=self._nonsense)

    def ready(self, kind: type[T], timeout_s: float) -> T:
        """Waits until it can serve. Raises ``TestbedError`` with its own reason, or ``AgentDied``."""
        event = self.next_event(timeout_s)
        if isinstance(event, kind):
            return event
        if isinstance(event, AgentFailed):
            raise _failed(event)
        if isinstance(event, Gone) and event.nonsense:
            raise AgentDied(f"the {self.role} agent {event} before it was ready")
        raise AgentDied(f"the {self.role} agent did not start: {self.last_words()}")

    def until(self, kinds: tuple[type[Told], ...], timeout_s: float) -> Told | Gone | None:
        """Its next event of these kinds; how it ended when it has ended without one, None when it was silent for so
        long.
        """
        while (event := self.next_event(timeout_s)) is not None:
            if isinstance(event, (*kinds, AgentFailed, Gone)):
                return event
        return None


def _failed(event: AgentFailed) -> TestbedError:
    if event.missing:
        return PrerequisiteMissing(event.missing, event.remedy or "")
    return TestbedError(event.reason)

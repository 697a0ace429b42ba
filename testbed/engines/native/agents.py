"""The agents' processes as the run sees them: orders go in, events come out, and an end is always noticed."""

import json
from contextlib import suppress
from functools import partial
from typing import IO, Any

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.text.printable import printable_texts
from testbed.linux.processes.child import Child, pipe_of
from testbed.linux.processes.module import module
from testbed.network.fabric import Fabric

GONE = {"event": "gone"}
"""What is read after an agent's last event."""


class AgentDied(TestbedError):
    """An agent ended without saying how the migration went."""


class AgentProcess(Child):
    """One agent in one host. A context manager: leaving it ends the process."""

    def __init__(self, fabric: Fabric, host: str, config: dict[str, Any], log: IO[bytes]) -> None:
        super().__init__(
            partial(fabric.spawn, host), module("testbed.migration.agents.agent_process", json.dumps(config)), log
        )
        self.role: str = config["role"]
        self._gone = False

    def leave(self, error: BaseException | None) -> None:
        """Nothing more is heard of it."""
        self._gone = True

    def order(self, what: str, **more: Any) -> None:
        """Tell it; an agent that has died hears nothing, and its events say so."""
        with suppress(OSError, ValueError):  # the latter of a pipe that was closed with the process
            pipe_of(self.process.stdin).write(json.dumps({"do": what, **more}).encode() + b"\n")
            pipe_of(self.process.stdin).flush()

    def next_event(self, timeout_s: float) -> dict[str, Any] | None:
        """The next event, None when nothing was said for that time, ``GONE`` for ever after the last one."""
        line = b"" if self._gone else self._lines.next(timeout_s)
        if line is None:
            return None
        # A line that is cut off in the middle is the last one: the agent was killed while it wrote it.
        with suppress(ValueError):
            if line.endswith(b"\n"):
                return dict(json.loads(line, object_hook=printable_texts))
        self._gone = True
        return GONE

    def ready(self, timeout_s: float) -> dict[str, Any]:
        """Waits until it can serve. Raises ``TestbedError`` with its own reason, or ``AgentDied``."""
        event = self.next_event(timeout_s)
        if event is None or event["event"] == "gone":
            raise AgentDied(f"the {self.role} agent did not start: {self.last_words()}")
        if event["event"] != "ready":
            if event.get("missing"):
                raise PrerequisiteMissing(event["missing"], event["remedy"])
            raise TestbedError(str(event.get("reason")))
        return event

    def until(self, name: str, timeout_s: float) -> dict[str, Any] | None:
        """Its next event of that name; ``GONE`` when it has ended without one, None when it was silent for so long."""
        while (event := self.next_event(timeout_s)) is not None:
            if event is GONE or event["event"] == name:
                return event
        return None

"""The agents' processes as the run sees them: orders go in, events come out, and an end is always noticed."""

import json
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.text.printable import printable, printable_texts
from testbed.engines.lines import Lines
from testbed.linux.processes.module import module
from testbed.network.fabric import Fabric

GONE = {"event": "gone"}
"""What is read after an agent's last event."""


class AgentDied(TestbedError):
    """An agent ended without saying how the migration went."""


class AgentProcess:
    """One agent in one host. A context manager: leaving it ends the process."""

    def __init__(self, fabric: Fabric, host: str, config: dict[str, Any], log: IO[bytes]) -> None:
        self.role: str = config["role"]
        self._log = log
        self.process = fabric.spawn(
            host,
            module("testbed.migration.agents.agent_process", json.dumps(config)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        self._lines = Lines(pipe_of(self.process.stdout))
        self._gone = False

    def __enter__(self) -> "AgentProcess":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.kill()
        self._gone = True
        pipe_of(self.process.stdout).close()

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
            raise AgentDied(f"the {self.role} agent did not start: {last_line(self._log)}")
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

    def kill(self) -> None:
        """Ends it, whatever it does; returns when it is gone."""
        self.process.kill()
        self.process.wait()
        with suppress(OSError):
            pipe_of(self.process.stdin).close()


def pipe_of(stream: IO[bytes] | None) -> IO[bytes]:
    """A pipe that was asked for when the process was started, and so is there."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def last_line(log: IO[bytes]) -> str:
    """What a process said last before it ended, out of the run's log."""
    lines = Path(log.name).read_text(errors="replace").strip().splitlines()
    return printable(lines[-1]) if lines else "it said nothing"

"""The agents as processes: ``agent_process CONFIG`` in a host's namespace, CONFIG being JSON.

    in   (stdin)    {"do": "migrate"}   {"do": "cancel"}   {"do": "throttle", "level": 0..1}
                     {"do": "resume"} or {"do": "release"} after in_doubt
    out  (stdout)   {"event": "ready" | "progress" | "round" | "cells" | "throttled" | "unaccepted" | "in_doubt" |
                               "finished" | "announced", ...}

One JSON object a line. The end of stdin means that the run has died: the agent ends at once, and so does its guest.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.linux.processes.process import die_with_parent
from testbed.migration.agents.destination_process import Destination
from testbed.migration.agents.source_process import Migrating
from testbed.migration.cancel import Cancel


class Run:
    """The other end of stdin and stdout: the run that started this agent."""

    def __init__(self, cancel: Cancel) -> None:
        self.orders: SimpleQueue[str] = SimpleQueue()
        self._cancel = cancel
        self.throttle: Callable[[float], bool] = lambda _share: False
        """What a throttle by hand is given to, and whether that did it; whoever can throttle puts itself here."""
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True, name="orders").start()

    def say(self, event: str, **fields: Any) -> None:
        """One line to the run; nobody there any more is no fault of ours."""
        line = (json.dumps({"event": event, **fields}, default=asdict) + "\n").encode()
        with self._lock, suppress(BrokenPipeError):
            written = 0
            while written < len(line):
                written += os.write(1, line[written:])

    def _listen(self) -> None:
        for line in sys.stdin:
            order = json.loads(line)
            match order["do"]:
                case "cancel":
                    self._cancel.ask()
                case "throttle":
                    fault = None if self.throttle(order["level"]) else "the guest cannot be throttled now"
                    self.say("throttled", level=order["level"], fault=fault)
                case other:
                    self.orders.put(other)
        os._exit(1)  # the run is dead; sockets close with us, and the guest dies with the run


def main() -> int:
    """Exit code 0 when the migration ended as the protocol has it, 1 after a fault (which was said as an event)."""
    die_with_parent()
    sys.stdout = sys.stderr  # descriptor 1 is the run's; what a policy prints goes to the log
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; only the run decides
    sys.setswitchinterval(0.0005)  # stunned writers wait for a thread of ours; 5 ms would be a rate of its own
    config = json.loads(sys.argv[1])
    cancel = Cancel()
    run = Run(cancel)

    def throttled_by(throttle: Callable[[float], bool]) -> None:
        run.throttle = throttle

    agent = (
        Migrating(config, run.say, run.orders, cancel, throttled_by)
        if config["role"] == "source"
        else Destination(config, run.say)
    )
    try:
        agent.run()
    except PrerequisiteMissing as fault:
        run.say("finished", outcome="failed", reason=str(fault), missing=fault.what, remedy=fault.remedy)
        return 1
    except TestbedError as fault:
        run.say("finished", outcome="failed", reason=str(fault))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

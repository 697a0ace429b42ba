"""The agents as processes: ``agent_process CONFIG`` in a host's namespace, CONFIG being JSON.

    in   (stdin)    a ``core.agents.told.AgentOrder`` a line, as ``wire.lines`` writes it
    out  (stdout)   a ``core.agents.told.Told`` a line

The end of stdin means that the run has died: the agent ends at once, and so does its guest.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from testbed.core.agents.config import AgentConfig, SourceConfig
from testbed.core.agents.told import (
    AgentFailed,
    AgentOrder,
    CancelOrder,
    Held,
    LetGoOrder,
    Throttled,
    ThrottleOrder,
    Told,
)
from testbed.core.errors import PrerequisiteMissing, RemoteProtocolError, TestbedError
from testbed.linux.processes.process import die_with_parent
from testbed.migration.agents.destination_process import Destination
from testbed.migration.agents.source_process import Migrating
from testbed.migration.cancel import Cancel
from testbed.migration.holding import Holding
from testbed.wire.lines import EVENTS, read_config, read_order


class RunPipes:
    """Stdin and stdout: the pipes to the run that started this agent, of which one thread reads the orders."""

    def __init__(self, cancel: Cancel) -> None:
        self.orders: SimpleQueue[AgentOrder] = SimpleQueue()
        self._cancel, self._let_go = cancel, SimpleQueue[None]()
        self.throttle: Callable[[float], bool] = lambda _share: False
        """What a throttle by hand is given to, and whether that did it; whoever can throttle puts itself here."""
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True, name="orders").start()

    def say(self, what: Told) -> None:
        """One line to the run; nobody there any more is no fault of ours."""
        data = EVENTS.line(what)
        with self._lock, suppress(BrokenPipeError):
            written = 0
            while written < len(data):
                written += os.write(1, data[written:])

    def hold(self, held: Held) -> None:
        """Says where the agent stands, and waits until it is let go."""
        self.say(held)
        self._let_go.get()

    def _listen(self) -> None:
        # Not by ``sys.stdin``: who ends while another thread waits there is ended by Python, with a complaint.
        with open(0, "rb", buffering=0, closefd=False) as orders:
            try:
                for data in orders:
                    self._obey(read_order(data))
            except RemoteProtocolError as fault:  # its last one is cut when it dies while it writes
                sys.stderr.write(f"an order could not be read: {fault}\n")
        os._exit(1)  # the run is dead; sockets close with us, and the guest dies with the run

    def _obey(self, order: AgentOrder) -> None:
        match order:
            case CancelOrder():
                self._cancel.ask()
            case LetGoOrder():
                self._let_go.put(None)
            case ThrottleOrder(level=level):
                fault = None if self.throttle(level) else "the guest cannot be throttled now"
                self.say(Throttled(level=level, fault=fault))
            case _:
                self.orders.put(order)


def main() -> int:
    """Exit code 0 when the migration ended as the protocol has it, 1 after a fault (which was said as an event)."""
    die_with_parent()
    sys.stdout = sys.stderr  # descriptor 1 is the run's; what a policy prints goes to the log
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; only the run decides
    sys.setswitchinterval(0.0005)  # stunned writers wait for a thread of ours; 5 ms would be a rate of its own
    cancel = Cancel()
    run = RunPipes(cancel)
    try:
        _agent(read_config(sys.argv[1]), run, cancel).run()
    except PrerequisiteMissing as fault:
        run.say(AgentFailed(reason=str(fault), missing=fault.what, remedy=fault.remedy))
        return 1
    except TestbedError as fault:
        run.say(AgentFailed(reason=str(fault)))
        return 1
    return 0


def _agent(config: AgentConfig, run: RunPipes, cancel: Cancel) -> Migrating | Destination:
    holding = Holding(config.hold, run.hold)
    if not isinstance(config, SourceConfig):
        return Destination(config, run.say, holding)

    def throttled_by(throttle: Callable[[float], bool]) -> None:
        run.throttle = throttle

    return Migrating(config, run.say, run.orders, cancel, throttled_by, holding)


if __name__ == "__main__":
    sys.exit(main())

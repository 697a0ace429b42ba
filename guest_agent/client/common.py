"""What all clients share: what they are asked to be, and a loop that waits for sockets, times and the parent."""

import heapq
import os
import select
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Literal, Protocol, TypeVar

from guest_agent.client.conversation import EVENTS, ORDERS, ClientFinished, ClientReady, ClientStop
from guest_agent.ring import RingWriter
from guest_agent.services import Service, build
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.parameters import Spec
from testbed.core.registry import Registry
from testbed.core.text.json_lines import argument, read_argument

PATIENCE_S = 10.0
"""How long clients try to reach the guest at first."""
LAST_ANSWERS_S = 2.0
"""How long they wait for what is outstanding when they are told to stop."""
_STDIN = 0
S = TypeVar("S", bound=Service)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """``service``: name and parameters in base units, for kind ``service``. ``log_fd``: an inherited ring. ``port``:
    another than the service's own.
    """

    kind: Literal["probe", "service"]
    address: str
    log_fd: int = -1
    seed: int = 1
    service: Spec | None = None
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "ClientConfig":
        """From a JSON object. Raises ``ScenarioError``."""
        try:
            return read_argument(cls, text)
        except ValueError as error:
            raise ScenarioError(f"the client's configuration cannot be read: {error}") from error

    def to_json(self) -> str:
        """As ``parse`` reads it."""
        return argument(self)

    @property
    def name(self) -> str:
        """``probe``, or the service's."""
        return str(self.service["name"]) if self.service else "probe"

    def build(self) -> Service:
        """The service that it talks to. Raises ``ScenarioError``."""
        return build(self.service or {})

    def talks_to(self, kind: type[S]) -> tuple[S, int]:
        """The service, which is of this ``kind``, and the port where it listens. Raises ``ScenarioError``."""
        service = self.build()
        port = self.port or kind.port
        if not isinstance(service, kind) or port is None:
            raise ScenarioError(f"service '{self.name}' has other clients")
        return service, port

    def log(self) -> RingWriter:
        """Its rows: sent (ns, CLOCK_MONOTONIC), answered, number, detail."""
        return RingWriter(fd=self.log_fd)


class Client(Protocol):
    """The clients of one service."""

    def __init__(self, config: ClientConfig, loop: "Loop") -> None: ...

    @property
    def ready(self) -> bool:
        """Whether every connection is, or was, there."""
        ...

    def stop(self) -> None:
        """Ask nothing new; what is outstanding is still awaited."""
        ...

    @property
    def idle(self) -> bool:
        """Whether nothing is outstanding any more."""
        ...

    def counts(self) -> ClientFinished:
        """What it says at its end."""
        ...


class Loop:
    """Waits in one place for sockets, times and the parent."""

    def __init__(self, stdin: int = _STDIN) -> None:
        self._poll, self._calls = select.epoll(), dict[int, Callable[[int], None]]()
        self._times: list[tuple[float, int, Callable[[], None]]] = []
        self._ties, self._said, self._stdin = count(), b"", stdin
        self.stopping = self.orphaned = False
        self.watch(stdin, self._hear)

    def watch(self, fd: int, call: Callable[[int], None], events: int = select.EPOLLIN) -> None:
        """Calls with the events that happened."""
        self._calls[fd] = call
        self._poll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        """Other events of a watched one."""
        self._poll.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        """Before it is closed."""
        if self._calls.pop(fd, None):
            self._poll.unregister(fd)

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        """Calls once, so many seconds from now."""
        heapq.heappush(self._times, (time.monotonic() + seconds, next(self._ties), call))

    def turn(self, most: float = 0.1) -> None:
        """Waits at most that long (s) and handles all that is ready and due."""
        wait = min(most, self._times[0][0] - time.monotonic()) if self._times else most
        for fd, events in self._poll.poll(max(0.0, wait)):
            if fd in self._calls:
                self._calls[fd](events)
        now = time.monotonic()
        while self._times and self._times[0][0] <= now:
            heapq.heappop(self._times)[2]()

    def run(self, client: Client) -> bool:
        """A client's life; whether it ended as it was told to. Raises ``TestbedError`` where it cannot begin."""
        self._until(lambda: client.ready, PATIENCE_S)
        if not client.ready and not self.orphaned:
            raise TestbedError(f"no answer from the guest within {PATIENCE_S:g} s; is the service running?")
        say(ClientReady())
        while not (self.stopping or self.orphaned):
            self.turn()
        client.stop()
        self._until(lambda: client.idle, LAST_ANSWERS_S)
        if not self.orphaned:
            say(client.counts())
        return not self.orphaned

    def _until(self, over: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not (over() or self.orphaned) and (left := deadline - time.monotonic()) > 0:
            self.turn(left)

    def _hear(self, _: int) -> None:
        came = os.read(self._stdin, 4096)
        *lines, self._said = (self._said + came).split(b"\n")
        self.stopping = self.stopping or any(is_stop(line) for line in lines)
        if not came:
            self.orphaned = True


clients: Registry[Client] = Registry("client", "guest_agent.services")
register = clients.register


def is_stop(line: bytes) -> bool:
    """Whether the parent says stop. What is no message is none."""
    try:
        return isinstance(ORDERS.read(line + b"\n"), ClientStop)
    except ValueError:
        return False


def say(event: ClientReady | ClientFinished) -> None:
    """One line to the parent."""
    sys.stdout.buffer.write(EVENTS.line(event))
    sys.stdout.buffer.flush()

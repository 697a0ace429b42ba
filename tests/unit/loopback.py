"""Both agents in one process over real TCP on loopback, with a guest that is only memory and a list of what it did."""

import mmap
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic, monotonic_ns
from typing import Any

from testbed.core.connection import TcpConnection
from testbed.core.errors import MigrationAborted
from testbed.core.extents import Extents
from testbed.core.rounds import Action, Decision, Round
from testbed.core.units import PAGE_SIZE
from testbed.dirty import GuestPorts, Tracker
from testbed.migration.admission import Admission
from testbed.migration.cancel import Cancel
from testbed.migration.channel import Channel
from testbed.migration.destination import DestinationAgent
from testbed.migration.guest import Adopted, Arrival, Departure
from testbed.migration.holding import Holding
from testbed.migration.precopy import Completed, migrate
from testbed.migration.source import SourceAgent
from testbed.migration.streams.sending import SendStreams
from testbed.migration.streams.sockets import tune
from testbed.policies.policy import Policy
from testbed.wire.messages import Hello, StreamHello
from testbed.wire.states import Role

ID = bytes(range(16))


class MemoryGuest:
    """A guest that is memory: it "works" only when a test writes a page."""

    def __init__(self, pages: int, *, fill: bytes | None = None, fails_to_run: bool = False) -> None:
        self.pages, self.size = pages, pages * PAGE_SIZE
        self.fd = os.memfd_create("guest")
        os.ftruncate(self.fd, self.size)
        self.memory = mmap.mmap(self.fd, self.size)
        if fill is not None:
            self.memory[:] = (fill * (self.size // len(fill) + 1))[: self.size]
        self.dirty: set[int] = set()
        self.did: list[str] = []
        self.steps = 0
        self.adopted: list[TcpConnection] = []
        self.fails_to_run = fails_to_run

    def write(self, page: int, content: bytes) -> None:
        """One operation."""
        assert self.did[-1:] not in (["freeze"], ["stun"]), "a stunned guest does not write"
        self.memory[page * PAGE_SIZE : page * PAGE_SIZE + len(content)] = content
        self.dirty.add(page)
        self.steps += 1

    def ports(self) -> GuestPorts:
        return GuestPorts(pid=0, ram_address=0, ram_bytes=self.size, ram_fd=self.fd, new_userfaultfd=lambda: -1)

    def hold(self) -> None:
        """Only a guest with disks has anything to hold."""

    def stun(self) -> None:
        self.did.append("stun")

    def freeze(self) -> None:
        self.did.append("freeze")

    def resume(self) -> None:
        self.did.append("resume")

    def adopt(self, moved: Sequence[Adopted]) -> None:
        self.did.append("adopt")
        self.adopted += [connection for connection, _ in moved]

    def run(self) -> tuple[float, int]:
        if self.fails_to_run:
            raise MigrationAborted("it cannot run here")
        self.did.append("run")
        return monotonic(), self.operations() + 1

    def operations(self) -> int:
        return int.from_bytes(self.memory[:8], "little")


def a_connection(port: int, **more: Any) -> TcpConnection:
    """An idle one from the client's ``port``."""
    plain: dict[str, Any] = {
        "local_ip": "10.0.2.100", "local_port": 7, "remote_ip": "10.0.2.3", "remote_port": port,
        "send_sequence": 1, "receive_sequence": 2, "mss": 1448, "send_scale": 7, "receive_scale": 7,
        "selective": True, "timestamp": 5, "window": bytes(20),
    }  # fmt: skip
    return TcpConnection(**(plain | more))


class Leaving:
    """A ``Departure`` that has the connections a test gives it. What was done goes into the guest's own list."""

    def __init__(
        self, guest: MemoryGuest, connections: Sequence[TcpConnection] = (), reset_because: str | None = None
    ) -> None:
        self.guest, self.leaving, self.reset_because = guest, connections, reset_because
        self.refusals: Counter[str] = Counter()
        self.gone: bool | None = None

    def connections(self) -> int:
        return 0 if self.reset_because else len(self.leaving)

    def foresee(self) -> Counter[str]:
        return +Counter({"as foreseen": self.refusals["as foreseen"]})

    def hush(self) -> None:
        self.guest.did.append("hush")

    def leave(self) -> list[TcpConnection]:
        self.guest.did.append("leave")
        return [] if self.reset_because else list(self.leaving)

    def stay(self) -> None:
        if "hush" in self.guest.did:
            self.guest.did.append("stay")

    def close(self, *, gone: bool) -> None:
        self.gone = gone


class Coming:
    """An ``Arrival`` that refuses the connections of the ports a test names."""

    def __init__(self, guest: MemoryGuest, refuses: Sequence[int] = ()) -> None:
        self.guest, self.refuses = guest, refuses
        self._sockets: list[socket.socket] = []

    def restore(self, connections: Sequence[TcpConnection]) -> list[Adopted]:
        self.guest.did.append("restore")
        made = [each for each in connections if each.remote_port not in self.refuses]
        self._sockets = [socket.socket() for _ in made]
        return list(zip(made, self._sockets, strict=True))

    def appear(self) -> int:
        self.guest.did.append("appear")
        return monotonic_ns()

    def hand_over(self) -> None:
        self.guest.did.append("hand_over")
        self._close()

    def forget(self) -> None:
        self.guest.did.append("forget")
        self._close()

    def _close(self) -> None:
        for sock in self._sockets:
            sock.close()


class SetTracker(Tracker):
    """Tracks a ``MemoryGuest`` exactly."""

    name = "set"

    def __init__(self, ports: GuestPorts, guest: MemoryGuest) -> None:
        self._guest, self.pages_fd = guest, ports.ram_fd
        self.closed = False

    @staticmethod
    def lacks() -> str | None:
        return None

    def start(self) -> None:
        self._guest.dirty.clear()

    def collect(self) -> Extents:
        bitmap = Extents.none().bitmap(self._guest.pages)
        bitmap[list(self._guest.dirty)] = True
        self._guest.dirty.clear()
        return Extents.of_bitmap(bitmap)

    def close(self) -> None:
        self.closed = True


@dataclass
class Script:
    """A policy out of a test: after each round it calls the next step, and switches over when none is left."""

    steps: Sequence[Callable[[], None]] = ()
    seen: list[Round] = field(default_factory=list)

    def decide(self, history: Sequence[Round]) -> Decision:
        self.seen = list(history)
        if len(history) > len(self.steps):
            return Decision(action=Action.SWITCH_OVER, reason="the script is over")
        self.steps[len(history) - 1]()
        return Decision(action=Action.GO_ON, reason="the script goes on")


class Loopback:
    """A source and a destination on 127.0.0.1. ``run`` migrates; what either end raised is kept."""

    def __init__(self, source: MemoryGuest, destination: MemoryGuest, *, streams: int = 1, strict: bool = True) -> None:
        self.source_guest, self.destination_guest = source, destination
        self.streams, self.strict = streams, strict
        self.cancel = Cancel()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.stream_listener = socket.create_server(("127.0.0.1", 0))
        self.destination_fault: Exception | None = None
        self.progress: Callable[..., None] = lambda *_: None
        self.tracker_of: Callable[[GuestPorts, MemoryGuest], SetTracker] = SetTracker
        self.departure: Departure | None = None
        self.arrival: Arrival | None = None
        self.holdings: tuple[Holding | None, Holding | None] = (None, None)
        """Of the source's end of the channel, and of the destination's."""
        self.sockets: list[socket.socket] = []
        self.stream_sockets: list[socket.socket] = []

    def connect(self, listener: socket.socket) -> socket.socket:
        sock = socket.create_connection(listener.getsockname(), 5)
        tune(sock)
        self.sockets.append(sock)
        return sock

    def run(self, policy: Policy | None = None) -> Completed:
        """Raises what the source raised."""
        serving = threading.Thread(target=self._serve, daemon=True)
        serving.start()
        self.channel = Channel(self.connect(self.listener), Role.SOURCE, self.cancel, holding=self.holdings[0])
        self.tracker = self.tracker_of(self.source_guest.ports(), self.source_guest)
        self.source = SourceAgent(
            guest=self.source_guest,
            tracker=self.tracker,
            channel=self.channel,
            cancel=self.cancel,
            strict=self.strict,
            progress=self._told,
            departure=self.departure,
        )
        try:
            self.source.greet(ID, self.streams, self._open_streams)
            return migrate(self.source, policy or Script())
        finally:
            self.facts = self.source.stream_facts()
            self.connections = self.source.connection_facts()
            self.source.close()
            serving.join(10)
            assert not serving.is_alive()

    def _told(self, *progress: int) -> None:
        """A test may listen from the middle of a migration on."""
        self.progress(*progress)

    def agent_socket(self) -> socket.socket:
        """The destination's end of the channel."""
        return self.agent._channel.sock

    def _open_streams(self) -> SendStreams:
        self.stream_sockets = [self.connect(self.stream_listener) for _ in range(self.streams)]
        return SendStreams(self.stream_sockets, ID, self.cancel)

    def _serve(self) -> None:
        """As ``serving.Destination`` does it. Whatever it ends with, nothing holds the memory's mapping after it."""
        guest = self.destination_guest
        try:
            with (
                mmap.mmap(guest.fd, guest.size) as memory,
                memoryview(memory) as view,
                Admission(self.listener, Hello, ID) as admission,
                Admission(self.stream_listener, StreamHello, ID) as stream_admission,
            ):
                self.admissions = (admission, stream_admission)
                sock, said, _ = admission.admit(5)
                admission.close()
                channel = Channel(sock, Role.DESTINATION, received=said, holding=self.holdings[1])
                self.agent = DestinationAgent(
                    guest=guest, memory=view, channel=channel, admission=stream_admission, arrival=self.arrival
                )
                with sock, closing(self.agent):
                    self.agent.serve()
        except Exception as fault:  # noqa: BLE001 - it is the test that looks at it
            self.destination_fault = fault

"""A small real machine for services: a loop over real sockets, RAM, and a disk that is a real file.

Operations on the disk are carried out later in the loop, in an order of its own, as a real queue may. ``move`` is what
a migration does: it lets what is in flight end, begins nothing, copies the area, and hands the open connections on.
"""

import mmap
import os
import random
import select
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar

import numpy as np

from guest_agent import ring
from guest_agent.client.common import ClientConfig
from guest_agent.client.conversation import EVENTS, ClientFinished, ClientReady
from guest_agent.ring import RingReader, RingWriter, Rows
from guest_agent.services import Area, Disk, Done, Service, ServiceEvidence
from testbed.core.units import PAGE_SIZE
from testbed.linux.memory import memfd

_ROWS = 1 << 20
T = TypeVar("T", ClientReady, ClientFinished)


class FileDisk:
    """``fail``: an errno that the next operation ends with."""

    def __init__(self, path: str, size: int, area: Area, order: random.Random) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._fd, size)
        self._area, self._order, self.size, self.fail = area.data, order, size, 0
        self.queue: list[Callable[[], None]] = []

    def read(self, offset: int, area_offset: int, length: int, done: Done) -> None:
        self._check(offset, area_offset, length)
        part = self._area[area_offset : area_offset + length]
        self.queue.append(lambda: done(self._failed() or os.preadv(self._fd, [part], offset)))

    def write(self, offset: int, area_offset: int, length: int, done: Done, *, sync: bool = False) -> None:
        self._check(offset, area_offset, length)
        part = self._area[area_offset : area_offset + length]
        flags = os.RWF_DSYNC if sync else 0
        self.queue.append(lambda: done(self._failed() or os.pwritev(self._fd, [part], offset, flags)))

    def complete(self) -> None:
        """What is queued now."""
        queued, self.queue = self.queue, []
        self._order.shuffle(queued)
        for operation in queued:
            operation()

    def take(self, offset: int, length: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def put(self, offset: int, data: bytes) -> None:
        os.pwrite(self._fd, data, offset)

    def close(self) -> None:
        os.close(self._fd)

    def _failed(self) -> int:
        failed, self.fail = self.fail, 0
        return -failed

    def _check(self, offset: int, area_offset: int, length: int) -> None:
        assert length > 0 and offset % 512 == area_offset % 512 == length % 512 == 0
        assert 0 <= offset <= self.size - length and 0 <= area_offset <= len(self._area) - length


class SmallMachine:
    """A ``Machine``. Close it."""

    def __init__(
        self, service: Service, path: str, address: str = "127.0.0.1", area: bytes = b"", seed: int = 1
    ) -> None:
        self.service, self.path, self.address, self.seed = service, path, address, seed
        size = service.area_pages * PAGE_SIZE
        self.area: Area = np.frombuffer(mmap.mmap(-1, size), np.uint8)
        self.resumed = bool(area)
        if area:
            self.area[:] = np.frombuffer(area, np.uint8)
        self.files = FileDisk(path, max(service.disk_bytes, 1), self.area, random.Random(seed))
        self.disk: Disk = self.files
        self.log = RingWriter(capacity=_ROWS)
        self._reader = RingReader(self.log.fd, capacity=_ROWS)
        self._selector = selectors.DefaultSelector()
        self._times: list[tuple[float, Callable[[], None]]] = []
        self._sockets: set[socket.socket] = set()

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        self._sockets.add(sock)
        self._selector.register(sock, selectors.EVENT_READ, readable)

    def unwatch(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)

    def at(self, when: float, call: Callable[[], None]) -> None:
        self._times.append((when, call))

    def now(self) -> float:
        return time.monotonic()

    def start(self, sockets: list[socket.socket] | None = None) -> "SmallMachine":
        self.service.start(self, self.seed, sockets or [])
        return self

    def turn(self, most: float = 0.02) -> None:
        """One wake-up: sockets, then times, then the disk."""
        due = min((when - time.monotonic() for when, _ in self._times), default=most)
        wait = 0.0 if self.files.queue else max(0.0, min(most, due))
        for key, _ in self._selector.select(wait):
            if key.fd in self._selector.get_map():
                key.data()
        now = time.monotonic()
        ready = [call for when, call in self._times if when <= now]
        self._times = [(when, call) for when, call in self._times if when > now]
        for call in ready:
            call()
        self.files.complete()

    def run(self, until: Callable[[], bool], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, "the service did not get there"
            self.turn()

    def drain(self) -> None:
        """As before a stun: what is in flight ends, and its ends begin nothing."""
        self.files.complete()
        assert not self.files.queue, "the end of an operation began another"

    def move(self) -> "SmallMachine":
        """The machine's successor, at work; this one keeps its log and its disk."""
        self.drain()
        moved = []
        for sock in self._sockets:
            if sock.fileno() >= 0 and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                moved.append(socket.socket(fileno=os.dup(sock.fileno())))
        self._close_sockets()
        successor = SmallMachine(self.service, self.path, self.address, self.area.tobytes(), self.seed)
        return successor.start(moved)

    def rows(self) -> Rows:
        return self._reader.read()

    def close(self) -> None:
        self._close_sockets()
        self._selector.close()
        self.files.close()
        os.close(self.log.fd)

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()


def evidence(
    *machines: SmallMachine, client: Rows | None = None, said: ClientFinished | None = None, may_break: int | None = 0
) -> ServiceEvidence:
    """What those machines, in order, leave behind. Reads their logs: once only."""
    last = machines[-1]
    logs = [machine.rows() for machine in machines]
    area = last.area.copy()
    return ServiceEvidence(
        area=area, read=last.files.take, logs=logs, client=client, said=said, seed=last.seed, may_break=may_break
    )


class Clients:
    """A real ``python -m guest_agent.client`` beside this process, and what it says."""

    def __init__(
        self,
        port: int,
        service: dict[str, Any] | None,
        address: str = "127.0.0.1",
        seed: int = 1,
        start: Sequence[str] = ("-m", "guest_agent.client"),
    ) -> None:
        self.ring = memfd.create("client-log", ring.size())
        kind: Literal["probe", "service"] = "service" if service else "probe"
        config = ClientConfig(kind=kind, service=service, address=address, log_fd=self.ring, seed=seed, port=port)
        command = [sys.executable, *start, config.to_json()]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=(self.ring,))
        self._reader = RingReader(self.ring)
        self._said = b""

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.communicate()
        os.close(self.ring)

    def event(self) -> ClientReady | ClientFinished | None:
        """What it says next, if it has said it: never waits."""
        assert self.process.stdout
        if b"\n" not in self._said and select.select([self.process.stdout], [], [], 0)[0]:
            came = os.read(self.process.stdout.fileno(), 4096)
            assert came, f"the client ended: {self.process.communicate()[1].decode()}"
            self._said += came
        if b"\n" not in self._said:
            return None
        line, end, self._said = self._said.partition(b"\n")
        return EVENTS.read(line + end)

    def say(self, line: bytes = b'{"do":"stop"}\n') -> None:
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def rows(self) -> Rows:
        """Since the last call."""
        return self._reader.read()

    def hear(self, machine: SmallMachine, kind: type[T]) -> T:
        """Lets the machine run until the client has said that."""
        heard: list[ClientReady | ClientFinished] = []

        def said() -> bool:
            heard.extend(filter(None, [self.event()]))
            return bool(heard)

        machine.run(said)
        assert isinstance(heard[0], kind)
        return heard[0]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])

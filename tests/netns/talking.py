"""A guest's stand-in with a network of its own, that holds its connections and answers when told; and its client.

Both are this file as a process: ``python -m tests.netns.talking guest|client ADDRESS PORT``. Lines in, lines out.
"""

import hashlib
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from testbed.network.commands import run_in
from testbed.network.fabric import Fabric
from testbed.network.nic import INTERFACE, Identity, attach

PORT = 7000


class Talker:
    """A process that is asked and answers, one JSON line each."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process, self.pid = process, process.pid

    def ask(self, do: str, **more: Any) -> Any:
        """Sends a request; its answer."""
        assert self.process.stdin and self.process.stdout
        self.tell(do, **more)
        line = self.process.stdout.readline()
        assert line, f"it ended at '{do}'"
        return json.loads(line)

    def tell(self, do: str, **more: Any) -> None:
        """Sends a request whose answer is read later, by ``hear``."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """The answer to what was told."""
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())


@contextmanager
def talker(fabric: Fabric, host: str, role: str, address: str, *, own_network: bool = False) -> Iterator[Talker]:
    """Started, and ended with the context."""
    process = fabric.spawn(
        host,
        [sys.executable, "-m", "tests.netns.talking", role, address],
        own_network=own_network,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Talker(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


@contextmanager
def guest(fabric: Fabric, host: str, who: Identity, *, up: bool) -> Iterator[Talker]:
    """A stand-in on the VM network. Its interface is gone when this ends: a namespace without processes lives on for a
    while, and there is only one interface of that MAC at a host.
    """
    with talker(fabric, host, "guest", who.ip, own_network=True) as started:
        attach(fabric, host, started.pid, who, up)
        try:
            yield started
        finally:
            run_in(started.pid, ["ip", "link", "delete", INTERFACE])


class Guest:
    """Holds connections and does what it is told with them. Sockets are known by the client's port."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._listener: socket.socket | None = None
        self._connections: dict[int, socket.socket] = {}

    def listen(self) -> None:
        self._listener = socket.create_server((self._address, PORT), backlog=1024)

    def accept(self, count: int) -> None:
        assert self._listener
        for _ in range(count):
            connection, (_, port) = self._listener.accept()
            self._connections[port] = connection

    def ports(self) -> list[int]:
        """The clients' ports of what it has accepted."""
        return list(self._connections)

    def write(self, text: str) -> None:
        """To each."""
        for connection in self._connections.values():
            connection.sendall(text.encode())

    def fill(self, text: str) -> dict[str, int]:
        """Again and again, until the kernel has taken no more of it for a while: how much of it that was."""
        written = {}
        for port, connection in self._connections.items():
            connection.setblocking(False)
            written[str(port)] = 0
            while select.select([], [connection], [], 0.3)[1]:
                at = written[str(port)] % len(text)
                written[str(port)] += connection.send((text[at:] + text * 1000).encode())
        return written

    def read(self, size: int) -> dict[str, str]:
        return {str(port): _exactly(connection, size) for port, connection in self._connections.items()}


class Client:
    """Connects from one host, many times."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connections: list[socket.socket] = []

    def connect(self, count: int) -> list[int]:
        for _ in range(count):
            self._connections.append(socket.create_connection((self._address, PORT), 10))
        return [each.getsockname()[1] for each in self._connections]

    def write_to(self, ports: list[int], text: str) -> None:
        """Only to those that come from these ports."""
        for each in self._connections:
            if each.getsockname()[1] in ports:
                each.sendall(text.encode())

    def abort(self, last: int) -> None:
        """The last ones are reset."""
        for each in self._connections[-last:]:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            each.close()
        del self._connections[-last:]

    def write(self, text: str, times: int = 1) -> None:
        for each in self._connections:
            each.sendall(text.encode() * times)

    def read(self, size: int) -> dict[str, str]:
        """So many bytes of each, known by its own port."""
        return {str(each.getsockname()[1]): _exactly(each, size) for each in self._connections}

    def digest(self, sizes: dict[str, int]) -> dict[str, str]:
        """Of so many bytes of each, when they are too many to be told."""
        found = {}
        for each in self._connections:
            port = str(each.getsockname()[1])
            found[port] = hashlib.sha256(_exactly(each, sizes[port]).encode()).hexdigest()
        return found

    def finish(self) -> None:
        """No more from here; the other way stays open."""
        for each in self._connections:
            each.shutdown(socket.SHUT_WR)

    def await_errors(self, count: int) -> list[str]:
        """When so many have ended."""
        watch = select.poll()
        ended: list[str] = []
        names = {each.fileno(): each for each in self._connections}
        for each in self._connections:
            watch.register(each, select.POLLERR)
        while len(ended) < count and (ready := watch.poll(20_000)):
            for fd, _ in ready:
                watch.unregister(fd)
                ended.append(os.strerror(names[fd].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
        return ended

    def errors(self) -> list[str]:
        """What the kernel has to say of each."""
        codes = [each.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for each in self._connections]
        return [os.strerror(code) for code in codes if code]


def _exactly(connection: socket.socket, size: int) -> str:
    connection.settimeout(30)
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            return data.decode() + "|end"
        data += more
    return data.decode()


def main() -> None:
    role, address = sys.argv[1:3]
    talk: Guest | Client = Guest(address) if role == "guest" else Client(address)
    for line in sys.stdin:
        request = json.loads(line)
        verb = request.pop("do")
        sys.stdout.write(json.dumps(getattr(talk, verb)(**request)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""A guest's stand-in with a network of its own, that holds its connections and answers when told; and its client.

Both are this file as a process: ``talking.py guest|client ADDRESS PORT``. Lines in, lines out.
"""

import hashlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from testbed.core.network.names import GUEST_INTERFACE
from testbed.network.commands import run_in
from testbed.network.fabric import Fabric
from testbed.network.guest_interface import Identity, attach

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
        [sys.executable, __file__, role, address],
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
            if started.process.poll() is None:
                run_in(started.pid, ["ip", "link", "delete", GUEST_INTERFACE])


class Guest:
    """Holds connections and does what it is told with them. Sockets are known by the client's port."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._listener: socket.socket | None = None
        self._connections: dict[int, socket.socket] = {}

    def listen(self) -> None:
        self._listener = self._listener or socket.create_server((self._address, PORT), backlog=1024)

    def talk_to_itself(self) -> None:
        """A connection that both ends are of, on the loopback interface; and one that is never answered."""
        listener = socket.create_server(("127.0.0.1", 0))
        self._own = [socket.create_connection(listener.getsockname()), listener.accept()[0], listener]
        opening = socket.socket()
        opening.setblocking(False)
        opening.connect_ex((self._address.rpartition(".")[0] + ".250", PORT))
        self._own.append(opening)

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

    def fill(self, text: str, room: int = 0, last: int = 0) -> dict[str, int]:
        """Again and again, until the kernel has taken no more of it for a while: how much of it that was. ``room``:
        bytes of its buffer; 0: as it likes. ``last``: so many of the last connections only; 0: all.
        """
        written = {}
        for port, connection in list(self._connections.items())[-last:]:
            connection.setblocking(False)
            if room:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
            written[str(port)] = 0
            while select.select([], [connection], [], 0.3)[1]:
                at = written[str(port)] % len(text)
                written[str(port)] += connection.send((text[at:] + text * 1000).encode())
        return written

    def read(self, size: int) -> dict[str, str]:
        return {str(port): _exactly(connection, size) for port, connection in self._connections.items()}

    def finish(self) -> None:
        """No more from here; the other way stays open."""
        for each in self._connections.values():
            each.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """The kernel alone brings them to their ends."""
        for each in self._connections.values():
            each.close()
        self._connections.clear()

    def await_states(self, state: int) -> None:
        """Until each is in it."""
        for each in self._connections.values():
            _await(lambda each=each: each.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == state)  # type: ignore[misc]


class Client:
    """Connects from one host, many times."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connections: list[socket.socket] = []

    def connect(self, count: int, buffer: int = 0) -> list[int]:
        """``buffer``: bytes that the kernel takes before they are read; 0: as it likes."""
        for _ in range(count):
            sock = socket.socket()
            if buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            sock.settimeout(10)
            sock.connect((self._address, PORT))
            self._connections.append(sock)
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

    def read(self, size: int, but_last: int = 0) -> dict[str, str]:
        """So many bytes of each, known by its own port; ``but_last``: not of so many of the last ones."""
        these = self._connections[: len(self._connections) - but_last]
        return {str(each.getsockname()[1]): _exactly(each, size) for each in these}

    def digest(self, sizes: dict[str, int]) -> dict[str, str]:
        """Of so many bytes of each, when they are too many to be told."""
        found = {}
        for each in self._connections:
            port = str(each.getsockname()[1])
            if port not in sizes:
                continue
            found[port] = hashlib.sha256(_exactly(each, sizes[port]).encode()).hexdigest()
        return found

    def finish(self) -> None:
        """No more from here; the other way stays open."""
        for each in self._connections:
            each.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """All of them."""
        for each in self._connections:
            each.close()
        self._connections.clear()

    def read_all(self) -> dict[str, list[Any]]:
        """To the end: how many bytes, their SHA-256, and how it ended."""
        return {str(each.getsockname()[1]): _to_the_end(each) for each in self._connections}

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


def _to_the_end(connection: socket.socket) -> list[Any]:
    connection.settimeout(30)
    digest, size = hashlib.sha256(), 0
    try:
        while more := connection.recv(1 << 16):
            digest.update(more)
            size += len(more)
    except OSError as error:
        return [size, digest.hexdigest(), str(error)]
    return [size, digest.hexdigest(), "end"]


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


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

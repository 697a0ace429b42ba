"""A guest that talks at one host, one that waits at the other, and their client: what a switchover does to them."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from testbed.core.agents.told import Unaccepted
from testbed.core.connection import TcpConnection
from testbed.core.network.names import GUEST_INTERFACE
from testbed.linux.net.interface import Nic
from testbed.linux.processes import process
from testbed.migration.guest import Adopted
from testbed.migration.identity.announcer import Announcer
from testbed.migration.identity.connections import Arriving, Departing
from testbed.network.fabric import Fabric
from testbed.network.guest_interface import Identity, forwarding, identity_of
from testbed.packets.announcement import frames
from tests.netns.talking import Talker, guest, talker


@dataclass(slots=True)
class Stage:
    """A guest that talks at esx1, one that waits at esx2, and the client of both."""

    fabric: Fabric
    who: Identity
    source: Talker
    destination: Talker
    client: Talker
    client_beside: Talker
    departing: Departing
    arriving: Arriving
    told: list[Unaccepted]

    def connect(self, count: int, accept: int | None = None, buffer: int = 0) -> None:
        self.source.ask("listen")
        self.client.ask("connect", count=count, buffer=buffer)
        self.source.ask("accept", count=count if accept is None else accept)

    def leave(self) -> list[TcpConnection]:
        process.freeze(self.source.pid)
        return self.departing.leave()

    def arrive(self, connections: Sequence[TcpConnection]) -> dict[int, socket.socket]:
        """Restored, and the link up: the sockets as the guest would have them, by the client's port."""
        made = self.restore(connections)
        self.arriving.appear()
        self.arriving.hand_over()
        return made

    def restore(self, connections: Sequence[TcpConnection]) -> dict[int, socket.socket]:
        adopted: list[Adopted] = self.arriving.restore(connections)
        made = {connection.remote_port: sock.dup() for connection, sock in adopted if not connection.closed}
        for sock in made.values():
            sock.settimeout(30)
        return made

    def refused(self) -> dict[str, int]:
        """At the source, by reason."""
        return dict(self.departing.refusals)

    def forwarding(self) -> str | None:
        return forwarding(self.fabric, self.who.mac)


@contextmanager
def staged(fabric: Fabric) -> Iterator[Stage]:
    """With nothing said yet."""
    who = identity_of(fabric)
    assert who is not None
    with ExitStack() as stack:
        source = stack.enter_context(guest(fabric, "esx1", who, up=True))
        destination = stack.enter_context(guest(fabric, "esx2", who, up=False))
        client, beside = (stack.enter_context(talker(fabric, "client", "client", who.ip)) for _ in range(2))
        here = Announcer(source.pid, GUEST_INTERFACE, frames(who))  # the test before left it at the other host
        here.announce()
        here.close()
        told: list[Unaccepted] = []
        departing = Departing(
            source.pid,
            Nic(source.pid, GUEST_INTERFACE, who.ip, who.prefix),
            who.ip,
            announcer=Announcer(source.pid, GUEST_INTERFACE, frames(who)),
            told=lambda all_of_them: told.__setitem__(slice(None), all_of_them),
        )
        stack.callback(departing.close, gone=True)
        there = Nic(destination.pid, GUEST_INTERFACE, who.ip, who.prefix)
        stack.callback(there.close)
        announcer = Announcer(destination.pid, GUEST_INTERFACE, frames(who))
        stack.callback(announcer.close)
        arriving = Arriving(destination.pid, there, announcer)
        yield Stage(fabric, who, source, destination, client, beside, departing, arriving, told)
        process.resume(source.pid)


def exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := sock.recv(size - len(data))):
        data += more
    return data


def close(sockets: dict[int, socket.socket]) -> None:
    for sock in sockets.values():
        sock.close()

"""What a process in namespaces of its own has taken along from outside: who it is there, and sockets of that network.

A socket stays for ever in the network namespace in which it was made, and an open file of /proc/net as well. So those
that are wanted later are made before anything is entered.
"""

import errno
import os
import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from testbed.linux.processes.caller import caller, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """``pid``: the process that whoever is outside sees, and ends this one by. ``servers``: of TCP, to be bound, by
    their families; ``beacon``: a Unix socket, to be bound; ``sockets``: a descriptor that lists the Unix sockets there
    are.
    """

    pid: int
    uid: int
    user: str
    servers: dict[int, socket.socket]
    beacon: socket.socket
    sockets: int

    @classmethod
    def here(cls) -> "Outside":
        """What this process has where it stands. Raises ``OSError``."""
        known = caller()
        uid = known.uid if known else os.geteuid()
        return cls(
            pid=os.getpid(),
            uid=uid,
            user=name_of(uid),
            servers=_servers(),
            beacon=socket.socket(socket.AF_UNIX),
            sockets=os.open("/proc/self/net/unix", os.O_RDONLY | os.O_CLOEXEC),
        )

    def close(self) -> None:
        """Lets go of it, in a process that has no use for it."""
        for each in self.servers.values():
            each.close()
        self.beacon.close()
        os.close(self.sockets)


_left: list[Outside] = []
"""A process is in one place only; empty where it has entered none."""


def outside() -> Outside | None:
    """What was taken along into the namespaces that this process has entered; None: it has not."""
    return _left[0] if _left else None


def leave(taken: Outside) -> None:
    """From now on that is what is outside of this process."""
    _left[:] = [taken]


def listening(host: str, port: int) -> socket.socket:
    """A TCP server's socket that the user of this machine can reach, wherever this process is. Raises ``OSError``."""
    taken, family = outside(), socket.AF_INET6 if ":" in host else socket.AF_INET
    server = taken.servers.get(family) if taken else socket.socket(family)
    if server is None:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    with ExitStack() as failed:
        failed.callback(server.close)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((host, port))
        server.listen()
        failed.pop_all()
    return server


def _servers() -> dict[int, socket.socket]:
    """A machine may have no IPv6."""
    made: dict[int, socket.socket] = {socket.AF_INET: socket.socket()}
    with suppress(OSError):
        made[socket.AF_INET6] = socket.socket(socket.AF_INET6)
    return made

"""The guest as the agents see it: memory, a process to stun, a way to let it run, and its place on the network."""

import socket
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from testbed.core.connection import TcpConnection
from testbed.dirty import GuestPorts

Adopted = tuple[TcpConnection, socket.socket]
"""A connection, and the socket that it goes on in."""


class HostedGuest(Protocol):
    """A guest process on this host. What it computes is none of the agents' business."""

    def ports(self) -> GuestPorts:
        """Its memory and process, once."""
        ...

    def hold(self) -> None:
        """Its gate is shut: it begins nothing new, and what it has begun goes on. ``resume`` undoes it."""
        ...

    def stun(self) -> None:
        """``hold`` and ``freeze``, and nothing of it is under way outside its memory either: no operation on a disk."""
        ...

    def freeze(self) -> None:
        """Stops its process, wherever it is: returns when no thread of it can run."""
        ...

    def resume(self) -> None:
        """Undoes ``freeze`` and ``stun``; harmless when it runs."""
        ...

    def adopt(self, moved: Sequence[Adopted]) -> None:
        """Gives it connections that moved here, before ``run``. The sockets stay the caller's too."""
        ...

    def run(self) -> tuple[float, int]:
        """Continue from the state in RAM: when the first operation was done (CLOCK_MONOTONIC, s), and which it was."""
        ...

    def operations(self) -> int:
        """How many operations its state in RAM says are done."""
        ...


class Departure(Protocol):
    """The network identity of a guest that may leave this host. Verbs raise ``MigrationAborted``."""

    refusals: Counter[str]
    """Connections that could not be taken along, by reason; after ``stay`` those that were broken by that."""

    @property
    def reset_because(self) -> str | None:
        """Why its connections do not move; None: they do."""
        ...

    def foresee(self) -> Counter[str]:
        """How many of its connections could not be taken along as they are now, by reason. The guest runs."""
        ...

    def connections(self) -> int:
        """How many would move now, about; 0 when they do not."""
        ...

    def hush(self) -> None:
        """Nothing answers pings for it any more: it has just been stunned, and nobody is there."""
        ...

    def leave(self) -> list[TcpConnection]:
        """Silence it, then read its connections. The guest is stunned."""
        ...

    def stay(self) -> None:
        """Undoes ``hush`` and ``leave``; harmless when there was neither."""
        ...

    def close(self, *, gone: bool) -> None:
        """Lets go of everything. ``gone``: the guest runs elsewhere, and this host is never to speak for it again."""
        ...


class Arrival(Protocol):
    """The network identity of a guest that may come to this host. Verbs raise ``MigrationAborted``."""

    def restore(self, connections: Sequence[TcpConnection]) -> list[Adopted]:
        """Makes the connections here, unheard: those that can be made."""
        ...

    def appear(self) -> int:
        """The guest runs here: link up, and the network is told. When that was done (CLOCK_MONOTONIC, ns). Raises
        nothing: it is too late to refuse the guest, and what fails is said with the announcements.
        """
        ...

    def hand_over(self) -> None:
        """Its connections are the guest's own now, and what it closes is closed."""
        ...

    def forget(self) -> None:
        """Drops the connections of a guest that will not come, without a word: it was never heard."""
        ...

"""The guest's applications. Each is a frozen dataclass of its parameters that knows what it needs, starts itself on a
machine, and can be held against what its log, its clients and the datastore say.

    area in RAM ── tables, buffers            all that must survive is here between two callbacks
    sockets     ── on the guest's own IP      what is half read or half sent stays in the kernel's queues, which move
    disk        ── asynchronous, direct       nothing is in flight when the guest is stunned: the vCPU drains first

To add one: a folder here, called as the service is, and nothing elsewhere. ``echo`` is the example to copy.

    service.py     the dataclass, registered by its name: what it needs, what it does
    client.py      who talks to it from the client host, registered by the same name; none where ``clients`` is False
    evidence.py    how it is held against what it left, and whatever else belongs to it alone

``operation_numbers`` is what several of them hold their logs against.

The model predicts what it dirties by a line of its own (testbed/model/services.py); without one, a page.

A callback runs whole or not at all, as an instruction does: the guest is never stunned within one (gate.py). So
whatever a callback leaves in its area, its sockets and the disk is all that the service is; its Python objects stay
behind. And only a callback writes to its area, never the kernel for it (``recv``, not ``recv_into``): see disk.py.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from guest_agent.client.conversation import ClientFinished
from guest_agent.ring import RingWriter, Rows
from testbed.core.records.verdict import Verdict
from testbed.core.registry import Registry

Area = npt.NDArray[np.uint8]
MOST_CONNECTIONS = 10_000
"""Of a service's clients: they share one address, which has some 28,000 ports (ip_local_port_range)."""
Done = Callable[[int], None]
"""Called with what the kernel said of an operation on the disk: bytes moved, or a negative errno."""


def check_counts(service: object, most: Mapping[str, int]) -> None:
    """Raises ``ValueError`` where one of these fields does not lie between 1 and its most."""
    for name, limit in most.items():
        if not 1 <= getattr(service, name) <= limit:
            raise ValueError(f"{name} must lie between 1 and {limit:,}, not {getattr(service, name)}")


class Disk(Protocol):
    """This service's part of the shared datastore; offsets count from its beginning. Sizes are whole 512 bytes."""

    def read(self, offset: int, area_offset: int, length: int, done: Done) -> None:
        """From the datastore into this service's area, where it is, and its pages are dirty, when ``done`` runs."""
        ...

    def write(self, offset: int, area_offset: int, length: int, done: Done, *, sync: bool = False) -> None:
        """From this service's area to the datastore. ``sync``: durable (O_DSYNC) when ``done`` runs."""
        ...


class Machine(Protocol):
    """What a service stands on. Callbacks run one at a time; none while the guest is to be stunned."""

    area: Area
    """This service's pages of RAM, zeros at first."""
    disk: Disk
    """Its part of the datastore, zeros at first."""
    log: RingWriter
    """Its log: start and end (ns, CLOCK_MONOTONIC), number, detail."""
    address: str
    """The guest's own IP."""
    resumed: bool
    """Whether the area holds a service that ran elsewhere before."""

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        """Call ``readable`` whenever there is something to read (level-triggered)."""
        ...

    def unwatch(self, sock: socket.socket) -> None:
        """Do not call for this socket any more."""
        ...

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Call once at ``when`` (s, the guest's own time, see ``now``)."""
        ...

    def now(self) -> float:
        """Seconds of the guest's own time: CLOCK_MONOTONIC less the time that it was stopped for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvidence:
    """What a finished run leaves of one service. ``area``: a copy from the RAM where the guest ended; ``read(offset,
    length)`` reads its part of the datastore; ``logs``: the service's own rows at the source and at the destination;
    ``client``: the rows of its clients, and ``said`` what they said at their end, if they did. ``may_break``: how many
    of their connections could not be carried over; None: any number.
    """

    area: Area
    read: Callable[[int, int], bytes]
    logs: Sequence[Rows]
    client: Rows | None
    said: ClientFinished | None
    seed: int
    may_break: int | None = 0


def broken_findings(evidence: ServiceEvidence) -> list[str]:
    """Connections that broke, though they should have gone on at the destination, in words."""
    broken = evidence.said.broken if evidence.said else 0
    if evidence.may_break is None or broken <= evidence.may_break:
        return []
    return [f"{broken} connections broke" + (f", {evidence.may_break} at most had to" if evidence.may_break else "")]


class Service(Protocol):
    """An application's parameters, and what it does with a machine."""

    port: ClassVar[int | None]
    """Where it listens (TCP)."""

    @property
    def area_pages(self) -> int:
        """Pages of RAM that it takes."""
        ...

    @property
    def disk_bytes(self) -> int:
        """Bytes of the shared datastore that it takes, in whole pages; 0: none."""
        ...

    @property
    def operation_bytes(self) -> int | None:
        """What one operation moves; None where that says nothing."""
        ...

    @property
    def clients(self) -> bool:
        """Whether somebody on the client host is to talk to it."""
        ...

    def start(self, machine: Machine, seed: int, sockets: Sequence[socket.socket]) -> None:
        """Begin, or go on with what ``machine.area`` holds. ``sockets``: connections to ``port`` that moved here,
        non-blocking. Raises ``TestbedError``.
        """
        ...

    def verify(self, evidence: ServiceEvidence) -> Verdict:
        """Whether nothing was lost, doubled or changed. Never raises for what the evidence holds."""
        ...


registry: Registry[Service] = Registry("service", __name__)
register, build = registry.register, registry.build

"""What the guest's services stand on: an area of RAM, a part of the datastore, a log, the loop and the gate.

    page 0  │ area 1 │ area 2 │ working set ...          in RAM
            │ part 1 │ part 2 │                          on the datastore

Services begin when the guest runs. At a destination everything that can be made before is made before, and the sockets
that moved wait here (``adopt``) for the service of their port.
"""

import socket
from collections.abc import Callable, Sequence

from guest_agent.config import STATE_PAGES, GuestConfig
from guest_agent.disk import Controller, ServiceDisk
from guest_agent.gate import Gate
from guest_agent.loop import GuestLoop
from guest_agent.memory.program import Memory
from guest_agent.ring import RingWriter
from guest_agent.services import Area, Disk, Service
from guest_agent.udp_echo import ProbeResponder
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.units import PAGE_SIZE


class NoDisk:
    """The ``Disk`` of a service that asked for none: it can neither read nor write."""

    def read(self, *_: object, **__: object) -> None:
        """Raises ``TestbedError``, whatever is asked."""
        raise TestbedError("this service has no part of the datastore: its disk_bytes is 0")

    write = read


class ServiceMachine:
    """Implements ``guest_agent.services.Machine`` for one service."""

    def __init__(self, loop: GuestLoop, area: Area, disk: Disk, address: str) -> None:
        self.area, self.disk, self.address = area, disk, address
        self.log, self.resumed = RingWriter(), False
        self._loop = loop

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        """See ``Machine``."""
        self._loop.watch(sock.fileno(), readable)

    def unwatch(self, sock: socket.socket) -> None:
        """See ``Machine``."""
        self._loop.unwatch(sock.fileno())

    def at(self, when: float, call: Callable[[], None]) -> None:
        """See ``Machine``."""
        self._loop.at(when, call)

    def now(self) -> float:
        """See ``Machine``."""
        return self._loop.now()


class Machines:
    """All services of one guest."""

    def __init__(self, config: GuestConfig, memory: Memory, loop: GuestLoop, gate: Gate) -> None:
        """The services do not run yet. Raises ``ScenarioError``, ``PrerequisiteMissing``."""
        self._config, self._loop = config, loop
        self.services = config.built_services()
        self._moved: dict[int, list[socket.socket]] = {}
        self._started = False
        disks = _disks(config, memory, loop, gate, self.services)
        areas = areas_of(config, memory)
        self.machines = [
            ServiceMachine(loop, area, disk, config.address) for area, disk in zip(areas, disks, strict=True)
        ]
        self._probe = ProbeResponder(loop, config.address) if config.address else None

    @property
    def names(self) -> list[str]:
        """The names of the services, in order."""
        return [str(spec["name"]) for spec in self._config.services]

    def adopt(self, ports: Sequence[int], fds: list[int]) -> None:
        """Connections that moved here: the guest's own port of each, and their descriptors, which are taken out of
        ``fds``. Raises ``TestbedError``.
        """
        if self._started:
            raise TestbedError("connections are adopted before the guest runs")
        if len(ports) != len(fds):
            raise TestbedError(f"of {len(ports)} connections {len(fds)} descriptors came; each has one")
        for port in ports:
            moved = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=fds[0])
            del fds[0]
            moved.setblocking(False)
            self._moved.setdefault(port, []).append(moved)

    def answer_probes(self) -> None:
        """The guest runs: from now on it says so to whoever asks."""
        if self._probe:
            self._probe.begin()

    def start(self, seed: int, *, resumed: bool) -> None:
        """Every service begins, or goes on with what its area holds. Raises ``TestbedError``."""
        self._started = True
        for service, machine in zip(self.services, self.machines, strict=True):
            machine.resumed = resumed
            port = getattr(service, "port", None)
            service.start(machine, seed, self._moved.pop(port, []) if port is not None else [])
        for left in self._moved.values():
            for sock in left:
                sock.close()
        self._moved.clear()


def areas_of(config: GuestConfig, memory: Memory) -> list[Area]:
    """The services' areas in a RAM (pages of u64, at least the reserved ones), in order."""
    found, page = list[Area](), STATE_PAGES
    flat = memory.reshape(-1).view("u1")
    for service in config.built_services():
        found.append(flat[page * PAGE_SIZE : (page + service.area_pages) * PAGE_SIZE])
        page += service.area_pages
    return found


def _disks(config: GuestConfig, memory: Memory, loop: GuestLoop, gate: Gate, services: Sequence[Service]) -> list[Disk]:
    if not any(service.disk_bytes for service in services):
        return [NoDisk() for _ in services]
    if config.disk_fd < 0:
        raise ScenarioError("a service needs the datastore, and the guest was given none: disk_fd")
    controller = Controller(config.disk_fd, loop, gate)
    disks, start = list[Disk](), 0
    for service, area in zip(services, areas_of(config, memory), strict=True):
        disks.append(ServiceDisk(controller, area, start, service.disk_bytes) if service.disk_bytes else NoDisk())
        start += service.disk_bytes
    return disks

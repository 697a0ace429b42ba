"""The guest's applications in one migration: its network identity, its datastore, and the clients that talk to it.

    client ── probe, clients ──(VM network)── eth0 of the guest's own namespace ── services ── datastore, shared

What came of it is put into words by ``findings.services``.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import IO

from guest_agent.client.common import ClientConfig
from guest_agent.client.conversation import ClientFinished
from guest_agent.config import GuestConfig, Role
from guest_agent.ring import Rows
from guest_agent.services import Service, build
from testbed.core.agents.config import GuestNic
from testbed.core.network.names import GUEST_INTERFACE
from testbed.core.plan import Plan
from testbed.network.fabric import Fabric
from testbed.network.guest_interface import Identity, attach, forwarding, identity_of
from testbed.packets.announcement import frames
from testbed.rig.clients import PROBE, ClientProcess
from testbed.rig.context import RunContext
from testbed.rig.datastore import Datastore
from testbed.rig.guests import GuestProcess, guest_config
from testbed.rig.logs import CLIENT, LogFollower


def build_services(plan: Plan) -> list[Service]:
    """The services of a plan, in the order of their areas. Their parameters were checked with the scenario."""
    return [build(spec) for spec in plan.guest.services]


class Applications:
    """Everything here lasts as long as the stack."""

    def __init__(self, plan: Plan, context: RunContext, fabric: Fabric, stack: ExitStack, log: IO[bytes]) -> None:
        self.plan, self.services = plan, build_services(plan)
        self._context, self._fabric, self._stack, self._log = context, fabric, stack, log
        self.identity: Identity | None = identity_of(fabric)
        self.datastore: Datastore | None = None
        size = sum(service.disk_bytes for service in self.services)
        if size:
            self.datastore = stack.enter_context(Datastore(context.folder.path, size, context.folder.otherwise))
        self.clients: list[ClientProcess] = []
        self.guest_logs: dict[str, list[LogFollower]] = {spec["name"]: [] for spec in plan.guest.services}
        self.forwarding: dict[str, str | None] = {}
        self.said: dict[str, ClientFinished] = {}
        """What clients counted, by their names; those that died or hang said nothing."""
        self.probe_share: float | None = None

    def guest_config(self, role: Role) -> GuestConfig:
        """What the guest in that role is asked to be. Without a network it has no applications."""
        if self.identity is None:
            return guest_config(self.plan, role)
        disk_fd = self.datastore.fd if self.datastore else -1
        return guest_config(self.plan, role, address=self.identity.ip, disk_fd=disk_fd)

    @property
    def nic(self) -> GuestNic | None:
        """What agents are told of the guest's network interface."""
        if self.identity is None:
            return None
        return GuestNic(interface=GUEST_INTERFACE, ip=self.identity.ip, prefix=self.identity.prefix)

    @property
    def announcement(self) -> tuple[bytes, ...]:
        """The frames that the destination sends when the guest is there; none where it is not to be announced."""
        return tuple(frames(self.identity)) if self.identity and self.plan.migration.announce else ()

    def attach(self, host: str, guest: GuestProcess, *, up: bool) -> None:
        """Puts the guest on the VM network; ``up`` at one host only."""
        if self.identity is not None:
            attach(self._fabric, host, guest.pid, self.identity, up)

    def follow(self, host: str, logs: Mapping[str, int]) -> list[LogFollower]:
        """The logs of the guest's services at a host, for the sampler; ``logs`` are their descriptors, by name."""
        followers = []
        for name, fd in logs.items():
            follower = LogFollower(fd, "service", name=name, host=host)
            self.guest_logs[name].append(follower)
            followers.append(follower)
        return followers

    def start_clients(self) -> list[LogFollower]:
        """The probe and the services' clients, once the guest runs; their logs, for the sampler. Raises
        ``TestbedError`` for one that does not reach the guest.
        """
        if self.identity is None or CLIENT not in self._fabric.hosts:
            return []
        address, seed = self.identity.ip, self.plan.seed
        if self.plan.guest.probe:
            self._client(ClientConfig(kind="probe", address=address, seed=seed))
        for spec, service in zip(self.plan.guest.services, self.services, strict=True):
            if service.clients:
                self._client(ClientConfig(kind="service", service=spec, address=address, seed=seed))
        for client in self.clients:
            client.wait_ready()
        return [client.follower for client in self.clients]

    def look_up(self, when: str) -> None:
        """Where the switch sends what is for the guest: ``before`` or ``after``."""
        if self.identity is not None:
            self.forwarding[when] = forwarding(self._fabric, self.identity.mac)

    def stop_clients(self) -> None:
        """The clients finish what is outstanding while the guest still runs, and what they say at their end is kept."""
        for client in self.clients:
            if client.name == PROBE:
                self.probe_share = client.cpu_share()
            if said := client.stop():
                self.said[client.name] = said

    def worked(self) -> list[bool]:
        """Which services did anything at the destination, by their own logs; a group that the datastore refused, and a
        request that it was too full for, are in none, and are faults themselves.
        """
        return [len(followers[-1].rows()) > 0 for followers in self.guest_logs.values()]

    def client_rows(self, name: str) -> Rows | None:
        """All rows of a client's log; None where there was no such client."""
        return next((client.follower.rows() for client in self.clients if client.name == name), None)

    def _client(self, config: ClientConfig) -> None:
        client = self._stack.enter_context(ClientProcess(self._fabric, config, self._log))
        self._context.started(client.pid)
        self.clients.append(client)

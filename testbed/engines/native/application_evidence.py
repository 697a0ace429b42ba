"""What a guest's applications leave when both guests are at rest: read of memory, datastore and logs, as values.

What it means is said in ``findings``.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Protocol

from guest_agent.client.conversation import ClientFinished
from guest_agent.config import GuestConfig
from guest_agent.memory.verify import areas
from guest_agent.ring import Rows
from guest_agent.services import Area, Service, ServiceEvidence
from testbed.core.plan import Plan
from testbed.findings.ended import Ended
from testbed.findings.identity import NetworkEvidence, breakable
from testbed.findings.services import ServiceFacts
from testbed.network.guest_interface import Identity
from testbed.rig.clients import PROBE
from testbed.rig.logs import LogFollower


class Storage(Protocol):
    """A datastore that can be read."""

    def read(self, offset: int, length: int) -> bytes:
        """What is stored there now."""
        ...


class AtRest(Protocol):
    """A guest's applications whose clients have ended: see ``rig.applications.Applications``."""

    @property
    def plan(self) -> Plan:
        """What was asked for."""
        ...

    @property
    def identity(self) -> Identity | None:
        """None of a guest without a network."""
        ...

    @property
    def services(self) -> Sequence[Service]:
        """In the order of their areas and of their parts of the datastore."""
        ...

    @property
    def datastore(self) -> Storage | None:
        """None where no service asked for one."""
        ...

    @property
    def guest_logs(self) -> Mapping[str, Sequence[LogFollower]]:
        """By service: at the source, then at the destination."""
        ...

    @property
    def forwarding(self) -> Mapping[str, str | None]:
        """The host to which the switch sent what is for the guest, ``before`` and ``after``."""
        ...

    @property
    def said(self) -> Mapping[str, ClientFinished]:
        """What clients counted, by name; those that died said nothing."""
        ...

    @property
    def probe_share(self) -> float | None:
        """Share of one core that the probe took; None where there was none, or it died."""
        ...

    def client_rows(self, name: str) -> Rows | None:
        """A client's log; None where there was no such client."""
        ...


def network_evidence(applications: AtRest) -> NetworkEvidence | None:
    """What the VM network and the clients on it had of the guest; None of one without a network."""
    identity, said = applications.identity, applications.said
    if identity is None:
        return None
    return NetworkEvidence(
        mac=identity.mac,
        ip=identity.ip,
        forwarding_before=applications.forwarding.get("before"),
        forwarding_after=applications.forwarding.get("after"),
        reconnects=sum(each.reconnects for each in said.values()),
        probe=applications.client_rows(PROBE),
        probe_finished=PROBE in said,
        probe_share=applications.probe_share,
    )


def service_facts(applications: AtRest, ended: Ended, ram_fd: int, config: GuestConfig) -> tuple[ServiceFacts, ...]:
    """What each service left, in the order of their areas in the guest's RAM, which is the memfd ``ram_fd``. A guest
    without a network has no applications.
    """
    if applications.identity is None:
        return ()
    services, names = applications.services, [str(spec["name"]) for spec in applications.plan.guest.services]
    parts = _parts(applications.datastore, services)
    found = zip(names, services, areas(ram_fd, config), parts, strict=True)
    return tuple(_facts(applications, name, service, area, part, ended) for name, service, area, part in found)


class _Part:
    """One service's part of the datastore, from its byte ``start`` on; nothing is read where there is no datastore."""

    def __init__(self, datastore: Storage | None, start: int) -> None:
        self._datastore, self._start = datastore, start

    def read(self, offset: int, length: int) -> bytes:
        """What is stored there now."""
        return self._datastore.read(self._start + offset, length) if self._datastore else b""


def _parts(datastore: Storage | None, services: Sequence[Service]) -> list[_Part]:
    """Each begins where the one before it ends."""
    starts = accumulate((service.disk_bytes for service in services), initial=0)
    return [_Part(datastore, start) for start, _ in zip(starts, services, strict=False)]


def _facts(applications: AtRest, name: str, service: Service, area: Area, part: _Part, ended: Ended) -> ServiceFacts:
    followers = applications.guest_logs[name]
    logs, client = tuple(follower.rows() for follower in followers), applications.client_rows(name)
    said = applications.said.get(name)
    evidence = ServiceEvidence(
        area=area,
        read=part.read,
        logs=logs,
        client=client,
        said=said,
        seed=applications.plan.seed,
        may_break=breakable(ended),
    )
    return ServiceFacts(
        name=name,
        clients=service.clients,
        operation_bytes=service.operation_bytes,
        logs=logs,
        lost_rows=sum(follower.lost for follower in followers),
        client=client,
        said=said,
        verdict=service.verify(evidence),
    )

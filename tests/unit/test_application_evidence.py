"""What applications leave is gathered whole: each service's own area, part of the datastore, logs and clients."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from guest_agent import ring
from guest_agent.client.conversation import ClientFinished
from guest_agent.config import GuestConfig
from guest_agent.ring import RingWriter, Rows
from guest_agent.services import Service, ServiceEvidence, build
from testbed.core.agents.told import ConnectionFacts
from testbed.core.plan import GuestPlan, Plan
from testbed.core.records.verdict import Verdict
from testbed.core.units import PAGE_SIZE
from testbed.engines.native.application_evidence import network_evidence, service_facts
from testbed.linux.memory import memfd
from testbed.network.guest_interface import Identity
from testbed.rig.clients import PROBE
from testbed.rig.logs import LogFollower
from tests.unit.evidence import SAID, a_plan, log_of, the_end, the_facts

SPECS: tuple[dict[str, Any], ...] = (
    {"name": "iometer", "size": 1 << 20},
    {"name": "oltp", "accounts": 100, "sessions": 1},
    {"name": "echo"},
)
GUEST = GuestPlan(ram_bytes=16 << 20, workload={"name": "idle"}, services=SPECS)
CONFIG = GuestConfig(ram_bytes=GUEST.ram_bytes, services=list(SPECS))
IDENTITY = Identity(mac="02:00:0a:00:02:64", ip="10.0.2.100", prefix=24)


class Remembering:
    """A service of the plan, whose oracle keeps what it was shown."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.shown: list[ServiceEvidence] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def verify(self, evidence: ServiceEvidence) -> Verdict:
        self.shown.append(evidence)
        return Verdict(ok=True, method="it was shown", operations=len(self.shown))


@dataclass(frozen=True)
class Shelf:
    """A datastore that says where it was read."""

    def read(self, offset: int, length: int) -> bytes:
        return f"{offset}+{length}".encode()


@dataclass(kw_only=True)
class Ended:
    """Applications at rest, as values."""

    plan: Plan = field(default_factory=lambda: replace(a_plan(seed=7), guest=GUEST))
    identity: Identity | None = IDENTITY
    services: Sequence[Any] = field(default_factory=lambda: [Remembering(build(spec)) for spec in SPECS])
    datastore: Shelf | None = field(default_factory=Shelf)
    guest_logs: Mapping[str, Sequence[LogFollower]] = field(default_factory=dict)
    forwarding: Mapping[str, str | None] = field(default_factory=lambda: {"before": "esx1", "after": "esx2"})
    said: Mapping[str, ClientFinished] = field(
        default_factory=lambda: {PROBE: SAID, "echo": replace(SAID, reconnects=2)}
    )
    probe_share: float | None = 0.25
    rows: Mapping[str, Rows] = field(
        default_factory=lambda: {PROBE: log_of([(1, 2)]), "echo": log_of([(3, 4), (5, 6)])}
    )

    def client_rows(self, name: str) -> Rows | None:
        return self.rows.get(name)


@pytest.fixture
def ram(stack: ExitStack) -> int:
    """Each page holds its own number."""
    fd = memfd.create("ram", CONFIG.ram_bytes)
    stack.callback(os.close, fd)
    for page in range(CONFIG.reserved_pages):
        os.pwrite(fd, bytes([page % 251]) * PAGE_SIZE, page * PAGE_SIZE)
    return fd


def follower(stack: ExitStack, rows: int) -> LogFollower:
    """A log into which so many operations were written."""
    fd = memfd.create("log", ring.size())
    stack.callback(os.close, fd)
    writer = RingWriter(fd=fd)
    for number in range(rows):
        writer.append(number, number + 1, number, 0)
    return LogFollower(fd, "service")


def logged(stack: ExitStack, **changes: Any) -> Ended:
    logs = {spec["name"]: [follower(stack, at), follower(stack, at + 1)] for at, spec in enumerate(SPECS)}
    return Ended(**{"guest_logs": logs} | changes)


def test_what_the_network_had_of_the_guest_is_gathered() -> None:
    network = network_evidence(Ended())
    assert network is not None
    assert (network.mac, network.ip, network.probe_share) == (IDENTITY.mac, IDENTITY.ip, 0.25)
    assert (network.forwarding_before, network.forwarding_after) == ("esx1", "esx2")
    assert (network.reconnects, network.probe_finished) == (2, True)
    assert network.probe is not None and len(network.probe) == 1


def test_what_nobody_looked_up_or_said_is_not_known() -> None:
    network = network_evidence(Ended(forwarding={}, said={}, rows={}, probe_share=None))
    assert network is not None
    assert (network.forwarding_before, network.forwarding_after, network.probe) == (None, None, None)
    assert (network.reconnects, network.probe_finished) == (0, False)


def test_a_guest_without_a_network_leaves_nothing(ram: int) -> None:
    without = Ended(identity=None)
    assert network_evidence(without) is None and service_facts(without, the_end(), ram, CONFIG) == ()
    assert not any(service.shown for service in without.services)


def test_each_service_is_verified_by_its_own_logs_and_clients(stack: ExitStack, ram: int) -> None:
    applications = logged(stack)
    facts = service_facts(applications, the_end(), ram, CONFIG)
    assert [each.name for each in facts] == ["iometer", "oltp", "echo"]
    assert [[len(rows) for rows in each.logs] for each in facts] == [[0, 1], [1, 2], [2, 3]]
    assert [each.lost_rows for each in facts] == [0, 0, 0]
    assert [each.clients for each in facts] == [False, True, True]
    assert [None if each.client is None else len(each.client) for each in facts] == [None, None, 2]
    assert [each.said for each in facts] == [None, None, applications.said["echo"]]
    assert [each.verdict.method for each in facts] == ["it was shown"] * 3
    for each, service in zip(facts, applications.services, strict=True):
        (evidence,) = service.shown
        assert (evidence.seed, evidence.said) == (7, each.said)
        assert evidence.client is each.client and list(evidence.logs) == list(each.logs)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 1, 0)])
def test_each_reads_its_own_area_and_part_in_whatever_order(stack: ExitStack, ram: int, order: tuple[int, ...]) -> None:
    applications = logged(stack)
    service_facts(applications, the_end(), ram, CONFIG)
    shown = [service.shown[0] for service in applications.services]
    sizes = [service.disk_bytes for service in applications.services]
    pages = [service.area_pages for service in applications.services]
    for index in order:
        assert shown[index].read(512, 8) == f"{sum(sizes[:index]) + 512}+8".encode()
        first = 1 + sum(pages[:index])
        assert shown[index].area.size == pages[index] * PAGE_SIZE
        assert np.array_equal(shown[index].area.reshape(-1)[::PAGE_SIZE], np.arange(first, first + pages[index]) % 251)


def test_without_a_datastore_nothing_is_read(stack: ExitStack, ram: int) -> None:
    applications = logged(stack, datastore=None)
    service_facts(applications, the_end(), ram, CONFIG)
    assert [service.shown[0].read(0, 512) for service in applications.services] == [b""] * 3


@pytest.mark.parametrize(("refused", "most"), [(0, 0), (3, 3)])
def test_oracles_are_told_how_many_connections_may_have_broken(
    stack: ExitStack, ram: int, refused: int, most: int
) -> None:
    applications = logged(stack)
    connections = ConnectionFacts(mechanism="tcp_repair", refused=refused)
    service_facts(applications, the_end(facts=the_facts(connections=connections)), ram, CONFIG)
    assert {service.shown[0].may_break for service in applications.services} == {most}

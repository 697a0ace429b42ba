"""From a checked scenario in real-world size to one plain plan at emulated size: the only place where scaling happens.

    rates / size      RAM / (size x time)      times / time      MTU, loss, shares, streams: as they are

``warmup``, ``cooldown`` and ``timeout`` are the laboratory's clock, not the experiment's, and are not scaled.
"""

from typing import Literal, cast

from testbed.core.errors import ScenarioError
from testbed.core.own.file import digests_of
from testbed.core.parameters import Spec
from testbed.core.plan import (
    Connections,
    CrossTrafficPlan,
    Expect,
    GuestPlan,
    LinkPlan,
    MigrationPlan,
    NetworkPlan,
    Plan,
    ScalePlan,
)
from testbed.core.settings import Settings
from testbed.core.text.yaml_text import KeyPath
from testbed.core.units import PAGE_SIZE, Dimension, in_bits_per_second, in_bytes, scaled
from testbed.model.link import available, link_goodput
from testbed.scenario.document import Document, own_files
from testbed.scenario.models import Link, Root
from testbed.scenario.parameters import at_scale
from testbed.scenario.services import check_areas, scaled_services

LEAST_RAM = 16 * PAGE_SIZE
"""Below that a guest has no room for its own state and a working set."""


def plan(root: Root, name: str, settings: Settings, document: Document) -> Plan:
    """The plan of one combination. Raises ``ScenarioError`` for what only shows between keys or after scaling."""
    check_working_set(root, document)
    network = NetworkPlan(
        topology=root.network.topology,
        vmotion=_link(root, root.network.vmotion),
        vm=_link(root, root.network.vm),
        cross_traffic=_cross_traffic(root),
    )
    made = Plan(
        name=name,
        settings=settings,
        seed=root.seed,
        scale=ScalePlan(size=root.scale.size, time=root.scale.time),
        network=network,
        guest=_guest(root, document),
        migration=_migration(root),
        warmup_s=root.warmup,
        cooldown_s=root.cooldown,
        expect=cast(Expect, root.expect),
        faults=root.faults,
        chance=root.chance,
        own_code={file: sha256 for _, name in own_files(document.tree) for file, sha256 in digests_of(name).items()},
    )
    check_cross_traffic(made, document)
    return made


def check_working_set(root: Root, document: Document) -> None:
    """Refuse a working set that is larger than the RAM it lies in, in nested workloads too."""
    for path, size in _working_sets(root.vm.workload, ("vm", "workload")):
        if size > root.vm.ram:
            message = f"a working set of {in_bytes(size)} does not fit into {in_bytes(root.vm.ram)} of RAM (vm.ram)"
            raise ScenarioError(message, document.place(path))


def check_cross_traffic(made: Plan, document: Document) -> None:
    """Refuse cross traffic that leaves nothing of a shaped link."""
    link, cross = made.network.vmotion, made.network.cross_traffic
    shaped = link.rate is not None or link.goodput is not None
    if cross and shaped and available(made, link_goodput(link)) <= 0:
        rate = in_bits_per_second(cross.rate * made.scale.size)
        message = f"cross traffic of {rate} leaves nothing of the vMotion link; give less, or more to the link"
        raise ScenarioError(message, document.place(("network", "cross_traffic", "rate")))


def _working_sets(workload: Spec, path: KeyPath) -> list[tuple[KeyPath, float]]:
    found: list[tuple[KeyPath, float]] = []
    for key, value in workload.items():
        if key == "working_set" and value is not None:
            found.append(((*path, key), value))
        elif isinstance(value, list):
            for index, nested in enumerate(value):
                found += _working_sets(nested, (*path, key, index)) if isinstance(nested, dict) else []
    return found


def _link(root: Root, link: Link) -> LinkPlan:
    size, time = root.scale.size, root.scale.time
    return LinkPlan(
        rate=None if link.rate is None else scaled(link.rate, Dimension.BIT_RATE, size, time),
        goodput=None if link.goodput is None else scaled(link.goodput, Dimension.BIT_RATE, size, time),
        mtu=link.mtu,
        delay_s=scaled(link.delay, Dimension.TIME, size, time),
        loss=link.loss,
        congestion=link.congestion,
    )


def _cross_traffic(root: Root) -> CrossTrafficPlan | None:
    cross = root.network.cross_traffic
    if cross is None:
        return None
    rate = scaled(cross.rate, Dimension.BIT_RATE, root.scale.size, root.scale.time)
    protocol = cast(Literal["udp", "tcp"], cross.protocol)
    return CrossTrafficPlan(rate=rate, protocol=protocol, connections=cross.connections)


def _guest(root: Root, document: Document) -> GuestPlan:
    from guest_agent.workloads import registry

    size, time = root.scale.size, root.scale.time
    ram = round(scaled(root.vm.ram, Dimension.SIZE, size, time) / PAGE_SIZE) * PAGE_SIZE
    if ram < LEAST_RAM:
        least = in_bytes(LEAST_RAM * size * time)
        raise ScenarioError(f"'vm.ram' is too small at this scale; at least {least}", document.place(("vm", "ram")))
    made = GuestPlan(
        ram_bytes=ram,
        workload=at_scale(registry, root.vm.workload, size, time),
        change_bytes=root.vm.change_bytes,
        zero_share=root.vm.zero_share,
        services=scaled_services(root, document),
        probe=root.vm.probe,
    )
    check_areas(made, root.scale, document)
    return made


def _migration(root: Root) -> MigrationPlan:
    from testbed.policies import registry

    cap = root.migration.stream_cap
    return MigrationPlan(
        policy=at_scale(registry, root.migration.policy, root.scale.size, root.scale.time),
        streams=root.migration.streams,
        tracker=root.migration.tracker,
        strict=root.migration.strict,
        connections=cast(Connections, root.migration.connections),
        timeout_s=root.migration.timeout,
        announce=root.migration.announce,
        stream_cap=None if cap is None else scaled(cap, Dimension.BIT_RATE, root.scale.size, root.scale.time),
    )

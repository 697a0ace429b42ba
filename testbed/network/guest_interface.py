"""The guest on the VM network: a MAC and an IP of its own, at every host that it may live on, up at one of them.

    host ── vm ── macvlan (mode bridge) ──> moved into the guest's namespace as eth0: guest MAC, guest IP

No neighbour is written down for it: ARP is real, as is what the switch learns. IPv6 is off. The default route over
``lo`` lets connections be put back while the interface is down; through the interface, its own subnet wins.
"""

import ipaddress
import os
import time
from dataclasses import dataclass

from testbed.core.errors import TestbedError
from testbed.core.network.names import ESX1, GUEST_INTERFACE, VM
from testbed.linux.net.netns import inode
from testbed.linux.processes.waiting import Patience
from testbed.network.addressing import silence
from testbed.network.commands import run_in
from testbed.network.fabric import Fabric
from testbed.network.switches import learned

_GUEST = 100
"""The guest is number 100 of the subnet; hosts are numbered from 1."""
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the guest is on the VM network. ``prefix`` in bits."""

    mac: str
    ip: str
    prefix: int


def identity_of(fabric: Fabric) -> Identity | None:
    """The guest's, from the VM network's subnet; None where the topology has none at esx1."""
    vm = fabric.host(ESX1).vm
    if vm is None:
        return None
    subnet = ipaddress.ip_network(f"{vm.ip}/{vm.prefix}", strict=False)
    address = subnet.network_address + _GUEST
    if address not in subnet or address == subnet.broadcast_address:
        raise TestbedError(f"the VM network {subnet} has no address {_GUEST} for the guest: use /24")
    return Identity(
        mac=f"02:00:{':'.join(f'{byte:02x}' for byte in address.packed)}", ip=str(address), prefix=vm.prefix
    )


def attach(fabric: Fabric, host: str, guest_pid: int, who: Identity, up: bool) -> None:
    """Gives the guest process, which was spawned with ``own_network``, its interface at this host. ``up`` at one only.

    Raises ``TestbedError`` when the process has no network of its own, ``CommandFailed``.
    """
    pid = fabric.host(host).pid
    _await_own_network(guest_pid, pid)
    silence(guest_pid)
    run_in(pid, ["ip", "link", "add", "link", VM, "name", GUEST_INTERFACE, "address", who.mac, "netns", str(guest_pid),
                 "type", "macvlan", "mode", "bridge"])  # fmt: skip
    lines = [
        "link set lo up",
        f"address add {who.ip}/{who.prefix} dev {GUEST_INTERFACE}",
        "route add default dev lo",
        *([f"link set {GUEST_INTERFACE} up"] if up else []),
    ]
    run_in(guest_pid, ["ip", "-batch", "-"], text="\n".join(lines))


def forwarding(fabric: Fabric, mac: str) -> str | None:
    """The host behind the switch's port on which this MAC was seen last; None when the switch does not know it."""
    port = learned(fabric.bridge, mac)
    return fabric.behind(port) if port else None


def _await_own_network(guest_pid: int, host_pid: int) -> None:
    """The process passes through this process's namespace and the host's before it has one of its own."""
    others = {inode(host_pid), inode(os.getpid())}
    patience = Patience(_TIMEOUT_S)
    try:
        while inode(guest_pid) in others:
            if patience.over():
                raise TestbedError(f"process {guest_pid} has no network of its own: spawn it with own_network")
            time.sleep(0.001)
    except FileNotFoundError as error:
        raise TestbedError(f"the guest process {guest_pid} ended before it had a network") from error

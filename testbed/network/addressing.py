"""Who has which address, and silence on the links: what the kernel would say by itself is said before, or never.

Link counters are held against what a migration sent, so nothing else may be on its link: no IPv6 (router
solicitations, multicast reports), no ARP between the hosts (their neighbours are written down for good). And what
belongs to one network stays on it: a guest that adds a route does not reach the hosts' vMotion network by it.
"""

import json
from contextlib import suppress
from dataclasses import dataclass

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.network.names import NETWORKS
from testbed.core.text.from_json import built
from testbed.linux.net.netns import write_sysctls
from testbed.network.commands import run_in
from testbed.network.hosts import Host, Interface

_QUIET = {f"net/ipv6/conf/{which}/disable_ipv6": "1" for which in ("all", "default")}
_APART = {
    "net/ipv4/ip_forward": "0",
    "net/ipv4/conf/all/rp_filter": "1",
    "net/ipv4/conf/all/arp_ignore": "1",
    "net/ipv4/conf/all/accept_source_route": "0",
    "net/ipv4/conf/all/accept_redirects": "0",
}
"""No host is a router (a machine with containers makes its new namespaces routers), each interface takes what comes
from its own network alone and answers for its own address alone (Documentation/networking/ip-sysctl.rst)."""


def silence(pid: int) -> None:
    """No IPv6 in the namespace of ``pid``, and nothing from one network to another. A kernel without IPv6 is silent
    already.
    """
    try:
        write_sysctls(pid, _APART)
        with suppress(FileNotFoundError):
            write_sysctls(pid, _QUIET)
    except OSError as error:
        raise PrerequisiteMissing(f"cannot enter a host's network namespace ({error})", "run it with sudo") from error


def read_host(name: str, pid: int) -> Host:
    """The host as the kernel has it: asked, because setting an address and having it are two things."""
    shown = json.loads(run_in(pid, ["ip", "-json", "address", "show"]))
    found = {entry["ifname"]: _interface(built(_Shown, entry)) for entry in shown if entry["ifname"] in NETWORKS}
    vmotion, vm = (found.get(network) for network in NETWORKS)
    return Host(name=name, pid=pid, vmotion=vmotion, vm=vm)


def introduce(hosts: list[Host]) -> None:
    """Every host learns every other's hardware address on each network that they share."""
    for host in hosts:
        lines = [
            f"neighbour replace {peer.ip} lladdr {peer.mac} dev {network} nud permanent"
            for network in NETWORKS
            for other in hosts
            if other is not host and host.interface(network) and (peer := other.interface(network))
        ]
        run_in(host.pid, ["ip", "-batch", "-"], text="\n".join(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    family: str
    local: str
    prefixlen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """An interface as ``ip -json address show`` has it; ``address`` is its hardware's."""

    ifname: str
    address: str
    addr_info: list[_Address]


def _interface(shown: _Shown) -> Interface:
    first = next((each for each in shown.addr_info if each.family == "inet"), None)
    if first is None:
        raise TestbedError(f"interface '{shown.ifname}' has no address: the topology's file does not give it one")
    return Interface(name=shown.ifname, ip=first.local, prefix=first.prefixlen, mac=shown.address)

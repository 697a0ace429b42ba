"""Two hosts and a client: a direct vMotion link between the hosts, a VM network with a learning switch for all three.

        esx1 ──────── vmotion, 10.0.1.0/24 ──────── esx2
          │ .1                                   .2 │
          └───────── vm, 10.0.2.0/24, s1 ───────────┘
                              │ .3
                            client

Also usable without the testbed:  sudo mn --custom topologies/two_hosts.py --topo two-hosts

The rules by which the testbed reads this file, and any other beside it: ``topos`` names the topology; an interface
is called ``vmotion`` or ``vm`` after its network. To add a topology, copy the file and change ``build``.
"""

import shutil
import subprocess

from mininet.node import OVSBridge
from mininet.nodelib import LinuxBridge
from mininet.topo import Topo


class TwoHosts(Topo):
    """esx1, esx2 and client. The VM network comes first, so that Mininet's own ``pingall`` reaches everybody."""

    def build(self, switch: str = "auto") -> None:
        """``switch``: ``bridge`` (in a namespace of its own), ``ovs`` (Open vSwitch), ``auto`` (ovs where it works)."""
        kind = _best_switch() if switch == "auto" else switch
        self.lay({"bridge": LinuxBridge, "ovs": OVSBridge}[kind], own_namespace=kind == "bridge")

    def lay(self, switch: type, *, own_namespace: bool) -> None:
        """Hosts and links around a switch of this class."""
        self.addSwitch("s1", cls=switch, inNamespace=own_namespace)
        for number, name in enumerate(("esx1", "esx2", "client"), start=1):
            self.addHost(name, ip=f"10.0.2.{number}/24")
            self.addLink(name, "s1", intfName1="vm", addr1=f"02:00:0a:00:02:{number:02x}")
        self.addLink(
            "esx1",
            "esx2",
            **{f"intfName{n}": "vmotion" for n in (1, 2)},
            **{f"addr{n}": f"02:00:0a:00:01:{n:02x}" for n in (1, 2)},
            **{f"params{n}": {"ip": f"10.0.1.{n}/24"} for n in (1, 2)},
        )


def _best_switch() -> str:
    """Open vSwitch where its daemon answers, else the kernel's own bridge, which needs nothing."""
    if not shutil.which("ovs-vsctl"):
        return "bridge"
    answer = subprocess.run(["ovs-vsctl", "--timeout=1", "show"], capture_output=True, check=False)
    return "bridge" if answer.returncode else "ovs"


topos = {"two-hosts": TwoHosts}

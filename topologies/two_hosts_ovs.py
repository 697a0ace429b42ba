"""Two hosts and a client as in two_hosts.py, with Open vSwitch as the VM network's learning switch.

        esx1 ──────── vmotion, 10.0.1.0/24 ──────── esx2
          └───────── vm, 10.0.2.0/24, s1 ───────────┘        s1: an Open vSwitch of its own, in its own namespace
                              │
                            client

Its database and its daemon are this switch's alone, in a /run that nobody else sees, and end with the shell that has
started them, in whatever way that ends. So the machine's own Open vSwitch, where it has one, knows nothing of it, and
none of its bridges can be left behind. The kernel's part is the module `openvswitch`.
"""

from mininet.node import Switch

from topologies.two_hosts import TwoHosts

_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
# What each daemon is started by: it gets the signal that cannot be refused when the switch's shell is gone.
_UNTIL_THE_SHELL_ENDS = "setpriv --pdeathsig KILL"


class OwnOpenVSwitch(Switch):
    """Open vSwitch for one run. Standing alone, it learns as a switch does, and asks no controller."""

    def start(self, controllers: list[object]) -> None:
        """Raises ``RuntimeError`` with what a command said, where the machine has no Open vSwitch."""
        self._do("command -v ovsdb-server ovs-vswitchd ovs-vsctl >/dev/null || { echo no Open vSwitch here; false; }")
        self._do("mount -t tmpfs tmpfs /run && mkdir /run/openvswitch")
        self._do(f"ovsdb-tool create /run/openvswitch/conf.db {_SCHEMA}")
        self._daemon("ovsdb-server --remote=punix:/run/openvswitch/db.sock /run/openvswitch/conf.db")
        self._do("ovs-vsctl --timeout=10 --retry --no-wait init")
        self._daemon("ovs-vswitchd --unixctl=/run/openvswitch/switch.ctl unix:/run/openvswitch/db.sock")
        ports = " ".join(f"-- add-port {self.name} {name}" for name in self.intfNames() if name != "lo")
        self._do(f"ovs-vsctl --timeout=20 add-br {self.name} -- set bridge {self.name} fail_mode=standalone {ports}")

    def stop(self, deleteIntfs: bool = True) -> None:  # noqa: N803 - Mininet's name
        """Its daemons end with its shell; until then they are told to."""
        self.cmd("ovs-appctl --target=/run/openvswitch/switch.ctl --timeout=5 exit --cleanup; kill $(jobs -p)")
        super().stop(deleteIntfs)

    def _daemon(self, command: str) -> None:
        self.cmd(f"{_UNTIL_THE_SHELL_ENDS} {command} >/run/openvswitch/log 2>&1 </dev/null &")

    def _do(self, command: str) -> None:
        said, _, code = self.cmd(f"{command} 2>&1; echo :$?").strip().rpartition(":")
        if code.strip() != "0":
            raise RuntimeError(f"Open vSwitch: {(said.strip().splitlines() or [command])[-1]}")


class TwoHostsOvs(TwoHosts):
    """As ``TwoHosts``, with a switch of another kind."""

    def build(self, switch: str = "own") -> None:
        """``switch`` is always the one of this file."""
        self.lay(OwnOpenVSwitch, own_namespace=True)


topos = {"two-hosts-ovs": TwoHostsOvs}

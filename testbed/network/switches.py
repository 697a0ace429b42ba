"""The VM network's switch, asked: whether its ports forward, and behind which of them it has seen a hardware address.

A Linux bridge is asked through its namespace. An Open vSwitch of a run's own (``topologies.two_hosts_ovs``) is asked
through its sockets, which are in the /run of the switch's shell.
"""

import json
import time

from testbed.core.errors import TestbedError
from testbed.linux.net.ethtool import has_carrier
from testbed.linux.processes.waiting import Patience
from testbed.network.commands import run, run_in
from testbed.network.hosts import Bridge

_OPEN_VSWITCH = "OwnOpenVSwitch"


def await_switch(bridge: Bridge, timeout_s: float = 10.0) -> None:
    """Returns when every port of the switch forwards; frames are lost till then."""
    patience = Patience(timeout_s)
    while waiting := [port for port in bridge.ports if not has_carrier(bridge.pid, port)] or _not_forwarding(bridge):
        if patience.over():
            names = ", ".join(sorted(waiting))
            raise TestbedError(f"the switch's ports {names} do not forward after {timeout_s:g} s: is STP switched on?")
        time.sleep(0.005)


def learned(bridge: Bridge, mac: str) -> str | None:
    """The port on which this address was seen last; None when the switch does not know it."""
    if bridge.kind == _OPEN_VSWITCH:
        return _learned_by_open_vswitch(bridge, mac)
    table = json.loads(run_in(bridge.pid, ["bridge", "-json", "fdb", "show"]) or "[]")
    ports = [entry["ifname"] for entry in table if entry["mac"] == mac and entry.get("master") == bridge.name]
    return ports[0] if ports else None


def _not_forwarding(bridge: Bridge) -> list[str]:
    if bridge.kind == _OPEN_VSWITCH:
        return sorted(set(bridge.ports) - set(_numbered(bridge).values()))
    links = json.loads(run_in(bridge.pid, ["bridge", "-json", "link", "show"]) or "[]")
    return sorted(set(bridge.ports) - {link["ifname"] for link in links if link.get("state") == "forwarding"})


def _numbered(bridge: Bridge) -> dict[int, str]:
    """The switch's ports by its own numbers, those alone that it has taken (a number that is none is -1)."""
    ask = ["--format=json", "--columns=name,ofport", "list", "Interface"]
    rows = json.loads(run(["ovs-vsctl", f"--db=unix:{_in_run(bridge)}/db.sock", "--timeout=5", *ask]))["data"]
    return {number: name for name, number in rows if isinstance(number, int) and number > 0}


def _learned_by_open_vswitch(bridge: Bridge, mac: str) -> str | None:
    """Of lines as ``    2     0  02:00:0a:00:02:64    1``: port, VLAN, address, age."""
    shown = run(["ovs-appctl", f"--target={_in_run(bridge)}/switch.ctl", "--timeout=5", "fdb/show", bridge.name])
    for fields in (line.split() for line in shown.splitlines()[1:]):
        if len(fields) >= 3 and fields[2] == mac and fields[0].isdigit():
            return _numbered(bridge).get(int(fields[0]))
    return None


def _in_run(bridge: Bridge) -> str:
    """The switch's own /run, as this process reaches it."""
    return f"/proc/{bridge.pid}/root/run/openvswitch"

"""Open vSwitch as the VM network's switch: it learns where the guest is, connections move, and nothing of it stays."""

import shutil
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.network.fabric import Fabric
from testbed.network.switches import learned
from tests.netns.launching import launch, testbed

pytestmark = [pytest.mark.stock_kernel, pytest.mark.needs_kernel("openvswitch"), pytest.mark.timeout(600)]
TOPOLOGY, CONNECTIONS = "two-hosts-ovs", 10
FEW = (
    *("--set", f"network.topology={TOPOLOGY}"),
    *("--set", "network.vmotion.goodput=100Mbit"),
    *("--set", "vm.ram=32MB"),
    *("--set", "vm.workload.working_set=4MB"),
    *("--set", "vm.workload.write_rate=1MB/s"),
    *("--set", f"vm.services.0.connections={CONNECTIONS}"),
    *("--set", "migration.policy.downtime_goal=500ms"),
)


@pytest.fixture(autouse=True)
def there() -> None:
    assert shutil.which("ovs-vswitchd"), "apt-get install openvswitch-switch"


def daemons() -> set[int]:
    """Those that run: where a worker of pytest is process 1 (tests/alone), nobody reaps what others left to it."""
    seen = psutil.process_iter(["name", "status"])
    ours = [each for each in seen if each.info["name"] in ("ovs-vswitchd", "ovsdb-server")]
    return {each.pid for each in ours if each.info["status"] != psutil.STATUS_ZOMBIE}


def test_it_learns_and_ends_with_the_fabric() -> None:
    before = daemons()
    with Fabric(NetworkPlan(topology=TOPOLOGY, vmotion=LinkPlan()), "test-ovs") as fabric:
        assert fabric.bridge.kind == "OwnOpenVSwitch"
        assert len(daemons() - before) == 2
        assert fabric.spawn("client", ["ping", "-c1", "-W5", "10.0.2.1"], stdout=subprocess.DEVNULL).wait() == 0
        for host in ("client", "esx1"):
            vm = fabric.host(host).vm
            port = learned(fabric.bridge, vm.mac) if vm else None
            assert port and fabric.behind(port) == host
        assert learned(fabric.bridge, "02:00:00:00:00:99") is None
    until_gone(before)


def until_gone(before: set[int]) -> None:
    until = time.monotonic() + 20
    while daemons() - before and time.monotonic() < until:
        time.sleep(0.05)
    assert daemons() - before == set()
    bridges = subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout
    assert "s1" not in {line.split("@")[0].split()[0] for line in bridges.splitlines()}


def test_connections_move_through_it(tmp_path: Path) -> None:
    before = daemons()
    with launch(tmp_path / "run", "keep-talking", *FEW) as run:
        (migration,) = run.valid(timeout_s=100)
    assert migration["memory"]["match"] and migration["connections"]["moved"] == CONNECTIONS
    assert migration["connections"]["reconnects"] == 0 and migration["identity"]["forwarding_after"] == "esx2"
    until_gone(before)


def test_nothing_of_it_is_left_of_a_run_that_was_killed(tmp_path: Path) -> None:
    before = daemons()
    with launch(tmp_path / "run", "keep-talking", *FEW) as run:
        run.wait_for("warmup", timeout_s=300)
        assert daemons() - before
        run.process.kill()
        run.end()
    assert testbed("clean", timeout_s=300).returncode == 0
    until_gone(before)

"""Real hosts and links: built as planned, at the rate that was asked for, and gone afterwards whatever happens."""

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net.counters import Counters
from testbed.linux.net.netns import inode
from testbed.linux.processes.virtual import virtual
from testbed.network import fabric as fabric_module
from testbed.network.fabric import RUN_VARIABLE, Fabric, topologies_by_name
from tests.processes import living

PLAN = NetworkPlan(vmotion=LinkPlan())


@pytest.fixture(scope="module")
def fabric() -> Iterator[Fabric]:
    with Fabric(PLAN, "test-network") as up:
        yield up


def _reaches(fabric: Fabric, host: str, address: str) -> bool:
    return fabric.spawn(host, ["ping", "-c1", "-W1", address], stdout=subprocess.DEVNULL).wait() == 0


def _processes_in(namespaces: set[int]) -> list[int]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if inode(pid) in namespaces:
                found.append(pid)
    return found


def _until_empty(namespaces: set[int]) -> list[int]:
    """Who is still in them, asked again and again for as long as a busy machine may need to end them."""
    deadline = time.monotonic() + 20
    while (left := _processes_in(namespaces)) and time.monotonic() < deadline:
        select.select([], [], [], 0.01)
    return left


# ---- What is built ---------------------------------------------------------------------------------------------------


def test_the_hosts_have_the_addresses_of_the_plan(fabric: Fabric) -> None:
    assert set(fabric.hosts) == {"esx1", "esx2", "client"}
    addresses = {name: (h.vmotion and h.vmotion.ip, h.vm and h.vm.ip) for name, h in fabric.hosts.items()}
    assert addresses == {
        "esx1": ("10.0.1.1", "10.0.2.1"),
        "esx2": ("10.0.1.2", "10.0.2.2"),
        "client": (None, "10.0.2.3"),
    }
    assert fabric.bridge.kind == "LinuxBridge"
    assert len(fabric.bridge.ports) == 3


def test_a_virtual_machines_processors_are_awake_for_as_long_as_it_is_up(fabric: Fabric) -> None:
    """Whoever holds the kernel's device open, and root alone may, has no processor halt."""
    device = Path("/dev/cpu_dma_latency")
    held = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    assert fabric.hosts and (device in held) is (virtual() and os.access(device, os.W_OK))
    if device in held:
        assert device.read_bytes()[:4] == bytes(4), "microseconds, by the kernel"


def test_everybody_reaches_everybody(fabric: Fabric) -> None:
    for host, other in (("esx1", "10.0.1.2"), ("esx2", "10.0.1.1"), ("client", "10.0.2.1"), ("esx1", "10.0.2.2")):
        assert _reaches(fabric, host, other), (host, other)
    assert not _reaches(fabric, "client", "10.0.1.1")


def test_nothing_of_it_is_in_the_machines_own_namespace(fabric: Fabric) -> None:
    own = set(os.listdir("/sys/class/net"))
    assert not own & {"vm", "vmotion", "s1", *fabric.bridge.ports}
    namespaces = {inode(h.pid) for h in fabric.hosts.values()} | {inode(fabric.bridge.pid)}
    assert len(namespaces) == 4
    assert inode(os.getpid()) not in namespaces


def test_two_runs_do_not_see_each_other(fabric: Fabric) -> None:
    with Fabric(PLAN, "another") as other:
        assert not {inode(h.pid) for h in fabric.hosts.values()} & {inode(h.pid) for h in other.hosts.values()}
        assert _reaches(other, "esx1", "10.0.1.2")
        assert _reaches(other, "client", "10.0.2.2")
    assert _reaches(fabric, "client", "10.0.2.2")


def test_an_idle_link_is_silent_and_a_first_packet_needs_no_arp(fabric: Fabric) -> None:
    end = fabric.ends("vmotion")[0]
    with Counters(end.pid, end.interface) as counters:
        before = counters.link()
        assert _reaches(fabric, "esx1", "10.0.1.2")
        after = counters.link()
    assert (after.tx_packets - before.tx_packets, after.rx_packets - before.rx_packets) == (1, 1)


_CHILD = """
import os, sys
os.write(int(sys.argv[1]), f"{os.environ['WORD']} {os.environ[sys.argv[2]]}".encode())
os.close(int(sys.argv[1]))
print(os.getcwd(), sys.stdin.read())
"""


def test_a_spawned_process_is_itself_in_the_hosts_namespace_with_its_files(fabric: Fabric, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe:
        child = fabric.spawn(
            "esx1",
            [sys.executable, "-c", _CHILD, str(writing), RUN_VARIABLE],
            pass_fds=[writing],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "WORD": "hello"},
            cwd=tmp_path,
        )
        os.close(writing)
        assert pipe.read() == b"hello test-network"
        assert inode(child.pid) == inode(fabric.hosts["esx1"].pid)
        assert os.getsid(child.pid) == child.pid
        assert child.communicate(b"and its input")[0] == f"{tmp_path} and its input\n".encode()
    assert child.returncode == 0


def test_a_host_that_is_not_there_is_named(fabric: Fabric) -> None:
    with pytest.raises(ScenarioError, match="did you mean 'esx1'"):
        fabric.spawn("esx3x1", ["true"])


def buffers() -> str:
    """The machine's own; empty in a network namespace where an older kernel does not show them (Linux 6.1)."""
    file = Path("/proc/sys/net/core/wmem_max")
    return file.read_text() if file.exists() else ""


def test_mininet_prints_nothing_and_leaves_our_loggers_alone(capfd: pytest.CaptureFixture[str]) -> None:
    soft = buffers()
    with Fabric(PLAN, "quiet"):
        pass
    assert capfd.readouterr() == ("", "")
    assert type(logging.getLogger("testbed.some.new.logger")) is logging.getLoggerClass()
    assert "Mininet" not in logging.getLoggerClass().__name__
    assert buffers() == soft


def test_a_topology_is_found_by_name_and_a_wrong_name_is_told_the_nearest() -> None:
    assert "two-hosts" in topologies_by_name()
    wrong = Fabric(replace(PLAN, topology="two-host"), "wrong")
    with pytest.raises(ScenarioError, match="did you mean 'two-hosts'"), wrong:
        pass


def test_the_topology_is_a_plain_one_for_mn() -> None:
    """``mn`` raises sysctls of the machine, so its own runner is not called: only what it would read of the file."""
    file = Path(__file__).parents[2] / "topologies" / "two_hosts.py"
    scope: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), scope)  # noqa: S102 - as mn --custom does
    topology = scope["topos"]["two-hosts"]()  # type: ignore[index]
    assert sorted(topology.hosts()) == ["client", "esx1", "esx2"]
    assert len(topology.links()) == 4


# ---- What is taken away ----------------------------------------------------------------------------------------------


def test_all_is_gone_after_the_context_with_what_was_started_in_it() -> None:
    with Fabric(PLAN, "gone") as up:
        namespaces = {inode(host.pid) for host in up.hosts.values()} | {inode(up.bridge.pid)}
        child = up.spawn("esx2", ["sleep", "1000"])
    assert child.returncode == -signal.SIGKILL
    assert _processes_in(namespaces) == []


def test_what_a_spawned_process_has_started_goes_with_it() -> None:
    script = "import subprocess, time; print(subprocess.Popen(['sleep', '1000']).pid, flush=True); time.sleep(1000)"
    with Fabric(PLAN, "grandchild") as up:
        child = up.spawn("esx1", [sys.executable, "-c", script], stdout=subprocess.PIPE)
        assert child.stdout is not None
        grandchild = psutil.Process(int(child.stdout.readline()))
        child.stdout.close()
    assert living([grandchild]) == []


@pytest.mark.parametrize("victim", ["esx1", "client"])
def test_a_killed_host_does_not_hold_up_the_end(victim: str) -> None:
    with Fabric(PLAN, "killed") as up:
        namespaces = {inode(host.pid) for host in up.hosts.values()}
        os.kill(up.hosts[victim].pid, signal.SIGKILL)
    assert _processes_in(namespaces) == []


def test_a_build_that_fails_half_way_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()

    def fail(pid: int) -> None:
        seen.add(inode(pid))
        if len(seen) == 3:
            raise TestbedError("as if a host could not be silenced")

    monkeypatch.setattr(fabric_module, "silence", fail)
    with pytest.raises(TestbedError, match="as if"), Fabric(PLAN, "half"):
        pass
    assert _processes_in(seen) == []


def test_a_topology_that_mininet_cannot_build_is_one_line_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    topo = topologies_by_name()["two-hosts"]

    class Broken(topo):  # type: ignore[misc,valid-type]
        def build(self, switch: str = "auto") -> None:
            super().build(switch=switch)
            self.addLink("esx1", "esx2", intfName1="vmotion", intfName2="vmotion")  # the names are taken

    before = psutil.Process().children()
    monkeypatch.setattr(fabric_module, "topologies_by_name", lambda: {"two-hosts": Broken})
    with (
        pytest.raises(TestbedError, match=r"Mininet could not build the network: .*vmotion") as caught,
        Fabric(PLAN, "x"),
    ):
        pass
    assert "\n" not in str(caught.value)
    assert psutil.Process().children() == before


_HOLDER = """
import json, sys
from testbed.core.plan import LinkPlan, NetworkPlan
from testbed.linux.net.netns import inode
from testbed.network.fabric import Fabric
from testbed.network.links import shape

with Fabric(NetworkPlan(vmotion=LinkPlan()), "holder") as fabric:
    shape(fabric, "vmotion", LinkPlan(rate=1e9))
    pids = [host.pid for host in fabric.hosts.values()] + [fabric.bridge.pid]
    print(json.dumps([inode(pid) for pid in pids]), flush=True)
    sys.stdin.read()
"""


def test_when_the_one_that_holds_it_is_killed_all_of_it_goes_by_itself() -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        namespaces = set(json.loads(holder.stdout.readline()))
        assert len(_processes_in(namespaces)) >= 4
    finally:
        holder.kill()
        holder.communicate()
    assert _until_empty(namespaces) == []


def test_without_mininet_or_its_tools_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(PrerequisiteMissing, match="bootstrap install"), Fabric(PLAN, "no-tools"):
        pass


@pytest.mark.needs_root("who is not root becomes nobody else")
def test_without_root_the_remedy_is_sudo() -> None:
    script = _HOLDER.replace("import json, sys", "import json, os, sys; os.seteuid(65534)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "PrerequisiteMissing: emulated hosts need root; run it with sudo" in done.stderr

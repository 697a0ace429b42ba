"""The emulated hosts and their networks: up by Mininet, down by what was made, and nothing left in between.

    with Fabric(plan.network, run_id) as fabric:
        fabric.spawn("esx1", ["python", "-m", "guest_agent"])

Every node, the switch too, is a shell in namespaces of its own, so nothing of a run is in the machine's own namespace
and no two runs can collide. A namespace ends with its last process: should this process be killed, the shells read
the end of their terminals and go, and the kernel takes the links. With ``prompt`` the one file that imports Mininet.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias

from testbed.core.errors import PrerequisiteMissing, ScenarioError, TestbedError
from testbed.core.names import by_name
from testbed.core.plan import NetworkPlan
from testbed.core.text.nearest import nearest
from testbed.linux.files.installed import installing
from testbed.linux.net.ethtool import has_carrier
from testbed.linux.processes.virtual import awake
from testbed.network.addressing import introduce, read_host, silence
from testbed.network.commands import CommandFailed, run
from testbed.network.hosts import Bridge, End, Host
from testbed.network.switches import await_switch

RUN_VARIABLE = "FAST_MOTION_RUN"
"""In the environment of every process that a fabric starts: which run it belongs to."""

Topology: TypeAlias = Callable[..., Any]
"""A class of Mininet's ``Topo``: called with the parameters of its ``build``. Mininet has no types."""
_COMMANDS = ("mnexec", "nsenter", "unshare", "ip", "bridge", "tc", "ifconfig", "brctl")
_File = int | IO[Any] | None
_OWN_MODULES = {"PYTHONSAFEPATH": "1"}
"""Python in a host never takes modules from where the user happens to stand."""


class Fabric:
    """Hosts and links of a plan while the context lasts, and the processors that make them awake. The links are not
    shaped yet: ``links.shape`` does that.

    Entering raises ``PrerequisiteMissing`` (no root, no Mininet, no namespaces), ``ScenarioError`` (no such topology)
    or ``TestbedError`` (Mininet could not build it), and then leaves nothing.
    """

    def __init__(self, plan: NetworkPlan, run_id: str) -> None:
        self.plan, self.run_id = plan, run_id
        self.hosts: dict[str, Host] = {}
        self._bridge: Bridge | None = None
        self.net: Any = None
        """Mininet's own object, for its prompt (``network.prompt``)."""
        self._links: dict[str, list[End]] = {}
        self._behind: dict[str, str] = {}
        self._down = contextlib.ExitStack()

    @property
    def bridge(self) -> Bridge:
        """The VM network's switch."""
        if self._bridge is None:
            raise TestbedError("the fabric is not up, or its topology has no switch")
        return self._bridge

    def __enter__(self) -> "Fabric":
        with contextlib.ExitStack() as down:
            down.enter_context(awake())
            self._build(down)
            self._down = down.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._down.close()
        self.hosts, self._bridge, self._links, self.net = {}, None, {}, None

    def ends(self, network: str) -> list[End]:
        """Where traffic of ``network`` leaves an interface: on ``vm`` the hosts' ends and the switch's ports."""
        return list(self._links[network])

    def behind(self, port: str) -> str | None:
        """The host at the other end of a port of the switch; None for a port of no host."""
        return self._behind.get(port)

    def host(self, name: str) -> Host:
        """The host of that name. Raises ``ScenarioError``."""
        if name not in self.hosts:
            raise ScenarioError(f"no host is called '{name}'; {nearest(name, list(self.hosts))}")
        return self.hosts[name]

    def spawn(  # noqa: PLR0913 - they are Popen's
        self,
        host_name: str,
        argv: Sequence[str],
        *,
        own_network: bool = False,
        pass_fds: Sequence[int] = (),
        stdin: _File = None,
        stdout: _File = None,
        stderr: _File = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
    ) -> "subprocess.Popen[bytes]":
        """A process in the host's network namespace; the Popen's pid is its own (``nsenter`` only enters).
        ``own_network``: in a new network namespace instead, without any interface but ``lo``.

        It sees the files of this process: the host's mount namespace, which differs in /sys alone and hides cgroups
        there, is not entered (and could not be from a chroot). It is in a session of its own: Ctrl-C reaches the run,
        which decides what to tell it. ``env`` None is this process's environment. What still runs when the fabric ends
        is killed. Raises ``OSError`` from ``Popen``.
        """
        own = ["unshare", "--net", "--"] if own_network else []
        process: subprocess.Popen[bytes] = subprocess.Popen(
            ["nsenter", f"--net=/proc/{self.host(host_name).pid}/ns/net", "--", *own, *argv],
            pass_fds=pass_fds,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**(os.environ if env is None else env), **_OWN_MODULES, RUN_VARIABLE: self.run_id},
            cwd=cwd,
            start_new_session=True,
        )
        self._down.callback(_kill, process)
        return process

    def _build(self, down: contextlib.ExitStack) -> None:
        topology = topologies_by_name()
        if self.plan.topology not in topology:
            known = nearest(self.plan.topology, list(topology))
            raise ScenarioError(f"no topology is called '{self.plan.topology}'; {known}")
        _require_privileges()
        net = self.net = _mininet_up(topology[self.plan.topology], down)
        for node in net.hosts + net.switches:
            silence(node.pid)
        self.hosts = {node.name: read_host(node.name, node.pid) for node in net.hosts}
        introduce(list(self.hosts.values()))
        self._links = _ends_by_network(net)
        self._behind = _hosts_by_port(net)
        for end in (end for ends in self._links.values() for end in ends):
            has_carrier(end.pid, end.interface)  # an interface sends nothing until the kernel has noticed its carrier
        for switch in net.switches:
            ports = tuple(name for name in switch.intfNames() if name != "lo")
            self._bridge = Bridge(name=switch.name, pid=switch.pid, kind=type(switch).__name__, ports=ports)
            await_switch(self._bridge)


def topologies_by_name() -> dict[str, Topology]:
    """Every topology in ``topologies``: classes of Mininet's ``Topo`` by the names in each file's ``topos``."""
    _import_mininet()
    found: dict[str, Topology] = {}
    for name in by_name.parts("topologies"):
        with quiet_import():
            found |= by_name.imported(f"topologies.{name}").topos
    return dict(sorted(found.items()))


def _require_privileges() -> None:
    """Finds out by making a namespace, which costs a few milliseconds; Mininet would wait for ever."""
    if os.geteuid() != 0:
        raise PrerequisiteMissing("emulated hosts need root", "run it with sudo")
    for command in _COMMANDS:
        if not shutil.which(command):
            raise PrerequisiteMissing(f"the command '{command}' is missing", installing(command))
    try:
        run(["mnexec", "-n", "true"])
    except CommandFailed as error:
        if "remount" in error.stderr:
            remedy = "in a chroot, mount its folder onto itself first (mount --bind DIR DIR)"
        else:
            remedy = "use a machine, a VM or a container with CAP_SYS_ADMIN and CAP_NET_ADMIN"
        raise PrerequisiteMissing(f"network namespaces cannot be made here ({error})", remedy) from error


def _mininet_up(topology: Topology, down: contextlib.ExitStack) -> Any:
    """A started Mininet. Its own stop() asks the shells to tidy up and hangs on a dead one, so it is not used."""
    net_module, node_module = _import_mininet()
    # init() would raise a dozen of the machine's own limits and sysctls, for good.
    net_module.Mininet.inited = True
    with _complaints() as complaints:
        before = set(node_module.Node.outToNode.values())
        down.callback(_mininet_down, node_module.Node, before)
        try:
            net = net_module.Mininet(topo=topology(switch="bridge"), controller=None, build=False)
            net.build()
            net.start()
        except (Exception, SystemExit) as error:  # Mininet raises bare Exception, and exits
            reason = complaints[-1] if complaints else str(error)
            raise TestbedError(f"Mininet could not build the network: {' '.join(reason.split())}") from error
    if complaints:
        raise TestbedError(f"Mininet could not build the network: {' '.join(complaints[-1].split())}")
    return net


def _mininet_down(node_class: Any, before: set[Any]) -> None:
    """Ends every node made since, half-made ones too: a namespace and its links go with their shell."""
    made = [node for node in set(node_class.outToNode.values()) - before if node.shell]
    for node in made:
        node.shell.kill()
    for node in made:
        node.shell.wait()
        for table in (node_class.outToNode, node_class.inToNode):
            table.pop(node.stdout.fileno(), None)
        node.stdin.close()
        os.close(node.slave)
        node.shell = None


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """And all that it started, unless that has left its session."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _ends_by_network(net: Any) -> dict[str, list[End]]:
    """An interface's name says its network; the other end of its link is on the same."""
    ends: dict[str, list[End]] = {}
    for link in net.links:
        both = (link.intf1, link.intf2)
        network = next(intf.name for intf in both if intf.node in net.hosts)
        ends.setdefault(network, []).extend(End(pid=intf.node.pid, interface=intf.name) for intf in both)
    return ends


def _hosts_by_port(net: Any) -> dict[str, str]:
    """Of every port of a switch, the host at its other end."""
    both = [(link.intf1, link.intf2) for link in net.links]
    ends = [*both, *((second, first) for first, second in both)]
    return {port.name: end.node.name for port, end in ends if port.node in net.switches and end.node in net.hosts}


def _import_mininet() -> tuple[Any, Any]:
    """Mininet's ``net`` and ``node``. On import it makes its own class the one for all loggers: undone."""
    logger_class = logging.getLoggerClass()
    try:
        with quiet_import():
            return by_name.imported("mininet.net"), by_name.imported("mininet.node")
    except ImportError as error:
        raise PrerequisiteMissing(
            f"Mininet is not installed for this Python ({error})", installing("mininet")
        ) from error
    finally:
        logging.setLoggerClass(logger_class)


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Mininet is older than the Pythons it runs on (distutils, escapes in strings)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _complaints() -> Iterator[list[str]]:
    """What Mininet logs as errors, while the context lasts; it prints nothing itself."""
    found: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR:
                found.append(record.getMessage())

    logger = logging.getLogger("mininet")
    handlers, propagate = logger.handlers[:], logger.propagate
    logger.handlers, logger.propagate = [Collector()], False
    try:
        yield found
    finally:
        logger.handlers, logger.propagate = handlers, propagate

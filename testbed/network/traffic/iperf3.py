"""What iperf3 measures on the vMotion link: the yardstick that everybody knows, on the same link in the same run."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import partial

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.core.network.names import ESX1, ESX2
from testbed.core.text.from_json import built
from testbed.core.text.printable import printable
from testbed.linux.files.installed import installing
from testbed.linux.processes.child import Child
from testbed.network.fabric import Fabric

_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IperfSum:
    """Over the whole test."""

    bits_per_second: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IperfEnd:
    """What iperf3 sums up at its end."""

    sum_received: IperfSum = field(default_factory=IperfSum)


@dataclass(frozen=True, slots=True, kw_only=True)
class IperfReport:
    """What is read of ``iperf3 --json``; ``error`` is in place of a result."""

    end: IperfEnd = field(default_factory=IperfEnd)
    error: str | None = None


def iperf3_goodput(fabric: Fabric, seconds: float, *, congestion: str | None = None, omit_s: int = 1) -> float:
    """TCP payload in bytes per second that arrived at esx2 from esx1, after ``omit_s`` seconds to settle.

    ``congestion`` is the plan's unless given. Raises ``PrerequisiteMissing`` (no iperf3) or ``TestbedError``.
    """
    if not shutil.which("iperf3"):
        raise PrerequisiteMissing("the command 'iperf3' is missing", installing("iperf3"))
    destination = fabric.host(ESX2).vmotion
    if destination is None:
        raise TestbedError("the topology gives esx2 no vMotion network, so iperf3 cannot measure it")
    choice = congestion or fabric.plan.vmotion.congestion
    asked = ["--time", str(max(1, round(seconds))), "--omit", str(omit_s), "--congestion", choice]
    with _Server(partial(fabric.spawn, ESX2), _server(destination.ip), subprocess.STDOUT):
        argv = ["iperf3", "--client", destination.ip, "--json", *asked]
        with Child(partial(fabric.spawn, ESX1), argv, subprocess.DEVNULL) as client:
            return _report(client, seconds + omit_s).end.sum_received.bits_per_second / 8


def _server(address: str) -> list[str]:
    return ["iperf3", "--server", "--one-off", "--forceflush", "--bind", address]


class _Server(Child):
    """For one test, from when it says that it listens."""

    def begin(self) -> None:
        while b"listening" not in (line := self.hear(_PATIENCE_S) or b""):
            if not line:
                raise TestbedError("iperf3's server did not start on esx2")


def _report(client: Child, seconds: float) -> IperfReport:
    """All that it says, which comes at its end. Raises ``TestbedError``."""
    lines = []
    while line := client.hear(seconds + _PATIENCE_S):
        lines.append(line)
    if line is None or (code := client.wait(_PATIENCE_S)) is None:
        raise TestbedError("iperf3 did not end: does anything pass the vMotion link?")
    try:
        report = built(IperfReport, json.loads(b"".join(lines) or b"{}"))
    except ValueError as error:
        raise TestbedError(f"iperf3 failed: {printable(str(error))}") from error
    if code or report.error is not None:
        raise TestbedError(f"iperf3 failed: {report.error or 'it said nothing'}")
    return report

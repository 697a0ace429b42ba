"""What iperf3 measures on the vMotion link: the yardstick that everybody knows, on the same link in the same run."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from testbed.core.errors import PrerequisiteMissing, TestbedError
from testbed.linux.files.installed import installing
from testbed.linux.processes.waiting import communicate
from testbed.network.fabric import Fabric

_PATIENCE_S = 15.0


def iperf3_goodput(fabric: Fabric, seconds: float, *, congestion: str | None = None, omit_s: int = 1) -> float:
    """TCP payload in bytes per second that arrived at esx2 from esx1, after ``omit_s`` seconds to settle.

    ``congestion`` is the plan's unless given. Raises ``PrerequisiteMissing`` (no iperf3) or ``TestbedError``.
    """
    if not shutil.which("iperf3"):
        raise PrerequisiteMissing("the command 'iperf3' is missing", installing("iperf3"))
    destination = fabric.host("esx2").vmotion
    if destination is None:
        raise TestbedError("the topology gives esx2 no vMotion network, so iperf3 cannot measure it")
    choice = congestion or fabric.plan.vmotion.congestion
    asked = ["--time", str(max(1, round(seconds))), "--omit", str(omit_s), "--congestion", choice]
    with _serving(fabric, destination.ip):
        answer = _client(fabric, ["iperf3", "--client", destination.ip, "--json", *asked], seconds + omit_s)
    return float(answer["end"]["sum_received"]["bits_per_second"]) / 8


@contextlib.contextmanager
def _serving(fabric: Fabric, address: str) -> Iterator[None]:
    """A server for one test, from when it says that it listens."""
    argv = ["iperf3", "--server", "--one-off", "--forceflush", "--bind", address]
    process = fabric.spawn("esx2", argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        lines = iter(process.stdout or ())
        if not any(b"listening" in line for line in lines):
            raise TestbedError("iperf3's server did not start on esx2")
        yield
    finally:
        process.kill()
        process.communicate()


def _client(fabric: Fabric, argv: list[str], seconds: float) -> Any:
    process = fabric.spawn("esx1", argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        answer = json.loads(communicate(process, None, seconds + _PATIENCE_S)[0] or b"{}")
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise TestbedError("iperf3 did not end: does anything pass the vMotion link?") from error
    if process.returncode or "error" in answer:
        raise TestbedError(f"iperf3 failed: {answer.get('error', 'it said nothing')}")
    return answer

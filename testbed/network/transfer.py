"""A measurement between two hosts: both ends of ``probe`` started, introduced to each other, and heard."""

import contextlib
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from testbed.core.errors import TestbedError
from testbed.core.text.printable import printable
from testbed.linux.processes.waiting import communicate
from testbed.network import transfer_process
from testbed.network.fabric import Fabric

_PYTHON = (sys.executable, "-I", "-S", transfer_process.__file__)
"""Without site-packages: it starts in a third of the time."""
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What was seen. Goodputs in bytes per second: ``goodput`` without the start of the transfer, ``whole`` with it."""

    size: int
    goodput: float
    whole: float
    rtt_s: float | None


def transfer(
    fabric: Fabric,
    *,
    congestion: str,
    size: int = 0,
    seconds: float = 0.0,
    settle_bytes: int = 0,
    round_trips: int = 0,
    back: bool = False,
) -> Transfer:
    """From esx1 to esx2 (``back``: from esx2 to esx1) over the vMotion link: round trips while it is idle, then
    ``size`` bytes (or for ``seconds``).

    Raises ``TestbedError`` when nothing or nonsense comes back.
    """
    source, destination = ("esx2", "esx1") if back else ("esx1", "esx2")
    address = fabric.host(destination).vmotion
    if fabric.host(source).vmotion is None or address is None:
        raise TestbedError("the topology gives esx1 and esx2 no vMotion network, so its link cannot be measured")
    here: dict[str, object] = {"address": address.ip, "congestion": congestion}
    with contextlib.ExitStack() as ends:
        hearing = {"device": address.name, "settle_bytes": settle_bytes}
        receiver = _start(fabric, destination, here | hearing, ends)
        asked = here | {"size": size, "seconds": seconds, "trips": round_trips}
        sender = _start(fabric, source, asked, ends)
        port = json.loads(_line(receiver))["port"]
        sent = _answer(sender, f"{port}\n".encode())
        received = _answer(receiver, None)
    return Transfer(
        size=received["bytes"],
        goodput=received["goodput"],
        whole=received["bytes"] / received["whole_s"] if received["whole_s"] else 0.0,
        rtt_s=statistics.median(sent["round_trips"]) if sent["round_trips"] else None,
    )


def _start(
    fabric: Fabric, host: str, request: dict[str, object], ends: contextlib.ExitStack
) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    process = fabric.spawn(host, [*_PYTHON, json.dumps(request)], stdin=pipe, stdout=pipe, stderr=pipe)
    ends.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()


def _line(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    line = process.stdout.readline()
    if not line:
        raise _failed(process.communicate()[1])
    return line


def _answer(process: "subprocess.Popen[bytes]", say: bytes | None) -> Any:
    try:
        out, err = communicate(process, say, _PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise TestbedError(f"nothing passes the link: measuring it took over {_PATIENCE_S:g} s") from error
    if process.returncode or not out:
        raise _failed(err)
    return json.loads(out)


def _failed(stderr: bytes) -> TestbedError:
    last = (stderr.decode(errors="replace").strip().splitlines() or ["its process ended without a word"])[-1]
    return TestbedError(f"the link could not be measured: {printable(last)}")

"""A virtual machine's processors: what its host keeps from them, and how they are kept awake.

A processor without work halts, and its next timer wakes it. A virtual one has to be let run for that by its host,
behind whatever else the host does: milliseconds later where that is busy, and a link loses what its bucket cannot hold
meanwhile (``network.links``). One that never halts is there when its timer is due. What sleeps of 0.5 ms, for 4 s,
were late by on two cores of a busy host: half, 1 in 100 and 1 in 1000 of them, in three pairs one after the other:

    asleep    0.12 ms    0.26 ms    1.34 ms      0.12 ms    0.49 ms    3.32 ms      0.13 ms    0.81 ms    3.23 ms
    awake     0.08 ms    0.12 ms    0.89 ms      0.09 ms    0.22 ms    2.17 ms      0.09 ms    0.14 ms    0.61 ms

The kernel is asked as by any program that cannot wait: as long as a 0 stands in an open /dev/cpu_dma_latency, idle
processors poll, and sleep again however its holder ends. A computer's own wake up in a tenth of a millisecond, and are
left alone. Sources: Documentation/power/pm_qos_interface.rst, drivers/cpuidle/cpuidle-haltpoll.c, governors/haltpoll.c,
Documentation/admin-guide/kernel-parameters.txt (idle=poll, nohlt); steal: proc(5).
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from testbed.linux import pseudo_files

_DEVICE = Path("/dev/cpu_dma_latency")
_DRIVER = Path("/sys/devices/system/cpu/cpuidle/current_driver")
_POLLING = {"idle=poll", "nohlt"}
"""Of the kernel's command line: they never halt, on amd64 and on arm64."""
_INSTANT_S = 1e-3
_AT_ONCE = bytes(4)
"""Microseconds, an integer of 32 bits, within which a processor has to be back."""


def held_back_s() -> float:
    """Seconds for which processors of this machine, a virtual one, had work and were not let: steal of /proc/stat, of
    all of them together since the machine began.
    """
    steal = Path("/proc/stat").read_text("ascii").split(maxsplit=9)[8]
    return int(steal) / os.sysconf("SC_CLK_TCK")


def share_held_back() -> Callable[[], float]:
    """Says, whenever it is asked, what share of all processors' time was so held back since this was called."""
    began, before, processors = time.monotonic(), held_back_s(), os.cpu_count() or 1
    return lambda: (held_back_s() - before) / (max(time.monotonic() - began, _INSTANT_S) * processors)


def virtual() -> bool:
    """Whether this machine says that it is one, by its processors' flags or by what was kept from it."""
    return held_back_s() > 0 or any(
        line.startswith("flags") and " hypervisor" in line for line in _said(Path("/proc/cpuinfo")).splitlines()
    )


@contextmanager
def awake() -> Iterator[None]:
    """A virtual machine's processors do not halt while the context lasts, where they can be kept from it: see
    ``asleep``.
    """
    with ExitStack() as held:
        if virtual():
            with suppress(OSError):
                held.enter_context(_DEVICE.open("wb", buffering=0)).write(_AT_ONCE)
        yield


def asleep() -> tuple[str, str]:
    """Why this virtual machine's processors halt in a run all the same, and what mends it; two empty texts where they
    do not, or are a computer's own.
    """
    if not virtual() or _POLLING & set(_said(Path("/proc/cmdline")).split()):
        return "", ""
    if _said(_DRIVER) in ("", "none"):
        remedy = "boot it with idle=poll (arm64: nohlt), or under KVM: sudo modprobe cpuidle-haltpoll force=1"
        return "this kernel knows no way to wait without halting", remedy
    if not os.access(_DEVICE, os.W_OK):
        return f"{_DEVICE} is root's", f"sudo chmod a+w {_DEVICE} (until the machine restarts), or sudo"
    return "", ""


def _said(file: Path) -> str:
    return pseudo_files.read(file) or ""

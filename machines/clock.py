"""A clock that is as slow as an emulated machine: by it, a second holds as much work as on a computer.

Emulated, each instruction takes some ten times longer, and time does not. A guest that writes 100 MB/s then asks ten
times as much of its machine, and no rate holds. So QEMU is told the time by libfaketime, which lets it pass ten times
more slowly, for whatever a machine sees of it: its timers, its counters, its date.
"""

import os
import platform
import subprocess
import time
from pathlib import Path

from machines.faults import MachineError, UsageError

SLOWED = 10
"""Seconds here that one takes there. A loop of Python then has three quarters of the speed that it has here."""
MOST = 100
VARIABLE = "TESTBED_MACHINE_SLOWED"
LIBRARY = Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1")
SETTLED_S = 20
_SHARED = Path("/dev/shm")  # noqa: S108 - where libfaketime has them


def slowed() -> float:
    """How many times slower, by ``$TESTBED_MACHINE_SLOWED``. Raises ``UsageError`` for what is no such number."""
    said = os.environ.get(VARIABLE) or str(SLOWED)
    try:
        times = float(said)
    except ValueError:
        times = 0.0
    if not 1 <= times <= MOST:
        raise UsageError(f"{VARIABLE} says how many times slower a machine's clock is, from 1 to {MOST}, not {said!r}")
    return times


def told(times: float) -> dict[str, str]:
    """The environment of a process of which each second takes so many."""
    if times == 1:
        return {}
    return {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME": f"+0 x{1 / times:.6f}",
        "LC_ALL": "C.UTF-8",  # it reads a number as its locale writes one
        "FAKETIME_DISABLE_SHM": "1",  # its newer versions keep no files then
    }


def settle(process: "subprocess.Popen[bytes]", times: float, begun: Path) -> None:
    """Waits until a process that was so told has begun, which is seen by a file of its own. By then libfaketime is done
    with its names in shared memory, and they go. Raises ``MachineError`` where the clock is not slowed.
    """
    if times == 1:
        return
    until = time.monotonic() + SETTLED_S
    while not begun.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    maps = Path(f"/proc/{process.pid}/maps")
    if process.poll() is None and LIBRARY.name not in maps.read_text(encoding="utf-8", errors="replace"):
        raise MachineError(f"QEMU was started without {LIBRARY}, so its clock is as fast as this one's")
    for name in (f"faketime_shm_{process.pid}", f"sem.faketime_sem_{process.pid}"):
        (_SHARED / name).unlink(missing_ok=True)

"""What this machine can do: small tries, each in a few milliseconds, none of which leaves anything behind."""

import errno
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

from testbed.core.errors import PrerequisiteMissing
from testbed.core.units import PAGE_SIZE, in_bytes
from testbed.linux.files.installed import installs
from testbed.linux.memory.pages import REMEDY as PAGE_REMEDY
from testbed.linux.memory.pages import kernel_page_bytes
from testbed.linux.memory.room import room
from testbed.linux.namespaces.contained import OPENED, filtered
from testbed.linux.processes.caller import is_root
from testbed.linux.processes.module import ROOT, Parts
from testbed.linux.processes.virtual import asleep
from testbed.sandbox import Sandbox

TCP_REPAIR = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """One ability. ``detail`` says what was found; ``remedy`` mends it; ``needed`` if no run is possible without."""

    what: str
    works: bool
    detail: str = ""
    remedy: str = ""
    needed: bool = False


def abilities(refused: PrerequisiteMissing | None = None) -> Iterator[Ability]:
    """All of them, in the order in which they are best read. ``refused``: why who is not root has no namespaces of
    their own.
    """
    root = os.geteuid() == 0
    yield rights(root, refused)
    yield mininet()
    for command, needed in COMMANDS:
        yield command_there(command, needed)
    rise = "as root, above" if refused else "sudo"
    yield from (queue_discipline(kind, options, root, rise) for kind, options in DISCIPLINES)
    yield open_vswitch()
    yield from trackers()
    yield pages()
    yield memory()
    yield cores()
    yield awake()
    yield congestion_controls()
    yield tcp_repair(root, rise)
    yield current_folder()
    yield walled()


def rights(root: bool, refused: PrerequisiteMissing | None) -> Ability:
    """Root's, or those that an ordinary user has in namespaces of their own."""
    if refused is not None:
        return Ability(what="root", works=False, detail=refused.what, remedy=refused.remedy, needed=True)
    detail = "" if is_root() else "not needed: runs are made in namespaces of your own"
    return Ability(what="root", works=root, detail=detail, remedy="sudo", needed=True)


COMMANDS = (
    ("mnexec", True),
    ("ip", True),
    ("tc", True),
    ("brctl", True),
    ("ifconfig", True),
    ("unshare", True),
    ("iperf3", False),
)
DISCIPLINES = (
    ("tbf", ("rate", "1mbit", "burst", "10kb", "latency", "20ms")),
    ("netem", ("delay", "1ms")),
)


def mininet() -> Ability:
    """The Python package, of which only Debian's comes with ``mnexec``."""
    there = find_spec("mininet") is not None
    return Ability(what="mininet", works=there, remedy=installs("mininet"), needed=True)


def command_there(command: str, needed: bool) -> Ability:
    """A program on the path."""
    found = shutil.which(command)
    return Ability(what=command, works=found is not None, detail=found or "", remedy=installs(command), needed=needed)


def other_kernel() -> str:
    """Where one comes from that has what this one lacks: Windows' own (WSL2) is renewed from there."""
    if "microsoft" in platform.release().lower():
        return "wsl --update in Windows, whose newest kernel has it"
    return "another kernel: Debian 13's and Ubuntu 24.04's have it"


def queue_discipline(kind: str, options: tuple[str, ...], root: bool, rise: str = "sudo") -> Ability:
    """Tried on the loopback of a network namespace that ends with the try. ``rise``: how to be root, for who is not."""
    needed = kind == "tbf"
    if not root:
        return Ability(what=kind, works=False, detail="cannot be tried without root", remedy=rise, needed=needed)
    command = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", kind, *options]
    fault = _fault(command)
    remedy = f"sudo modprobe sch_{kind}, or {other_kernel()}"
    return Ability(what=kind, works=fault is None, detail=fault or "", remedy=remedy, needed=needed)


def open_vswitch() -> Ability:
    """Optional: a Linux bridge serves as well. Daemons are started for a run, so what counts is programs and kernel."""
    lacking = [each for each in ("ovs-vswitchd", "ovsdb-server", "ovs-vsctl") if shutil.which(each) is None]
    if lacking:
        detail, remedy = f"no {lacking[0]}; a Linux bridge is used", installs("ovs-vsctl")
        return Ability(what="Open vSwitch", works=False, detail=detail, remedy=remedy)
    fault = _fault(["genl", "ctrl", "get", "name", "ovs_datapath"])  # asking loads the module where there is one
    detail = "for the topology two-hosts-ovs" if fault is None else f"{fault}; a Linux bridge is used"
    remedy = f"sudo modprobe openvswitch, or {other_kernel()}"
    return Ability(what="Open vSwitch", works=fault is None, detail=detail, remedy=remedy)


def trackers() -> Iterator[Ability]:
    """Each way of tracking dirty pages, tried on memory of this process. One of them always works."""
    from testbed.dirty.choice import works_here

    for name, (works, detail) in works_here().items():
        refused = os.strerror(errno.EPERM) in detail and filtered()
        yield Ability(what=f"tracker {name}", works=works, detail=detail, remedy=OPENED if refused else other_kernel())


def pages() -> Ability:
    """A guest's are 4 KiB, and the kernel's have to be as large."""
    size = kernel_page_bytes()
    detail = f"{size >> 10} KiB" + ("" if size == PAGE_SIZE else f", and a guest's are {PAGE_SIZE >> 10} KiB")
    return Ability(what="page size", works=size == PAGE_SIZE, detail=detail, remedy=PAGE_REMEDY, needed=True)


def memory() -> Ability:
    """What a run may use: two copies of the guest's RAM and half a GiB beside them."""
    free = room()
    least = 1 << 30
    detail = f"{free.of} {in_bytes(free.size)}: guests of up to {in_bytes(max(0, free.size - (1 << 29)) // 2)}"
    return Ability(what="memory", works=free.size >= least, detail=detail, remedy="end other programs, or add memory")


def cores() -> Ability:
    """Source, destination and guest each want one; two will do."""
    count = len(os.sched_getaffinity(0))
    return Ability(what="cores", works=count >= 2, detail=str(count), remedy="give the virtual machine two or more")


def awake() -> Ability:
    """A virtual machine's processors have to be woken by its host, unless they do not sleep."""
    why, remedy = asleep()
    detail = f"{why}: links may come short while this virtual machine's host is busy" if why else ""
    return Ability(what="awake in runs", works=not why, detail=detail, remedy=remedy)


def congestion_controls() -> Ability:
    """What TCP offers here; the scenario chooses, cubic unless it says otherwise."""
    names = Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()
    remedy = "sudo modprobe tcp_cubic"
    return Ability(what="congestion control", works="cubic" in names, detail=" ".join(names), remedy=remedy)


def tcp_repair(root: bool, rise: str = "sudo") -> Ability:
    """Moving an open TCP connection needs it; a plain migration does not."""
    with socket.socket() as connection:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
        except OSError as error:
            remedy = other_kernel() if root else rise
            return Ability(what="TCP_REPAIR", works=False, detail=error.strerror or "", remedy=remedy)
    return Ability(what="TCP_REPAIR", works=True)


def current_folder() -> Ability:
    """Whether a file where the user stands would pass for a module to ``python3 -m``; to ``testbed`` none does."""
    found = sorted(each.name for each in Path().iterdir() if _called(each) in _modules() and each.resolve() not in OURS)
    few = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
    said = f"{few}: to 'python3 -m' a module of that name" if found else "holds nothing that is called as a module"
    remedy = "start with: testbed, or: python3 -P -m testbed; or rename"
    return Ability(what="current folder", works=not found, detail=said, remedy=remedy)


OURS = [Path(ROOT, name) for name in (*Parts.NAMES, "labs")]


@cache
def _modules() -> frozenset[str]:
    """The names of Python's own modules, of all that is installed, and ours."""
    return frozenset((*sys.stdlib_module_names, *packages_distributions(), *Parts.NAMES))


def _called(path: Path) -> str:
    """The module that a file, or a folder, would be; empty for one that would be none."""
    if path.suffix == ".py":
        return path.stem
    return path.name if (path / "__init__.py").is_file() else ""


def walled() -> Ability:
    """A sandbox for code that is not trusted, put up and taken down; needed by the arena, and to grade what is code."""
    try:
        with Sandbox(b""):
            return Ability(what="sandbox", works=True, detail="bubblewrap, for code that is not trusted")
    except PrerequisiteMissing as lack:
        return Ability(what="sandbox", works=False, detail=lack.what, remedy=lack.remedy)


def _fault(command: list[str]) -> str | None:
    """None if the command succeeds; else why not, in one line."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except FileNotFoundError:
        return f"no {command[0]}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (done.stderr.strip().splitlines() or ["failed"])[0]
    return None if done.returncode == 0 else said.removeprefix("Error: ").rstrip(".")

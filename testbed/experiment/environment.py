"""What a run was made on: enough to judge whether two runs may be compared."""

import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from testbed.core.text.from_json import JsonObject
from testbed.linux import pseudo_files

PACKAGES = ("numpy", "pydantic", "typer", "rich", "PyYAML", "psutil", "xxhash")
SYSCTLS = (
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_available_congestion_control",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.core.default_qdisc",
    "vm.overcommit_memory",
)

DECIDING = ("core", "engines", "findings", "migration", "model", "policies", "rig", "scenario", "throttles")
"""Packages that a simulated run's figures follow from."""


def environment(qdisc: list[str]) -> JsonObject:
    """Kernel, processor, packages, settings and program; ``qdisc`` is what shapes the links. None where unknown."""
    return {
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "qdisc": qdisc,
        "sysctl": {name: pseudo_files.read(Path("/proc/sys") / name.replace(".", "/")) for name in SYSCTLS},
        "commit": commit(),
        "code": code(),
    }


def _cpu_model() -> str | None:
    for line in (pseudo_files.read(Path("/proc/cpuinfo")) or "").splitlines():
        if line.lower().startswith(("model name", "cpu part")):
            return line.split(":", 1)[1].strip()
    return None


@cache
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@cache
def commit() -> str | None:
    """The commit of this checkout; None where it is none, or git is not there. Asked once: what runs is what was loaded
    by then.
    """
    try:
        answer = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


@cache
def code() -> str:
    """A digest of what a simulated run's figures follow from, be it a checkout or installed: the same code makes the
    same run again.
    """
    ours, digest = Path(__file__).parent.parent, hashlib.sha256()
    for file in sorted(each for name in DECIDING for each in (ours / name).rglob("*.py")):
        digest.update(f"{file.relative_to(ours)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]

"""Whether this process is in a container that keeps namespaces from it, and what such a container is started with."""

from pathlib import Path

from testbed.linux.mounts import mounts

OPTIONS = "--security-opt seccomp=unconfined --security-opt systempaths=unconfined --volume /sys:/sys"
OPENED = f"start the container with {OPTIONS}"
"""Without the first no namespaces (docker) or no tracker uffd-wp (podman); without the others no /proc and no /sys in
them: the kernel gives nobody a new one who sees the machine's in parts, or may only read it.
"""


def filtered() -> bool:
    """Whether a filter says which system calls this process may make, as that of a container does."""
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    return any(line.split()[1:] == ["2"] for line in status.splitlines() if line.startswith("Seccomp:"))


def masked() -> bool:
    """Whether something is mounted over parts of /proc."""
    return any(mount.point.startswith("/proc/") for mount in mounts())

"""How this package came to be here, and so which command installs what it lacks."""

import os
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[3]
"""The checkout, or the directory of packages of whatever Python it was installed for."""
SYSTEM_PACKAGES = {
    "brctl": "bridge-utils",
    "bwrap": "bubblewrap",
    "ethtool": "ethtool",
    "ifconfig": "net-tools",
    "ip": "iproute2",
    "iperf3": "iperf3",
    "mininet": "mininet",
    "mnexec": "mininet",
    "nsenter": "util-linux",
    "ovs-vsctl": "openvswitch-switch",
    "ping": "iputils-ping",
    "sysctl": "procps",
    "tc": "iproute2",
    "unshare": "util-linux",
}
"""Debian's and Ubuntu's package of each command that is called."""
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
OPTIONAL = {"openvswitch-switch"}
"""What is of use and yet not installed by ``bootstrap``."""


def installs(command: str, root: Path = ROOT) -> str:
    """What installs a command of the system: ``bootstrap`` in a checkout, the system's packages where there is none."""
    package = SYSTEM_PACKAGES.get(command, command)
    if is_checkout(root) and package not in OPTIONAL:
        return f"sudo {bootstrap(root)} install"
    # Debian's Mininet is for Debian's own Python; its mnexec serves any.
    also = " && pip install mininet" if command == "mininet" else ""
    return f"sudo apt-get install {package}{also}"


def installing(command: str) -> str:
    """What installs a command, as a remedy in words."""
    return f"install it with: {installs(command)}"


def find_systems_commands() -> None:
    """Those of root's folders, too: an ordinary user's PATH on Debian leaves out where ``tc`` and ``bridge`` are."""
    known = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([*known, *(each for each in SYSTEM_FOLDERS if each not in known)])


def bootstrap(root: Path = ROOT) -> str:
    """The checkout's ``bootstrap``, by its path, as it can be pasted into a shell."""
    return shlex.quote(str(root / "bootstrap"))


def is_checkout(root: Path = ROOT) -> bool:
    """Whether ``bootstrap`` lies beside the package."""
    return (root / "bootstrap").is_file()

"""Which machines there are: a distribution, an architecture, and how QEMU is to look like it."""

from dataclasses import dataclass

from machines.faults import UsageError

CORES, MEMORY_MB = 2, 4096
"""As of the Vagrantfile's machine."""

USER, CHECKOUT, VENV = "vagrant", "/vagrant", "/opt/fast-motion/venv"
"""As in Vagrant's machine, too."""

# Beside what `bootstrap` installs by itself: what makes it start, and what a desktop or a server has besides.
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus",
    "kmod",
    "initramfs-tools",
    "zstd",
    "openssh-server",
    "sudo",
    "iproute2",
    "ca-certificates",
    "procps",
    "openvswitch-switch",
    "network-manager",
    "firewalld",
    "nftables",
    "dosfstools",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the machines. ``python`` is its Python's version, for which wheels are fetched."""

    name: str
    suite: str
    architecture: str
    python: str
    kernel: str

    @property
    def machine(self) -> str:
        """The architecture as Python, QEMU and the kernel call it."""
        return {"amd64": "x86_64", "arm64": "aarch64"}[self.architecture]

    @property
    def console(self) -> str:
        """The serial line of this architecture's usual board."""
        return {"amd64": "ttyS0", "arm64": "ttyAMA0"}[self.architecture]

    @property
    def emulator(self) -> str:
        """QEMU's program for it."""
        return f"qemu-system-{self.machine}"

    @property
    def emulator_package(self) -> str:
        """What installs that program on Debian and Ubuntu."""
        return {"amd64": "qemu-system-x86", "arm64": "qemu-system-arm"}[self.architecture]


KINDS = {
    each.name: each
    for each in (
        Kind(name="debian-13", suite="trixie", architecture="amd64", python="3.13", kernel="linux-image-amd64"),
        Kind(name="debian-12", suite="bookworm", architecture="amd64", python="3.11", kernel="linux-image-amd64"),
        Kind(name="arm64", suite="trixie", architecture="arm64", python="3.13", kernel="linux-image-arm64"),
    )
}
USUAL = "debian-13"


def parse(words: list[str]) -> tuple[Kind, list[str]]:
    """The machine that is meant, and the command for it. A command may be given without naming a machine."""
    if words and words[0] in KINDS:
        return KINDS[words[0]], words[1:]
    if words and words[0].startswith(("debian", "ubuntu", "arm", "amd", "-")):
        raise UsageError(f"{words[0]} is none of the machines: {', '.join(KINDS)}, then a command for it")
    return KINDS[USUAL], words

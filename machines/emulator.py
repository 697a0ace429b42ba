"""QEMU: what it is told, whether KVM serves here, and a machine that runs for as long as it is wanted."""

import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from machines import children, clock
from machines.cache import Image
from machines.kinds import CORES, MEMORY_MB, Kind

PROBE_S = 20
"""How long a kernel may take to start its first program under KVM. It takes one or two."""

_TCG = ["-accel", "tcg,thread=multi"]
_KVM = ["-accel", "kvm"]
_EMULATED = {"amd64": "no_timer_check idle=poll", "arm64": "nohlt"}
"""What an emulated kernel is told. Its processor's counter is not slowed and appears to be ten times as fast, by which
Linux, counting with 4 GHz at most, would take its timer for broken. And a processor that sleeps is woken by way of
three of QEMU's threads, which takes not ten but forty times as long as elsewhere; so it stays awake.
"""


def board(kind: Kind, accelerator: Sequence[str]) -> list[str]:
    """The bare machine: processors, memory, nothing of QEMU's usual extras."""
    machine = {"amd64": "q35,sata=off", "arm64": "virt"}[kind.architecture]  # six empty ports are waited for
    # Signed pointers are the dearest part of an emulated arm64; this way of signing them is cheap.
    cpu = "max,pauth-impdef=on" if kind.architecture == "arm64" and accelerator != _KVM else "max"
    shape = ["-machine", machine, "-cpu", cpu, "-smp", str(CORES), "-m", str(MEMORY_MB)]
    return [kind.emulator, *accelerator, *shape, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]


def command(kind: Kind, image: Image, accelerator: Sequence[str], port: int) -> list[str]:
    """A machine whose disk forgets what is written to it, and whose one door is ``port`` of this computer itself."""
    kernel = f"root=/dev/vda rw console={kind.console} net.ifnames=0 panic=-1 systemd.show_status=false"
    if accelerator != _KVM:
        kernel += f" {_EMULATED[kind.architecture]}"
    return [
        *board(kind, accelerator),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", kernel),
        *("-drive", f"file={image.disk},format=raw,if=virtio,snapshot=on,cache=unsafe,discard=unmap"),
        *("-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22", "-device", "virtio-net-pci,netdev=net"),
        *("-device", "virtio-rng-pci", "-serial", f"file:{image.console}"),
    ]


def accelerator(kind: Kind, image: Image) -> list[str]:
    """KVM where a kernel is seen to start on it; else emulation. Opening /dev/kvm proves nothing."""
    if platform.machine() != kind.machine or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return _TCG
    known = image.folder / "accelerator"
    here = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    if not known.is_file() or known.read_text(encoding="ascii").split()[:1] != [here]:
        known.write_text(f"{here} {'kvm' if _starts(kind, image) else 'tcg'}\n", encoding="ascii")
    return _KVM if known.read_text(encoding="ascii").split()[1] == "kvm" else _TCG


def _starts(kind: Kind, image: Image) -> bool:
    """A kernel whose first program ends at once panics then, which ends QEMU; that program's name is looked for."""
    with tempfile.NamedTemporaryFile() as console:
        first = ["-append", f"console={kind.console} rdinit=/usr/bin/true panic=-1"]
        trial = [*board(kind, _KVM), "-kernel", str(image.kernel), "-initrd", str(image.initrd), *first]
        child = children.start([*trial, "-serial", f"file:{console.name}"], stderr=subprocess.DEVNULL)
        with children.ended(child, patience_s=1):
            try:
                child.wait(PROBE_S)
            except subprocess.TimeoutExpired:
                return False
        return b"Run /usr/bin/true as init process" in Path(console.name).read_bytes()


def free_port() -> int:
    """One of this computer's own that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(kind: Kind, image: Image, slowed: float) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """QEMU and the port of its door. Its disk's changes are in a file that has no name, so they go with it. ``slowed``:
    by how much its clock is, where it is emulated.
    """
    chosen, port = accelerator(kind, image), free_port()
    how, times, nice = "KVM", 1.0, []
    if chosen != _KVM:
        how = f"emulated (KVM does not serve here): a second there takes {slowed:g} s here"
        times, nice = slowed, ["nice", "-n", "5"]
    print(f"machine: {kind.name}, {CORES} cores, {MEMORY_MB} MB, {how}", file=sys.stderr)  # noqa: T201
    image.console.unlink(missing_ok=True)
    with image.said.open("wb") as said:
        child = children.start(
            [*nice, *command(kind, image, chosen, port)],
            env={"TMPDIR": str(image.folder), **clock.told(times)},
            last=signal.SIGKILL,
            stdout=said,
            stderr=said,
        )
    with children.ended(child):
        clock.settle(child, times, image.console)
        yield child, port

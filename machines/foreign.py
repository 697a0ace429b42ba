"""Programs of another processor, which the kernel hands to an emulator while an image of that processor is made.

Where the kernel does so for everybody already (binfmt_misc, as the emulator's package registers it), nothing is done.
Else root has it done for the image's maker alone: binfmt_misc is mounted in a mount namespace, and goes with it. The
kernel forgets then what was registered (since 6.7; an older one remembers it until it is started again).
"""

import os
import platform
from pathlib import Path

from machines.children import APART
from machines.faults import ToolMissing
from machines.kinds import Kind

_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_FILE_SYSTEMS = Path("/proc/filesystems")
_RULES = Path("/usr/lib/binfmt.d")

# $1: where it is mounted; $2: the rule's file; then the command.
_REGISTERED = 'mount -t binfmt_misc binfmt_misc "$1" && head -n 1 "$2" >"$1/register" && exec "${@:3}"'


def within(kind: Kind) -> list[str]:
    """What a command has to be an argument of so that programs of that kind run in it: nothing where they do anyway.

    Raises ``ToolMissing`` where they would not.
    """
    if platform.machine() == kind.machine:
        return []
    name = f"qemu-{kind.machine}"
    rule = _RULES / f"{name}.conf"
    if (_BINFMT / name).exists():
        return []
    if not rule.is_file():
        raise ToolMissing(f"this machine has no {rule}: sudo apt-get install qemu-user-static")
    refused = f"this kernel does not hand {kind.architecture}'s programs to an emulator"
    if "binfmt_misc" not in _FILE_SYSTEMS.read_text(encoding="ascii").split():
        raise ToolMissing(f"{refused}: sudo modprobe binfmt_misc")
    if os.geteuid():
        raise ToolMissing(f"{refused}: sudo systemctl restart systemd-binfmt")
    script = ["bash", "-c", _REGISTERED, "foreign", str(_BINFMT), str(rule)]
    return [*APART, *script]

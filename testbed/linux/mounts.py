"""What is mounted where, by /proc/self/mountinfo: in bytes, since a mount point may have any name, be it no text.

    36 35 98:0 ROOT POINT rw,noatime shared:1 - TYPE SOURCE OPTIONS            a blank within a name is \\040

Source: proc_pid_mountinfo(5).
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ESCAPED = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One of them. ``device`` as MAJOR:MINOR; ``root``: what of its file system is seen at ``point``; ``kind``: of file
    system; ``options``: the file system's own. What of a name is no text is in it as ``os.fsdecode`` has it.
    """

    device: str
    root: str
    point: str
    kind: str
    options: str


def mounts(root: Path = Path("/")) -> Iterator[Mount]:
    """Those that this process sees, in the kernel's order. ``root``: where /proc is. Raises ``OSError``."""
    for line in filter(None, (root / "proc/self/mountinfo").read_bytes().split(b"\n")):
        place, _, what = line.partition(b" - ")
        _id, _parent, device, seen, point, *_ = map(_plain, place.split(b" "))
        kind, _source, options = map(_plain, what.split(b" ", 2))
        yield Mount(device=device, root=seen, point=point, kind=kind, options=options)


def _plain(field: bytes) -> str:
    return os.fsdecode(_ESCAPED.sub(lambda digits: bytes([int(digits[1], 8) & 0xFF]), field))

"""How much memory a run may still have: what the machine has, and what its control groups and limits leave of that.

    MemAvailable of /proc/meminfo
    memory.max, memory.high (v2), memory.limit_in_bytes (v1)    of this process's group and of all above it, less use
    RLIMIT_AS                                                   less this process's own address space

Memory of a memfd is charged to the group of whoever touches it first, as all memory is. What a group uses counts its
page cache; the part that has not been used lately (``inactive_file``) is given back before anybody is killed for want
of memory, so it counts as free. Sources: Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst.
"""

import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from testbed.core.text.printable import printable
from testbed.linux.control_groups import groups

_V1 = ("memory.usage_in_bytes", ("memory.limit_in_bytes",), "total_inactive_file")
_V2 = ("memory.current", ("memory.max", "memory.high"), "inactive_file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """``size`` bytes can be had without swapping; ``of`` says who has no more: ``this machine has``."""

    size: int
    of: str


def room(root: Path = Path("/")) -> Room:
    """The least of all that limit it. ``root``: where /proc and the mount points are."""
    return min(_limits(root), key=lambda each: each.size)


def available_bytes() -> int:
    """How many bytes can be had without swapping: the size of ``room``."""
    return room().size


def _limits(root: Path) -> Iterator[Room]:
    fields = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text("ascii").splitlines())
    yield Room(size=int(fields["MemAvailable"].split()[0]) * 1024, of="this machine has")
    for group, version in groups(root, "memory"):
        yield from _left(group, *(_V1 if version == 1 else _V2))
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        used = int((root / "proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        yield Room(size=max(0, limit - used), of="the limit on a process's address space (ulimit -v) leaves")


def _left(group: Path, usage: str, limits: tuple[str, ...], inactive: str) -> Iterator[Room]:
    """Of one group; nothing where it has no such controller, or no limit."""
    used = _number(group / usage)
    if used is None:
        return
    cache = 0
    with suppress(OSError, ValueError, KeyError):
        stat = dict(line.split() for line in (group / "memory.stat").read_text("ascii").splitlines())
        cache = int(stat[inactive])
    for name in limits:
        limit = _number(group / name)
        if limit is not None:
            yield Room(
                size=max(0, limit - max(0, used - cache)), of=f"the control group {printable(str(group))} leaves"
            )


def _number(file: Path) -> int | None:
    """None where there is none: no such file, or ``max``."""
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None

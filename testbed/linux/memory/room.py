"""How much memory a run may still have: what the machine has, and what its control groups and limits leave of that.

    MemAvailable of /proc/meminfo
    memory.max, memory.high (v2), memory.limit_in_bytes (v1)    of this process's group and of all above it, less use
    RLIMIT_AS                                                   less this process's own address space

Memory of a memfd is charged to the group of whoever touches it first, as all memory is. What a group uses counts its
page cache; the part that has not been used lately (``inactive_file``) is given back before anybody is killed for want
of memory, so it counts as free. Sources: Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst; cgroups(7).
"""

import resource
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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
    for group, version in _groups(root):
        yield from _left(group, *version)
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
            yield Room(size=max(0, limit - max(0, used - cache)), of=f"the control group {group} leaves")


def _number(file: Path) -> int | None:
    """None where there is none: no such file, or ``max``."""
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):
        return None


def _groups(root: Path) -> Iterator[tuple[Path, tuple[str, tuple[str, ...], str]]]:
    """The folders of this process's group and of all above it, of either version."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _id, controllers, path = line.split(":", 2)
            if not controllers:
                yield from ((folder, _V2) for folder in _folders(root, "cgroup2", path))
            elif "memory" in controllers.split(","):
                yield from ((folder, _V1) for folder in _folders(root, "cgroup", path))


def _folders(root: Path, kind: str, path: str) -> Iterator[Path]:
    """proc(5), mountinfo: ... ROOT MOUNTPOINT ... - TYPE SOURCE OPTIONS. In a container ROOT is often the group itself,
    or the path leads out of what is mounted; then the mount point is as high as one can see.
    """
    for line in (root / "proc/self/mountinfo").read_text().splitlines():
        mount, _, super_block = line.partition(" - ")
        words, (type_, _source, options) = mount.split(), super_block.split(" ", 2)
        if type_ != kind or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        top = root / words[4].lstrip("/")
        below = Path(path).relative_to(words[3]) if Path(path).is_relative_to(words[3]) else Path()
        if ".." in below.parts:
            below = Path()
        yield from (top / part for part in (below, *below.parents))
        return

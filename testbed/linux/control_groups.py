"""The control groups that this process is in, of either version: their folders, from its own up to the highest seen.

Sources: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst; cgroups(7).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from testbed.linux.mounts import mounts

Version: TypeAlias = Literal[1, 2]


def groups(root: Path, controller: str) -> Iterator[tuple[Path, Version]]:
    """The folders of this process's group and of all above it, where a controller's files may be. ``root``: where /proc
    and the mount points are.
    """
    with suppress(OSError):
        for line in filter(None, (root / "proc/self/cgroup").read_bytes().split(b"\n")):
            _id, controllers, path = map(os.fsdecode, line.split(b":", 2))  # a group may have any name
            if not controllers:
                yield from ((folder, 2) for folder in _folders(root, "cgroup2", path))
            elif controller in controllers.split(","):
                yield from ((folder, 1) for folder in _folders(root, "cgroup", path, controller))


def quota(root: Path = Path("/")) -> float | None:
    """How many processors these groups let it have; None: as many as there are."""
    found = [share for folder, version in groups(root, "cpu") if (share := _share(folder, version)) is not None]
    return min(found, default=None)


def _share(folder: Path, version: Version) -> float | None:
    """Microseconds in so many: ``20000 100000`` in one file, or a number in each of two; ``max`` or -1: no limit."""
    names = ("cpu.max",) if version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    try:
        limit, period = map(int, " ".join((folder / name).read_text("ascii") for name in names).split())
    except (OSError, ValueError):
        return None
    return limit / period if limit > 0 and period > 0 else None


def _folders(root: Path, kind: str, path: str, controller: str = "") -> Iterator[Path]:
    """In a container a mount's root is often the group itself, or the path leads out of what is mounted; then the mount
    point is as high as one can see.
    """
    for mount in mounts(root):
        if mount.kind != kind or (controller and controller not in mount.options.split(",")):
            continue
        top = root / mount.point.lstrip("/")
        below = Path(path).relative_to(mount.root) if Path(path).is_relative_to(mount.root) else Path()
        if ".." in below.parts:
            below = Path()
        yield from (top / part for part in (below, *below.parents))
        return

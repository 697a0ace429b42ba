"""Which directory root may write results into: one in which nobody else can put or exchange anything.

Who else could: its owner, and whoever may write to it where it is not sticky. Of those we trust root, ourselves, who
called ``sudo``, and who owns the code that is running, since they may do as they like with us anyway.
"""

import os
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from testbed.linux.mounts import mounts
from testbed.linux.processes.caller import caller, name_of
from testbed.linux.processes.module import ROOT

LOOSE = {"vboxsf", "vmhgfs", "fuse.vmhgfs-fuse", "prl_fs", "9p", "vfat", "exfat", "fuseblk", "ntfs3"}
"""File systems, shared folders of virtual machines above all, whose owners and modes are what the mount says."""
_EVERYBODY = ["0", "0", "4294967295"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """Users and groups, by number, whose directories and files we rely on."""

    uids: frozenset[int]
    gids: frozenset[int]

    @classmethod
    def now(cls) -> Self:
        """Those of this process."""
        code, known = os.stat(ROOT), caller()
        called = ({known.uid}, {known.gid}) if known else (set[int](), set[int]())
        return cls(
            uids=frozenset({0, os.geteuid(), code.st_uid, *called[0], *_unmapped()}),
            gids=frozenset({0, os.getegid(), code.st_gid, *called[1]}),
        )

    def fault(self, folder: int) -> str | None:
        """Why an open directory is not one that results may be written to, or looked for in; None: it is."""
        found = os.fstat(folder)
        if found.st_uid not in self.uids:
            return f"belongs to {name_of(found.st_uid)}"
        if found.st_mode & stat.S_ISVTX or _is_loose(found.st_dev):
            return None
        if found.st_mode & stat.S_IWOTH:
            return "can be written to by everybody"
        if found.st_mode & stat.S_IWGRP and found.st_gid not in self.gids:
            return "can be written to by another group"
        return None


def _unmapped() -> set[int]:
    """In a user namespace whoever is not of it goes by one number, the machine's root among them."""
    if Path("/proc/self/uid_map").read_text(encoding="ascii").split() == _EVERYBODY:
        return set()
    return {int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))}


@cache
def _is_loose(device: int) -> bool:
    number = f"{os.major(device)}:{os.minor(device)}"
    return any(mount.device == number and mount.kind in LOOSE for mount in mounts())

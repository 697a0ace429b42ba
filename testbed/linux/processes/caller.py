"""Who called ``sudo``: what a run leaves is theirs, and what needs no root is done as them."""

import os
import pwd
from dataclasses import dataclass

NOBODY = 65534


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An ordinary user of this machine, by number, and a group that is theirs."""

    uid: int
    gid: int


def is_root() -> bool:
    """Whether this process may become anybody, as root may: not so in a user namespace with nobody else in it, whose
    root has no more rights outside than the user who made it.
    """
    if os.geteuid() != 0:
        return False
    with open("/proc/self/uid_map", encoding="ascii") as ranges:
        return sum(int(line.split()[2]) for line in ranges) > 1


def caller() -> Caller | None:
    """None for root's own, for an ordinary user, and where ``sudo`` names nobody that there is."""
    uid, gid = _number("SUDO_UID"), _number("SUDO_GID")
    if not uid or not is_root():
        return None
    try:
        known = pwd.getpwuid(uid)
    except (KeyError, OverflowError):
        return None
    theirs = gid is not None and gid in os.getgrouplist(known.pw_name, known.pw_gid)
    return Caller(uid=uid, gid=gid if gid is not None and theirs else known.pw_gid)


def give_up_root() -> str:
    """From now on this process is of who called ``sudo``, else nobody's; the name of who that is. Does nothing without
    root, and says nothing.
    """
    if not is_root():
        return ""
    to = caller() or Caller(uid=NOBODY, gid=NOBODY)
    os.setgroups([])
    os.setgid(to.gid)
    os.setuid(to.uid)
    return name_of(to.uid)


def name_of(uid: int) -> str:
    """As the machine calls that user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"user {uid}"


def _number(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None

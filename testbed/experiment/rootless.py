"""A machine for who is not root: namespaces of their own where the kernel lets them, and a lock outside of these.

The lock is where the same user's other runs look: /run/user/UID, else $XDG_RUNTIME_DIR, else a folder in /tmp which has
to be that user's own, so that who makes one of that name first can keep them from running and do nothing else.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from testbed.core.errors import PrerequisiteMissing
from testbed.experiment.state import RUNTIME
from testbed.linux.files.installed import find_systems_commands
from testbed.linux.namespaces.contained import OPENED, filtered, masked
from testbed.linux.namespaces.entering import NotEntered, enter
from testbed.linux.namespaces.knobs import mended, set_so
from testbed.linux.namespaces.outside import outside

OTHERWISE = "run it with sudo, or choose --engine simulated"
VIRTUAL = "use a virtual machine"
REFUSING = {errno.EPERM, errno.EACCES}
HIDDEN = Path("/run")
"""What is there is hidden by a folder of the run's own."""


def become_root(*, needed: bool = True) -> None:
    """From here on this process is root, where that is ``needed``: of the machine by sudo, or else of namespaces of its
    own. To be called before anything is opened or a thread started. Raises ``PrerequisiteMissing``: what refuses them.
    """
    find_systems_commands()
    if not needed or os.geteuid() == 0:
        return
    theirs = _of_session(os.geteuid())
    try:
        enter([theirs] if _is_own(theirs) else [])
    except NotEntered as refused:
        raise why_not(refused, set_so(), filtered(), masked()) from refused
    for name in ("SUDO_USER", "SUDO_UID", "SUDO_GID"):  # of who became this user; there is nobody else here
        os.environ.pop(name, None)


def why_not(refused: NotEntered, knobs: Sequence[str], filters: bool, masks: bool) -> PrerequisiteMissing:
    """In words: ``knobs`` are set so that they refuse it; whether system calls are filtered here, and /proc masked."""
    number = refused.errno or 0
    if knobs:
        what, remedy = f"{knobs[0].replace('/', '.')} refuses them here", f"{mended(knobs[0])}, or {OTHERWISE}"
    elif number in {errno.ENOSPC, errno.EUSERS}:
        what, remedy = "there are as many as the machine allows", mended("user/max_user_namespaces")
    elif number in {errno.EINVAL, errno.ENOSYS}:
        what, remedy = "this kernel has none for ordinary users", OTHERWISE
    elif number in REFUSING and refused.step == "proc" and masks:
        what, remedy = "a container hides parts of /proc, so that no other can be mounted", f"{OPENED}, or {VIRTUAL}"
    elif number in REFUSING and refused.step == "sys":
        what, remedy = (
            "no /sys can be mounted, as in a container that may only read its own",
            f"{OPENED}, or {VIRTUAL}",
        )
    elif number in REFUSING and filters:
        what, remedy = "a filter of system calls refuses them, as a container's does", f"{OPENED}, or {VIRTUAL}"
    elif number in REFUSING and refused.step == "users":
        what, remedy = "the kernel refuses them here, as in a chroot", OTHERWISE
    else:
        what, remedy = "they are refused here", OTHERWISE
    said = f"{os.strerror(number)} at the step '{refused.step}'"
    return PrerequisiteMissing(f"real hosts without root need namespaces of one's own, and {what} ({said})", remedy)


def lock_folder(temporary: Path = Path("/tmp")) -> Path:  # noqa: S108 - it is used only if it is ours
    """Where the lock of this process's user lies: root's with all else that a run keeps."""
    known = outside()
    uid = known.uid if known else os.geteuid()
    if uid == 0:
        return RUNTIME
    named = Path(os.environ.get("XDG_RUNTIME_DIR") or "-")
    own = (each for each in (_of_session(uid), named) if each.is_absolute() and _is_own(each))
    above = next((each for each in own if each == _of_session(uid) or HIDDEN not in each.resolve().parents), None)
    return above / RUNTIME.name if above else temporary / f"{RUNTIME.name}-{uid}"


def _of_session(uid: int) -> Path:
    return HIDDEN / "user" / str(uid)


def _is_own(folder: Path) -> bool:
    """A directory of this user's, into which nobody else may put anything."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and found.st_uid == os.geteuid() and not found.st_mode & 0o022

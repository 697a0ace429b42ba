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
from testbed.linux.namespaces.entering import Refused, enter
from testbed.linux.namespaces.knobs import mended, set_so
from testbed.linux.namespaces.outside import outside

OTHERWISE = "run it with sudo, or choose --engine simulated"
CONTAINER = "start the container with"
VIRTUAL = "use a virtual machine"
HIDDEN = Path("/run")
"""What is there is hidden by a folder of the run's own."""


def become_root() -> None:
    """From here on this process is root: of the machine by sudo, or else of namespaces of its own. To be called before
    anything is opened, and before there is a thread. Raises ``PrerequisiteMissing``, saying what refuses them.
    """
    if os.geteuid() == 0:
        return
    theirs = _of_session(os.geteuid())
    try:
        enter([theirs] if _is_own(theirs) else [])
    except Refused as refused:
        raise why_not(refused, set_so(), filtered()) from refused
    for name in ("SUDO_USER", "SUDO_UID", "SUDO_GID"):  # of who became this user; there is nobody else here
        os.environ.pop(name, None)


def why_not(refused: Refused, knobs: Sequence[str], filters: bool) -> PrerequisiteMissing:
    """In words: ``knobs`` are set so that they refuse it, and ``filters`` is whether system calls are filtered."""
    what, remedy = _explained(refused, knobs, filters)
    return PrerequisiteMissing(f"real hosts without root need namespaces of one's own, and {what}", remedy)


def _explained(refused: Refused, knobs: Sequence[str], filters: bool) -> tuple[str, str]:
    said = f"{os.strerror(refused.errno or 0)} at the step '{refused.step}'"
    if knobs and refused.errno != errno.ENOSYS:
        name = knobs[0].replace("/", ".")
        return f"{name} refuses them here ({said})", f"{mended(knobs[0])}, or {OTHERWISE}"
    match refused.step, refused.errno:
        case "users" | "namespaces", errno.ENOSPC | errno.EUSERS:
            return f"there are as many as the machine allows ({said})", f"{mended('user/max_user_namespaces')}"
        case "users" | "namespaces", errno.EINVAL | errno.ENOSYS:
            return f"this kernel has none for ordinary users ({said})", OTHERWISE
        case "proc", errno.EPERM | errno.EACCES if not filters or _masked():
            remedy = f"{CONTAINER} --security-opt systempaths=unconfined (Podman: unmask=ALL), or {VIRTUAL}"
            return f"no /proc can be mounted: a container hides parts of its own ({said})", remedy
        case _, errno.EPERM | errno.EACCES if filters:
            remedy = f"{CONTAINER} --security-opt seccomp=unconfined --security-opt systempaths=unconfined, or {VIRTUAL}"
            return f"system calls are filtered here, as in a container ({said})", remedy
        case "users", errno.EPERM:
            return f"the kernel refuses them here, as it does in a chroot ({said})", OTHERWISE
    return f"they are refused here ({said})", OTHERWISE


def filtered() -> bool:
    """Whether a filter says which system calls this process may make, as that of a container does."""
    status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    return any(line.split()[1:] == ["2"] for line in status.splitlines() if line.startswith("Seccomp:"))


def _masked() -> bool:
    """Whether something is mounted over parts of /proc."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.split()[4].startswith("/proc/") for line in mounts)


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

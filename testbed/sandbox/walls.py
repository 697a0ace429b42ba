"""The walls of a sandbox, put up by bubblewrap: what code finds inside, and what to do where they cannot be had.

    /usr /bin /lib       the system's programs          /venv        this Python's packages
    /code/testbed ...    our packages                   /policy.py   its own file, by another name
    /proc /dev /tmp      its own, empty                 no network, nobody else; nothing can be written anywhere

Root needs no user namespace for that: it puts the walls up and goes in as nobody. Anybody else makes one, in which
they are nobody; Ubuntu 24.04 and some containers refuse that.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from testbed.core.errors import PrerequisiteMissing
from testbed.linux.files.installed import ROOT, installing
from testbed.linux.namespaces.contained import OPENED, filtered, masked
from testbed.linux.namespaces.knobs import mended, set_so
from testbed.linux.processes.caller import NOBODY as NOBODYS_ID
from testbed.linux.processes.caller import is_root, name_of
from testbed.linux.processes.module import PACKED_OPTION, Parts
from testbed.sandbox.messages import FILE

PROGRAM = "bwrap"
CODE, PACKAGES, PACKED = "/code", "/venv", "/code/packed"
NOBODY = str(NOBODYS_ID)
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own, and empty
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",  # the same code decides the same
    "OPENBLAS_NUM_THREADS": "1",  # it may start no thread
}


READABLE = "move it where everybody may read it, such as /opt, and run its bootstrap there"
_ELSEWHERE = "use a virtual machine, or a privileged container"


def command(file: int, packed: int, seccomp: int | None, inside: Sequence[str], *, root: bool) -> list[str]:
    """What starts ``inside``, a command of this Python's as ``module`` makes it, behind the walls. ``file``, ``packed``
    and ``seccomp``: descriptors with the code, our modules and the filter.
    """
    started = [*_as_nobody(), *_inside(inside)] if root else _inside(inside)
    return [PROGRAM, *_apart(root), *_furnished(file, packed), *_filtered(seccomp), "--", *started]


def _apart(root: bool) -> Iterator[str]:
    yield from ("--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--die-with-parent", "--new-session", "--hostname", "sandbox", "--cap-drop", "ALL")
    if root:
        yield from (word for each in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{each}"))
    else:
        yield from ("--unshare-user", "--disable-userns", "--uid", NOBODY, "--gid", NOBODY)


def _furnished(file: int, packed: int) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "lib", "lib64"):
        yield from ("--symlink", f"usr/{name}", f"/{name}")
    if sys.prefix != sys.base_prefix:
        yield from ("--ro-bind", sys.prefix, PACKAGES)
    if not sys.base_prefix.startswith("/usr"):
        yield from _bound(sys.base_prefix)
    yield from ("--perms", "0755", "--dir", CODE)
    for package in Parts.NAMES:
        yield from ("--ro-bind-try", f"{ROOT / package}", f"{CODE}/{package}")
    yield from ("--perms", "0444", "--ro-bind-data", str(packed), PACKED)
    yield from ("--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--tmpfs", "/tmp", "--remount-ro", "/tmp")  # noqa: S108
    yield from ("--perms", "0444", "--ro-bind-data", str(file), FILE, "--remount-ro", "/", "--chdir", "/")
    yield "--clearenv"
    for name, text in ENVIRONMENT.items():
        yield from ("--setenv", name, text)


def _bound(path: str) -> Iterator[str]:
    """A folder by its own name; those above it can be passed through and hold nothing else."""
    for above in reversed(Path(path).parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(above))
    yield from ("--ro-bind", path, path)


def _filtered(seccomp: int | None) -> list[str]:
    return [] if seccomp is None else ["--seccomp", str(seccomp)]


def _as_nobody() -> list[str]:
    """Before any Python runs."""
    who = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    return ["setpriv", *who, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]


def _inside(command: Sequence[str]) -> list[str]:
    """The same command by the names that things have inside."""
    ours = f"{ROOT}/"
    python, *words = command
    start = (_in_venv(python), "-S", "-X", f"{PACKED_OPTION}={PACKED}")
    return [*start, *(f"{CODE}/{word.removeprefix(ours)}" if word.startswith(ours) else word for word in words)]


def packages() -> list[str]:
    """Folders of packages that this Python finds and that are there inside, by the names that they have inside."""
    known = (each for each in sys.path if each.endswith(("/site-packages", "/dist-packages")))
    return [_in_venv(each) for each in known if each.startswith((f"{sys.prefix}/", f"{sys.base_prefix}/", "/usr/"))]


def _in_venv(path: str) -> str:
    """A path of this Python's by the name that it has inside."""
    packages = f"{sys.prefix}/"
    if sys.prefix == sys.base_prefix or not path.startswith(packages):
        return path
    return f"{PACKAGES}/{path.removeprefix(packages)}"


def missing(words: str) -> PrerequisiteMissing:
    """What this machine lacks, when a sandbox that was to be put up ended with these words."""
    if shutil.which(PROGRAM) is None:
        return PrerequisiteMissing(
            "there is no bwrap, and code that is not trusted runs in its sandbox only", installing(PROGRAM)
        )
    said = f"a sandbox for code that is not trusted cannot be put up ({words})"
    if shut := _shut():
        return PrerequisiteMissing(f"{said}: {name_of(os.geteuid())} cannot read {shut}", READABLE)
    return PrerequisiteMissing(said, remedy(is_root(), set_so()))


def remedy(root: bool, refusing: Sequence[str]) -> str:
    """What mends it, for root or anybody else, where those of ``KNOBS`` are set so that they refuse."""
    if root:
        return f"root may make no namespaces here, as in most containers: {_ELSEWHERE}"
    if not refusing and (filtered() or masked()):
        return OPENED
    if not refusing:
        return "run it with sudo, which needs no user namespaces"
    return f"{_dotted(refusing[0])} refuses user namespaces here: run it with sudo, or set {mended(refusing[0])}"


def remedy_without_root(refusing: Sequence[str] | None = None) -> str:
    """What mends it for who gives up root first, so that sudo would not help."""
    if shutil.which(PROGRAM) is None:
        return installing(PROGRAM)
    if _shut():
        return READABLE
    refusing = set_so() if refusing is None else refusing
    if refusing:
        return f"{_dotted(refusing[0])} refuses user namespaces here: set {mended(refusing[0])}"
    return f"ordinary users may make no namespaces here, as in most containers: {_ELSEWHERE}"


def _shut() -> str:
    """What of this Python's or ours this user may not read, such as a checkout below root's home."""
    needed = (str(ROOT / "testbed"), sys.prefix)
    return next((each for each in needed if not os.access(each, os.R_OK | os.X_OK)), "")


def _dotted(knob: str) -> str:
    return knob.replace("/", ".")

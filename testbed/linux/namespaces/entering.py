"""Into namespaces of one's own, as root of them: users, mounts, network, processes and System V memory.

    the command ──fork──> door ──unshare, fork──> init (process 1) ──fork──> the command goes on, as root
      becomes the           ends with             makes /proc, /run, lo;
      supervising_process   the command           collects orphans

Each ends with the one before it, and the kernel ends all that is in the namespace of processes with its process 1: so
nothing is left, whichever of them is killed. ``enter`` returns in the last of them alone.
"""

import errno
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from testbed.linux.namespaces.outside import Outside, leave
from testbed.linux.namespaces.supervising_process import HEARD
from testbed.linux.processes.module import module
from testbed.linux.processes.process import die_with_parent
from testbed.linux.syscalls import mount, unshare

ENTERED = b"in"
"""What is said outside, with a descriptor of the process that went in. All else is a ``NotEntered``, as JSON."""
_MOST_WORDS = 4096
_NEW_MOUNTS, _NEW_IPC, _NEW_USERS, _NEW_PROCESSES, _NEW_NETWORK = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_NOSUID, _NODEV, _NOEXEC, _BIND, _RECURSIVE, _PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


class NotEntered(OSError):
    """The kernel, or its policy, refused ``step``: one of ``users``, ``maps``, ``namespaces``, ``proc``, ``sys``,
    ``run`` and ``loopback``.
    """

    def __init__(self, step: str, number: int) -> None:
        super().__init__(number, os.strerror(number))
        self.step = step


def enter(kept: Sequence[Path] = ()) -> None:
    """From here on this is a process in namespaces of its own, and root there. The one that called becomes that which
    hands on signals and the exit code. ``kept``: folders below /run that stay to be seen. Raises ``NotEntered``, after
    which nothing has changed.
    """
    taken = Outside.here()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    door = _forked()
    if door == 0:
        ours.close()
        _go_in(theirs, taken, kept, os.getppid())
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        leave(taken)
        return
    theirs.close()
    words, descriptors, _, _ = socket.recv_fds(ours, _MOST_WORDS, 1)
    if words != ENTERED:
        os.waitpid(door, 0)
        taken.close()
        ours.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        raise NotEntered(**json.loads(words)) if words else NotEntered("namespaces", errno.EIO)
    _supervise(ours.fileno(), descriptors[0], door)


def _supervise(*numbers: int) -> NoReturn:
    """A program of its own: small, and with one thread, so that no other takes the signals."""
    for descriptor in numbers[:2]:
        os.set_inheritable(descriptor, True)
    command = module("testbed.linux.namespaces.supervising_process", *map(str, numbers))
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def _forked() -> int:
    """``os.fork``, which later Pythons warn of where there are threads: numpy's, which begins anew by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _go_in(to: socket.socket, taken: Outside, kept: Sequence[Path], parent: int) -> None:
    """The door; only what is forked off in the innermost returns."""
    try:
        _become_root(os.geteuid(), os.getegid())
        die_with_parent()
        if os.getppid() != parent:
            os._exit(1)
        with _step("namespaces"):
            unshare(_NEW_PROCESSES | _NEW_MOUNTS | _NEW_NETWORK | _NEW_IPC)
        init = _forked()
        if init:
            to.close()
            taken.close()
            os.waitpid(init, 0)
            os._exit(0)
        die_with_parent()
        _furnish(kept)
    except NotEntered as refused:
        _end(to, json.dumps({"step": refused.step, "number": refused.errno}).encode())
    command = _forked()
    if command:
        taken.close()
        _collect(to, command)
    to.close()


def _become_root(uid: int, gid: int) -> None:
    with _step("users"):
        unshare(_NEW_USERS)
    with _step("maps"):
        # Who may drop a group could get into what that group is kept out of.
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1", encoding="ascii")


def _furnish(kept: Sequence[Path]) -> None:
    """Processes and files of this machine's own under /proc and /run, and a loopback."""
    with _step("proc"):
        mount("none", "/", "", _RECURSIVE | _PRIVATE)
        mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    with _step("run"):
        folders = [(each, os.open(each, os.O_PATH | os.O_DIRECTORY)) for each in kept]
    with _step("sys"):  # each host will want one: it is tried where it is covered at once
        mount("sysfs", "/run", "sysfs", _NOSUID | _NODEV | _NOEXEC)
    with _step("run"):
        mount("tmpfs", "/run", "tmpfs", _NOSUID | _NODEV, "mode=0755")
        for path, descriptor in folders:
            path.mkdir(parents=True)
            mount(f"/proc/self/fd/{descriptor}", str(path), "", _BIND | _RECURSIVE)
            os.close(descriptor)
    with _step("loopback"), socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise NotEntered(name, fault.errno or errno.EIO) from fault


def _collect(to: socket.socket, command: int) -> NoReturn:
    """What process 1 is for: whoever has lost their parent is its child. It ends with the command."""
    try:
        socket.send_fds(to, [ENTERED], [os.pidfd_open(command)])
        while True:
            pid, status = os.waitpid(-1, 0)
            if pid == command:
                _end(to, str(status).encode())
    finally:
        os._exit(1)


def _end(to: socket.socket, words: bytes) -> NoReturn:
    with suppress(OSError):  # nobody is left who could be told
        to.send(words)
    os._exit(0)

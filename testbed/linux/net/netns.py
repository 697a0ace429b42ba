"""Something done inside another process's network namespace, while this process stays where it is.

``setns`` moves one thread. A thread made for the purpose moves, works and ends, so nothing of this process has moved;
a socket stays for ever in the namespace in which it was opened, and holds that namespace until it is closed.
"""

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def open_socket(pid: int, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket in the network namespace of process ``pid``. Raises ``OSError`` (no such process, not permitted)."""
    return inside(pid, lambda: socket.socket(family, kind, protocol))


def write_sysctls(pid: int, settings: dict[str, str]) -> None:
    """Writes settings (``net/ipv4/...`` below /proc/sys) of the namespace of ``pid`` alone. Raises ``OSError``.

    /proc/sys/net shows the settings of the thread that opens it.
    """

    def write() -> None:
        for name, value in settings.items():
            (Path("/proc/sys") / name).write_text(value)

    inside(pid, write)


class Sysctl:
    """One setting (``net/ipv4/...`` below /proc/sys) of the namespace of ``pid``, opened beforehand: to write it then
    takes microseconds, wherever this thread is. Raises ``OSError``.
    """

    def __init__(self, pid: int, name: str) -> None:
        self._file = inside(pid, lambda: (Path("/proc/sys") / name).open("wb", buffering=0))

    def write(self, value: bytes) -> None:
        """Raises ``OSError``, also when the namespace has gone."""
        self._file.seek(0)
        self._file.write(value)

    def close(self) -> None:
        """Lets go of it; it stays as it is."""
        self._file.close()


def inode(pid: int) -> int:
    """The namespace's inode number: equal for processes that share it. Raises ``OSError``."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def inside(pid: int, work: Callable[[], T]) -> T:
    """What ``work`` returns, or raises, when called in the network namespace of process ``pid``.

    Where this thread is there already it just calls it, which needs no privilege.
    """
    if inode(pid) == os.stat("/proc/thread-self/ns/net").st_ino:
        return work()
    errand = _Errand(pid, work)
    errand.start()
    errand.join()
    return errand.outcome()


class _Errand(threading.Thread, Generic[T]):
    def __init__(self, pid: int, work: Callable[[], T]) -> None:
        super().__init__(name=f"netns of {pid}", daemon=True)
        self._pid, self._work = pid, work
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            _enter(self._pid)
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again, in the thread that asked
            self._error = error

    def outcome(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result[0]


def _enter(pid: int) -> None:
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _LIBC.setns(namespace, _CLONE_NEWNET):
            errno = ctypes.get_errno()
            raise OSError(errno, f"{os.strerror(errno)} (entering the network namespace of process {pid})")
    finally:
        os.close(namespace)

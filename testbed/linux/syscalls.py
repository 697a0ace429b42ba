"""System calls that Python does not wrap, by number for each architecture, and libc calls with no wrapper.

Every function raises ``OSError`` with the kernel's errno; who calls says what it means. A call that a signal broke off
is made again, as by Python's own functions (PEP 475): a process that was stopped and goes on has failed at nothing.
"""

import ctypes
import errno
import os
import platform
from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long
_LIBC.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]

_NUMBERS = {
    "userfaultfd": {"x86_64": 323, "aarch64": 282},
    "io_setup": {"x86_64": 206, "aarch64": 0},
    "io_destroy": {"x86_64": 207, "aarch64": 1},
    "io_getevents": {"x86_64": 208, "aarch64": 4},
    "io_submit": {"x86_64": 209, "aarch64": 2},
    "pidfd_getfd": {"x86_64": 438, "aarch64": 438},
}
"""From arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h (arm64)."""


def syscall(name: str, *arguments: int) -> int:
    """Calls the kernel. A number not known for this architecture is ``OSError`` (ENOSYS), as on an old kernel."""
    number = _NUMBERS[name].get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"no number of {name} is known for {platform.machine()}")
    return _called(_LIBC.syscall, ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))


def prctl(option: int, value: int) -> int:
    """``prctl(2)`` with one argument."""
    return _called(_LIBC.prctl, ctypes.c_int(option), *(ctypes.c_ulong(word) for word in (value, 0, 0, 0)))


def unshare(flags: int) -> None:
    """``unshare(2)``: this process leaves the namespaces named by ``flags`` (CLONE_NEW...) for new ones."""
    _called(_LIBC.unshare, ctypes.c_int(flags))


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """``mount(2)``: ``kind`` is the file system's name; ``flags`` are MS_..., ``data`` its own options."""
    texts = (ctypes.c_char_p(os.fsencode(text)) for text in (source, target, kind))
    _called(_LIBC.mount, *texts, ctypes.c_ulong(flags), ctypes.c_char_p(os.fsencode(data)))


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """``fallocate(2)``, with the modes that ``os.posix_fallocate`` does not offer. Bytes."""
    _called(_LIBC.fallocate, fd, mode, offset, length)


def _called(function: Callable[..., int], *arguments: object) -> int:
    """Handlers of signals run between two tries, and one that raises ends them."""
    while (result := function(*arguments)) < 0:
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))
    return int(result)

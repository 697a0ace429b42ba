"""What a kernel may lack, found out by asking it, with nothing of ours between: who skips for want of it is believed so
(tests/conftest.py).
"""

import ctypes
import fcntl
import mmap
import os
import platform
import struct
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path


def _lacks_netem() -> bool:
    command = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return "kind is unknown" in tried.stderr


def _lacks_openvswitch() -> bool:
    # Asking for the family loads the module where there is one.
    tried = subprocess.run(["genl", "ctrl", "get", "name", "ovs_datapath"], capture_output=True, text=True, check=False)
    return "No such file" in tried.stderr


def _lacks_soft_dirty() -> bool:
    """Clear every soft-dirty bit of this process, write one page: its bit (55) must be set again."""
    with mmap.mmap(-1, mmap.PAGESIZE) as page, Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        page[0] = 1
        Path("/proc/self/clear_refs").write_text("4", encoding="ascii")
        page[0] = 2
        pagemap.seek(_address(page) // mmap.PAGESIZE * 8)
        return not int.from_bytes(pagemap.read(8), "little") >> 55 & 1


def _lacks_async_write_protection() -> bool:
    """Ask a userfaultfd for UFFD_FEATURE_WP_ASYNC: what a kernel does not know it refuses. Whoever may have none
    cannot tell.
    """
    number = {"x86_64": 323, "aarch64": 282}[platform.machine()]
    user_mode_only = 1
    asked = ctypes.CDLL(None).syscall(number, os.O_CLOEXEC | user_mode_only)
    if asked < 0:
        return False
    try:
        fcntl.ioctl(asked, 0xC018AA3F, struct.pack("QQQ", 0xAA, 1 << 15, 0))  # UFFDIO_API
    except OSError:
        return True
    finally:
        os.close(asked)
    return False


def _address(page: mmap.mmap) -> int:
    view = ctypes.c_char.from_buffer(page)
    try:
        return ctypes.addressof(view)
    finally:
        del view


PROBES: dict[str, Callable[[], bool]] = {
    "netem": _lacks_netem,
    "openvswitch": _lacks_openvswitch,
    "CONFIG_MEM_SOFT_DIRTY": _lacks_soft_dirty,
    "UFFD_FEATURE_WP_ASYNC": _lacks_async_write_protection,
}


@cache
def lacks(facility: str) -> bool:
    """Whether this kernel is seen not to have it. Raises ``KeyError`` for what there is no probe of."""
    return PROBES[facility]()

"""Asynchronous I/O of the kernel (``io_submit(2)``): direct operations on a file, whose ends an eventfd tells.

Source of layouts and constants: include/uapi/linux/aio_abi.h, fs.h.
"""

import ctypes
import errno
import os

from testbed.core.errors import PrerequisiteMissing
from testbed.linux.syscalls import syscall

_READ, _WRITE = 0, 1
_RESFD = 1
_DSYNC = 2


class _Block(ctypes.Structure):
    """``struct iocb`` of a little-endian machine."""

    _fields_ = [
        ("data", ctypes.c_uint64),
        ("key", ctypes.c_uint32),
        ("rw_flags", ctypes.c_uint32),
        ("opcode", ctypes.c_uint16),
        ("priority", ctypes.c_int16),
        ("fd", ctypes.c_uint32),
        ("buffer", ctypes.c_uint64),
        ("length", ctypes.c_uint64),
        ("offset", ctypes.c_int64),
        ("reserved", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("resfd", ctypes.c_uint32),
    ]


class AioContext:
    """Up to ``depth`` operations in flight on ``fd``. ``eventfd`` becomes readable when some have ended.

    Raises ``PrerequisiteMissing`` where the kernel has none. Not for two threads.
    """

    def __init__(self, fd: int, depth: int) -> None:
        self._fd = fd
        handle = ctypes.c_ulong(0)
        try:
            syscall("io_setup", depth, ctypes.addressof(handle))
        except OSError as fault:
            raise PrerequisiteMissing(
                f"the kernel has no asynchronous I/O for {depth} operations ({fault.strerror})",
                "raise fs.aio-max-nr, or use a kernel with CONFIG_AIO",
            ) from fault
        self._handle = int(handle.value)
        self.eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._block, self._list = _Block(), (ctypes.c_uint64 * 1)()
        self._list[0] = ctypes.addressof(self._block)
        self._events = (ctypes.c_uint64 * (4 * depth))()
        self._depth = depth

    def read(self, tag: int, address: int, length: int, offset: int) -> None:
        """Begins one. ``tag`` comes back with its end. Raises ``OSError``."""
        self._submit(_READ, tag, address, length, offset, 0)

    def write(self, tag: int, address: int, length: int, offset: int, *, sync: bool) -> None:
        """Begins one; ``sync``: it ends when its data is durable. Raises ``OSError``."""
        self._submit(_WRITE, tag, address, length, offset, _DSYNC if sync else 0)

    def wake(self) -> None:
        """Makes ``eventfd`` readable, as if an operation had ended."""
        os.eventfd_write(self.eventfd, 1)

    def ended(self) -> list[tuple[int, int]]:
        """(tag, bytes or negative errno) of those that have ended since; waits for none."""
        try:
            os.eventfd_read(self.eventfd)
        except BlockingIOError:
            return []
        count = syscall("io_getevents", self._handle, 0, self._depth, ctypes.addressof(self._events), 0)
        events = self._events
        return [(int(events[4 * n]), ctypes.c_int64(events[4 * n + 2]).value) for n in range(count)]

    def close(self) -> None:
        """Ends the context; waits for what is in flight."""
        syscall("io_destroy", self._handle)
        os.close(self.eventfd)

    def _submit(self, opcode: int, tag: int, address: int, length: int, offset: int, rw_flags: int) -> None:
        block = self._block
        block.data, block.rw_flags, block.opcode, block.fd = tag, rw_flags, opcode, self._fd
        block.buffer, block.length, block.offset = address, length, offset
        block.flags, block.resfd = _RESFD, self.eventfd
        if syscall("io_submit", self._handle, 1, ctypes.addressof(self._list)) != 1:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

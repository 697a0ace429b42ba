"""System calls that code in a sandbox has no use for and that reach what no other wall holds: memory that outlives a
process, other processes, further namespaces, and the kernel's younger corners. Each of them fails with EPERM.

The filter is a classic BPF program, as seccomp(2) has it; a processor that is not listed has none.
"""

import platform
import struct

_NAMES = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "shmget",
    "semget",
    "msgget",
    "mq_open",
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "add_key",
    "request_key",
    "keyctl",
    "perf_event_open",
    "bpf",
    "userfaultfd",
    "io_uring_setup",
    "personality",
    "open_by_handle_at",
    "name_to_handle_at",
]
_X86_64 = (
    101,
    310,
    311,
    29,
    64,
    68,
    240,
    272,
    308,
    165,
    166,
    155,
    161,
    248,
    249,
    250,
    298,
    321,
    323,
    425,
    135,
    304,
    303,
)
_AARCH64 = (117, 270, 271, 194, 190, 186, 180, 97, 268, 40, 39, 41, 51, 217, 218, 219, 241, 280, 282, 425, 92, 265, 264)
_PROCESSORS = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}
"""AUDIT_ARCH of each, and the numbers of ``_NAMES``."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _PROCESSOR = 0, 4
"""Where they stand in what the kernel shows of a call."""
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1
_OTHER_ABI = 0x40000000
"""From here on numbers are of x32: the same calls under other numbers."""


def program(processor: str = platform.machine()) -> bytes:
    """The filter for a processor (``uname -m``); empty where its numbers are not known."""
    if processor not in _PROCESSORS:
        return b""
    arch, numbers = _PROCESSORS[processor]
    refused = [_step(_AT_LEAST, _OTHER_ABI, len(numbers) + 1), *_each(numbers), _step(_RETURN, _ALLOW)]
    known = [_step(_LOAD, _PROCESSOR), _step(_EQUAL, arch, 0, len(refused) + 1), _step(_LOAD, _NUMBER)]
    return b"".join([*known, *refused, _step(_RETURN, _REFUSE)])


def _each(numbers: tuple[int, ...]) -> list[bytes]:
    """Tests that jump over what follows them and over the permission, to the refusal."""
    return [_step(_EQUAL, number, len(numbers) - index) for index, number in enumerate(numbers)]


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, value)

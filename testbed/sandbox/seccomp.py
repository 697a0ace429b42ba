"""System calls that code in a sandbox has no use for and that reach what no other wall holds: memory that outlives a
process, other processes, further namespaces, a virtual machine's host, and the kernel's younger corners. Each of them
fails with EPERM.

The filter is a classic BPF program, as seccomp(2) has it; a processor that is not listed has none.
"""

import platform
import struct
from collections.abc import Mapping, Sequence

CALLS = {
    "socket": (41, 198),  # of AF_VSOCK: no network namespace keeps a virtual machine's host out
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "personality": (135, 92),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
}
"""The number of each on x86_64 and on aarch64."""
_PROCESSORS = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""AUDIT_ARCH of each, and which of a call's numbers it has."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _PROCESSOR = 0, 4
"""Where they stand in what the kernel shows of a call."""
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1
_OTHER_ABI = 0x40000000
"""From here on numbers are of x32: the same calls under other numbers."""


def program(processor: str = platform.machine(), calls: Mapping[str, tuple[int, int]] = CALLS) -> bytes:
    """The filter of these calls for a processor (``uname -m``); empty where its numbers are not known."""
    if processor not in _PROCESSORS:
        return b""
    arch, which = _PROCESSORS[processor]
    numbers = [each[which] for each in calls.values()]
    refused = [_step(_AT_LEAST, _OTHER_ABI, len(numbers) + 1), *_each(numbers), _step(_RETURN, _ALLOW)]
    known = [_step(_LOAD, _PROCESSOR), _step(_EQUAL, arch, 0, len(refused) + 1), _step(_LOAD, _NUMBER)]
    return b"".join([*known, *refused, _step(_RETURN, _REFUSE)])


def _each(numbers: Sequence[int]) -> list[bytes]:
    """Tests that jump over what follows them and over the permission, to the refusal."""
    return [_step(_EQUAL, number, len(numbers) - index) for index, number in enumerate(numbers)]


def _step(code: int, value: int, if_so: int = 0, if_not: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_so, if_not, value)

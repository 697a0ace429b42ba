"""Classic BPF: a filter that runs in the kernel, written with labels and attached to a socket.

    load      ldh [12]           two bytes at 12 of the packet into the accumulator
    jump      jeq #0x806 a, b    to label a when it is that, else to b ('' is the next line); forwards only
    answer    ret #128           how many bytes of the packet the socket gets; 0: none of it

A packet that ends before a load is answered with 0. Source: Documentation/networking/filter.rst,
include/uapi/linux/bpf_common.h.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass

_SO_ATTACH_FILTER = 26
_CODES = {"ldb": 0x30, "ldh": 0x28, "ldhx": 0x48, "ldxb": 0xB1, "jeq": 0x15, "jset": 0x45, "ret": 0x06}
"""``ldhx [x + k]``; ``ldxb``: x becomes four times the low half of the byte at k, the length of an IPv4 header."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction. ``label`` is its own name; ``then`` and ``other`` are where a jump goes, '' is the next line."""

    code: str
    value: int
    then: str = ""
    other: str = ""
    label: str = ""


def assemble(steps: Sequence[Step]) -> bytes:
    """The program as the kernel takes it, 8 bytes an instruction. Raises ``ValueError`` for a label that is behind."""
    at = {step.label: index for index, step in enumerate(steps) if step.label}
    return b"".join(
        struct.pack(
            "=HBBI",
            _CODES[step.code],
            _distance(at, step.then, index),
            _distance(at, step.other, index),
            step.value,
        )
        for index, step in enumerate(steps)
    )


def _distance(at: dict[str, int], label: str, index: int) -> int:
    """Instructions to skip."""
    if not label:
        return 0
    distance = at[label] - index - 1
    if not 0 <= distance <= 255:
        raise ValueError(f"a jump from line {index} to '{label}' is not one of 0 to 255 lines forward")
    return distance


def attach(sock: socket.socket, program: bytes) -> None:
    """From now on the socket gets what the program lets pass. Raises ``OSError`` (EINVAL: the kernel refuses it)."""
    lines = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: a count, and a pointer that the kernel reads before the call returns.
    sock.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program) // 8, ctypes.addressof(lines))
    )

"""Netlink: a question to the kernel as one datagram, the answer as a list of messages.

    nlmsghdr  length u32 | type u16 | flags u16 | sequence u32 | port u32 | payload, padded to 4
    nlattr    length u16 | type u16 | value, padded to 4; attributes may hold attributes

Source of layouts and constants: include/uapi/linux/netlink.h.
"""

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from testbed.linux.net.netns import open_socket

ROUTE, SOCK_DIAG = 0, 4

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_REQUEST, _ACK, _DUMP = 1, 4, 0x300
_ERROR, _DONE = 2, 3
_NESTED_MASK = 0x3FFF
_BUFFER = 1 << 16
"""Bytes read at a time. The kernel fits a dump's datagrams to the reader, at most 32 KiB."""
ECHO = 8
"""A flag: answer the one who asks, where the kernel would only tell those who listen (qdiscs)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of an answer."""

    kind: int
    payload: bytes


class Netlink:
    """One netlink socket, opened once in the network namespace of process ``pid`` (of this one when None).

    Not for two threads at a time. ``protocol`` is ``ROUTE`` or ``SOCK_DIAG``. Raises ``OSError`` of the kernel.
    """

    def __init__(self, protocol: int, pid: int | None = None) -> None:
        self._socket = open_socket(os.getpid() if pid is None else pid, socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self._socket.settimeout(5.0)  # the kernel answers at once; silence is an error and not a hang
        self._sequence = 0
        self._buffer = bytearray(_BUFFER)

    def ask(self, kind: int, payload: bytes, *, flags: int = 0) -> list[Message]:
        """The answer to one question about one thing; empty when the kernel has nothing to say about it."""
        return self._exchange(kind, flags | _ACK, payload)

    def order(self, kind: int, payload: bytes, *, flags: int = 0) -> None:
        """Asks for something to be done, and waits until it is."""
        self._exchange(kind, flags | _ACK, payload)

    def dump(self, kind: int, payload: bytes) -> list[Message]:
        """All things of a kind."""
        return self._exchange(kind, _DUMP, payload)

    def close(self) -> None:
        """Lets go of the namespace."""
        self._socket.close()

    def __enter__(self) -> "Netlink":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _exchange(self, kind: int, flags: int, payload: bytes) -> list[Message]:
        self._sequence += 1
        size = _HEADER.size + len(payload)
        self._socket.send(_HEADER.pack(size, kind, _REQUEST | flags, self._sequence, 0) + payload)
        return list(self._answers())

    def _receive(self) -> bytes:
        size = self._socket.recv_into(self._buffer)
        return bytes(memoryview(self._buffer)[:size])

    def _answers(self) -> Iterator[Message]:
        """Up to the end of a dump, or the acknowledgement that ends every other answer."""
        while True:
            for message, sequence in _messages(self._receive()):
                if sequence != self._sequence:
                    continue  # what is left of a question that was given up
                if message.kind in (_DONE, _ERROR):
                    _raise_unless_done(message)
                    return
                yield message


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute as bytes, padded."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in a run of bytes by kind; of several of one kind the last. A cut-off one ends the run."""
    found: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size or at + length > len(data):
            break
        found[kind & _NESTED_MASK] = data[at + _ATTRIBUTE.size : at + length]
        at += length + -length % 4
    return found


def _messages(data: bytes) -> Iterator[tuple[Message, int]]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size or at + length > len(data):
            break
        yield Message(kind=kind, payload=data[at + _HEADER.size : at + length]), sequence
        at += length + -length % 4


def _raise_unless_done(message: Message) -> None:
    """Either begins with an error: of what was asked, or of a dump that broke off, as without ``tcp_diag``."""
    (code,) = struct.unpack_from("=i", message.payload)
    if code < 0:
        raise OSError(-code, os.strerror(-code))

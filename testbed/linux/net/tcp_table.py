"""Which TCP sockets a network namespace has, whoever holds them: those too that no process has a descriptor of.

A service that closes a connection forgets it; the kernel still has to bring its last bytes, and the FIN, to the other
end. Nothing but the kernel's table knows of it then. The table is long to walk (half a millisecond, however few there
are), so its length is asked for first.

Sources: include/uapi/linux/{sock_diag,inet_diag}.h, net/ipv4/proc.c. Functions raise ``OSError``.
"""

import os
import socket
import struct
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from testbed.linux.net.netlink import SOCK_DIAG, Netlink, attributes

_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = struct.Struct("=BBBxI48s")
_DIAG_INFO = 2
_SOCKET_ID = slice(4, 52)
_ANSWER = struct.Struct("=BBBB 2s2s 16s16s 4s8s 4xIIII")
"""struct inet_diag_msg: family, state, timer, retransmits; ports and addresses in network order, interface and cookie;
expires, receive and send queue (bytes), user, inode."""
_LISTEN, _TIME_WAIT = 10, 6
_ALL = 0xFFF
_COUNTS = (("TCP:", "sockstat"), ("TCP6:", "sockstat6"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One IPv4 connection. ``unread`` and ``unacknowledged`` in bytes, a FIN counts as one; ``inode`` 0: nobody's;
    ``socket_id``: the kernel's.
    """

    local: tuple[str, int]
    remote: tuple[str, int]
    state: int
    unread: int
    unacknowledged: int
    inode: int
    socket_id: bytes


class Table:
    """The TCP sockets of the network namespace of process ``pid``. Opened before it is needed in a hurry."""

    def __init__(self, pid: int) -> None:
        with ExitStack() as opened:
            self._netlink = opened.enter_context(Netlink(SOCK_DIAG, pid))
            self._counts = [
                (opened.enter_context(path.open("rb", buffering=0)), label)
                for label, path in ((label, Path(f"/proc/{pid}/net/{name}")) for label, name in _COUNTS)
                if path.exists()  # a kernel may have no IPv6
            ]
            self._opened = opened.pop_all()

    def in_use(self) -> dict[str, int]:
        """How many TCP sockets there are that listen, or are connected and not in TIME_WAIT: of ``TCP:``, which is
        IPv4, and of ``TCP6:``. Those that wait to be accepted are among them.
        """
        return {label: _in_use(os.pread(file.fileno(), 512, 0).decode(), label) for file, label in self._counts}

    def connections(self) -> list[Entry]:
        """All of IPv4 that are, or were, connected, or about to be; without those that listen or are in TIME_WAIT."""
        states = _ALL & ~(1 << _LISTEN) & ~(1 << _TIME_WAIT)
        request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, states, bytes(48))
        return [_entry(message.payload) for message in self._netlink.dump(_SOCK_DIAG_BY_FAMILY, request)]

    def info(self, entry: Entry) -> tuple[Entry, bytes]:
        """How it stands now, and its ``struct tcp_info``."""
        extension = 1 << (_DIAG_INFO - 1)
        request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, extension, _ALL, entry.socket_id)
        (answer,) = self._netlink.ask(_SOCK_DIAG_BY_FAMILY, request)
        return _entry(answer.payload), attributes(answer.payload[_ANSWER.size :]).get(_DIAG_INFO, b"")

    def close(self) -> None:
        """Lets go of the namespace."""
        self._opened.close()


def _in_use(text: str, label: str) -> int:
    return next((int(words[2]) for words in map(str.split, text.splitlines()) if words[:2] == [label, "inuse"]), 0)


def _entry(payload: bytes) -> Entry:
    (_, state, _, _, local_port, remote_port, local, remote, _, _, unread, unacknowledged, _, inode) = (
        _ANSWER.unpack_from(payload)
    )
    return Entry(
        local=(socket.inet_ntoa(local[:4]), int.from_bytes(local_port)),
        remote=(socket.inet_ntoa(remote[:4]), int.from_bytes(remote_port)),
        state=state,
        unread=unread,
        unacknowledged=unacknowledged,
        inode=inode,
        socket_id=payload[_SOCKET_ID],
    )

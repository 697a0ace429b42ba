"""What TCP connections a guest has, and which of them can move: from its descriptors, its listeners, and the kernel.

    descriptor    ESTABLISHED, CLOSE_WAIT, FIN_WAIT_1, FIN_WAIT_2, CLOSING, LAST_ACK        moves
                  CLOSE                            moves where something is unread, else it is over
    listener      what is complete and not accepted: taken out of its queue, and moves
    no descriptor FIN_WAIT_1, CLOSING, LAST_ACK: closed by the guest, its last bytes not acknowledged

TIME_WAIT, and FIN_WAIT_2 without a descriptor, have nothing left that could be lost, and are no connections here.
Whatever else there is cannot move, and is counted with the reason.
"""

import os
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from select import POLLERR, POLLIN, poll

from testbed.linux.net import tcp_repair
from testbed.linux.net.tcp_table import Entry, Table
from testbed.linux.processes.pidfd import Descriptors
from testbed.wire.tcp import MAX_CONNECTION_BYTES

ELSEWHERE = "not on the guest's own address"
OPENING = "still being opened"
TOO_MUCH = "holds more than can be sent"
UNREADABLE = "could not be read"
NOT_ITS_OWN = "held by no process of the guest's"
IPV6 = "of IPv6"
_OPENING = (2, 3, 12)
"""SYN_SENT, SYN_RECV, and a listener's half of a handshake."""
_ANY = "0.0.0.0"  # noqa: S104 - where a listener may stand, nothing is bound to it


@dataclass(slots=True, kw_only=True)
class Found:
    """Sockets are the caller's to close. ``orphans`` have none. ``refused``: how many cannot move, by reason."""

    held: list[socket.socket] = field(default_factory=list)
    unaccepted: list[socket.socket] = field(default_factory=list)
    orphans: list[Entry] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


def find(pid: int, ip: str, table: Table) -> Found:
    """The TCP sockets of process ``pid``, alone in its namespace, which is stunned and silent: those of address ``ip``
    that can move, and how many cannot. Raises ``OSError``.
    """
    found, listeners, known = Found(), list[socket.socket](), 0
    for sock in tcp_sockets_of(pid):
        state = tcp_repair.state(sock)
        known += sock.family == socket.AF_INET and state != tcp_repair.CLOSE
        if state == tcp_repair.LISTEN:
            listeners.append(sock)
        else:
            _judge(found, found.held, sock, state, ip)
    known += _accept(found, listeners, ip)
    _look_for_others(found, known, sum(each.family == socket.AF_INET6 for each in listeners), ip, table)
    for listener in listeners:
        listener.close()
    return found


def foresee(ip: str, table: Table) -> Counter[str]:
    """How many could not move if they stayed as they are, by reason, while the guest runs. Raises ``OSError``."""
    faults = (_fault(each, ip) for each in table.connections())
    return Counter(fault for fault in faults if fault)


def sockets_of(pid: int, ip: str) -> Iterator[socket.socket]:
    """The TCP sockets of process ``pid`` that are bound to ``ip``, listeners on any address too. The caller's to close.

    Raises ``OSError``.
    """
    for sock in tcp_sockets_of(pid):
        if sock.family == socket.AF_INET and sock.getsockname()[0] in (ip, _ANY):
            yield sock
        else:
            sock.close()


def tcp_sockets_of(pid: int) -> Iterator[socket.socket]:
    """All of them, of both families. The caller's to close. Raises ``OSError``."""
    with Descriptors(pid) as theirs:
        for fd, _ in theirs.sockets():
            sock = socket.socket(fileno=theirs.get(fd))
            if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.proto == socket.IPPROTO_TCP:
                yield sock
            else:
                sock.close()


def _judge(found: Found, movable: list[socket.socket], sock: socket.socket, state: int, ip: str) -> None:
    """Into the list of those that move, or away."""
    if state == tcp_repair.CLOSE and not _has_unread(sock):
        sock.close()  # it is over, or never was
    elif fault := _fault_of(sock, state, ip):
        found.refused[fault] += 1
        sock.close()
    else:
        movable.append(sock)


def _fault_of(sock: socket.socket, state: int, ip: str) -> str | None:
    if sock.family != socket.AF_INET:
        return IPV6
    if state in _OPENING:
        return OPENING
    return None if sock.getsockname()[0] == ip else ELSEWHERE


def _fault(entry: Entry, ip: str) -> str | None:
    """A handshake that its listener has not finished is the remote end's to begin again."""
    if entry.state in _OPENING:
        return OPENING if entry.inode else None
    if entry.local[0] != ip:
        return ELSEWHERE
    return TOO_MUCH if entry.unread + entry.unacknowledged > MAX_CONNECTION_BYTES else None


def _has_unread(sock: socket.socket) -> bool:
    """And may still read it: what a reset has ended has lost it, as TCP has it."""
    ready = poll()
    ready.register(sock, POLLIN)
    events = dict(ready.poll(0)).get(sock.fileno(), 0)
    return not events & POLLERR and bool(events & POLLIN) and tcp_repair.unread(sock) > 0


def _accept(found: Found, listeners: list[socket.socket], ip: str) -> int:
    """Asked before it is done: a listener may block, and its flags are the guest's. How many of IPv4 are connected."""
    connected = 0
    for listener in listeners:
        ready = poll()
        ready.register(listener, POLLIN)
        while ready.poll(0):
            sock = listener.accept()[0]
            state = tcp_repair.state(sock)
            connected += sock.family == socket.AF_INET and state != tcp_repair.CLOSE
            _judge(found, found.unaccepted, sock, state, ip)
    return connected


def _look_for_others(found: Found, known: int, listeners6: int, ip: str, table: Table) -> None:
    """Only where the kernel has more than was found: its table is long."""
    in_use = table.in_use()
    found.refused[IPV6] += max(0, in_use.get("TCP6:", 0) - listeners6 - found.refused[IPV6])
    if in_use.get("TCP:", 0) > known:
        mine = {os.fstat(sock.fileno()).st_ino for sock in (*found.held, *found.unaccepted)}
        for entry in table.connections():
            if entry.inode not in mine:
                _judge_other(found, entry, ip)
    found.refused = +found.refused  # without those of which there is none


def _judge_other(found: Found, entry: Entry, ip: str) -> None:
    if entry.state in (tcp_repair.FIN_WAIT_1, tcp_repair.CLOSING, tcp_repair.LAST_ACK) and not entry.inode:
        if fault := _fault(entry, ip):
            found.refused[fault] += 1
        else:
            found.orphans.append(entry)
    elif entry.inode and entry.local[0] == ip and entry.state not in _OPENING:
        found.refused[NOT_ITS_OWN] += 1

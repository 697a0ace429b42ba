"""A guest's network identity and TCP connections: taken off one host and put on another, one of them heard at a time.

    source        silence ── find sockets ── dump ─┐                    (stay: release, address back)
    channel                                        └─ Connection … ─┐
    destination                                  restore, link down ─┴─ adopt ── link up ── announce

Between silence and link up the guest is nowhere: what is sent to it is lost, as on a real network, and comes again.
A connection that was complete but not yet accepted is taken out of its listener's queue. It cannot be put back: should
the guest stay after all, its client is told so (a reset) and connects again. Since such a connection is gone without a
word when the agent dies that holds it, the run is told of it before (``told``).
"""

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from select import POLLIN, poll

from testbed.core.connection import TcpConnection
from testbed.core.errors import LocalProtocolError, MigrationAborted
from testbed.linux import tcp_repair, tcp_segment
from testbed.linux.netns import inside
from testbed.linux.nic import Nic
from testbed.linux.pidfd import Descriptors, make_room
from testbed.linux.tcp_info import tcp_in_use
from testbed.migration.announcing import Announcer
from testbed.migration.guest import Adopted
from testbed.wire.tcp import MAX_CONNECTION_BYTES

Unaccepted = tuple[str, int, str, int, int]
"""Local ip and port, remote ip and port, and the number of the next byte to the remote end."""
_LISTEN = 10
_ANY = "0.0.0.0"  # noqa: S104 - where a listener may stand, nothing is bound to it


class Departing:
    """Implements ``Departure`` for the guest of process ``pid``, whose address on ``nic`` is ``ip``."""

    def __init__(
        self,
        pid: int,
        nic: Nic,
        ip: str,
        *,
        announcer: Announcer | None = None,
        reset_because: str | None = None,
        told: Callable[[list[Unaccepted]], None] = lambda _: None,
    ) -> None:
        make_room()
        self._announcer, self._told = announcer, told
        self._pid, self._nic, self._ip = pid, nic, ip
        self.reset_because = reset_because
        self.refused = 0
        self._left = False
        self._found: list[socket.socket] = []
        self._unaccepted: list[socket.socket] = []

    def connections(self) -> int:
        """See ``Departure``. Listeners count too, so that it is one read however many there are."""
        with suppress(OSError):  # the guest has ended: whoever stuns it will say so
            return 0 if self.reset_because else tcp_in_use(self._pid)
        return 0

    def leave(self) -> list[TcpConnection]:
        """See ``Departure``. Sockets that are neither ESTABLISHED nor CLOSE_WAIT, or hold too much, are refused."""
        with _as_abort("the guest could not be taken off the network"):
            self._left = True
            self._nic.silence()
            if self.reset_because is not None:
                return []
            self._find()
            moving, waiting = self._dump(self._found), self._dump(self._unaccepted, unaccepted=True)
            if waiting:
                self._told([_known(each) for each in waiting])
            return [*moving, *waiting]

    def stay(self) -> None:
        """See ``Departure``. The connections go on before the guest does: their kernel answers for them."""
        if not self._left:
            return
        with _as_abort("the guest could not be put back on the network"):
            self._nic.restore()
            if self._announcer:  # the other host may have spoken for it, and the switch believed it
                self._announcer.announce()
            for sock in self._found:
                tcp_repair.release(sock)
            for sock in self._unaccepted:
                tcp_repair.release(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._drop()
            self._left = False

    def close(self, *, gone: bool) -> None:
        """See ``Departure``. The link is taken down only here: it takes the kernel 15 ms."""
        if gone:
            with suppress(OSError):  # the guest has ended, and its namespace with it
                self._nic.down()
        self._drop()
        if self._announcer:
            self._announcer.close()
        self._nic.close()

    def _drop(self) -> None:
        for sock in (*self._found, *self._unaccepted):
            sock.close()
        self._found, self._unaccepted = [], []

    def _find(self) -> None:
        for sock in sockets_of(self._pid, self._ip):
            if _state(sock) == _LISTEN:
                self._unaccepted += self._movable(_accept_all(sock))
                sock.close()
            else:
                self._found += self._movable([sock])

    def _movable(self, sockets: Sequence[socket.socket]) -> list[socket.socket]:
        """A connection may have ended while it waited for the guest."""
        movable = []
        for sock in sockets:
            if tcp_repair.is_movable(sock):
                movable.append(sock)
            else:
                self.refused += 1
                sock.close()
        return movable

    def _dump(self, sockets: list[socket.socket], *, unaccepted: bool = False) -> list[TcpConnection]:
        """One that cannot be read, or holds too much, is refused; its client will find out at the destination."""
        dumped = []
        for sock in sockets:
            with suppress(OSError):  # it ended meanwhile, or is not to be had: the others go on
                connection = tcp_repair.dump(sock, unaccepted=unaccepted)
                if len(connection.received) + len(connection.unacknowledged) <= MAX_CONNECTION_BYTES:
                    dumped.append(connection)
        self.refused += len(sockets) - len(dumped)
        return dumped


class Arriving:
    """Implements ``Arrival`` for the guest of process ``pid``, whose ``nic`` is down and has its address already."""

    def __init__(self, pid: int, nic: Nic, announcer: Announcer) -> None:
        make_room()
        self._pid, self._nic, self._announcer = pid, nic, announcer
        self.restored = self.refused = 0
        self._made: list[Adopted] = []
        self._waiting: list[Adopted] = []

    def restore(self, connections: Sequence[TcpConnection]) -> list[Adopted]:
        """See ``Arrival``. What has nothing unsent is let go at once, and says nothing by itself."""
        with _as_abort("the guest's connections could not be made"):
            self._made = inside(self._pid, lambda: self._restore_here(connections))
            self._waiting = [each for each in self._made if each[0].unsent]
            for connection, sock in self._made:
                if not connection.unsent:
                    tcp_repair.release(sock, probe=False)
        self.restored = len(self._made)
        return self._made

    def appear(self) -> int:
        """See ``Arrival``. What was never sent goes out right after the announcement."""
        with _as_abort("the guest could not be put on the network"):
            self._nic.up()
            announced_ns = self._announcer.announce()
            for connection, sock in self._waiting:
                tcp_repair.release(sock)
                tcp_repair.send_rest(sock, connection)
        return announced_ns

    def hand_over(self) -> None:
        """See ``Arrival``. Not before: a guest that dies at its first step must not close them by that."""
        self._close()

    def forget(self) -> None:
        """See ``Arrival``."""
        with suppress(OSError):  # without its namespace there is nothing to silence
            self._nic.silence()
        for _, sock in self._made:
            with suppress(OSError):
                tcp_repair.mute(sock)
        self._close()
        with suppress(OSError):
            self._nic.down()

    def _close(self) -> None:
        for _, sock in self._made:
            sock.close()
        self._made, self._waiting = [], []

    def _restore_here(self, connections: Sequence[TcpConnection]) -> list[Adopted]:
        made: list[Adopted] = []
        with ExitStack() as stack:
            raw = stack.enter_context(tcp_segment.open_raw()) if any(each.ended for each in connections) else None
            for connection in connections:
                try:
                    sock = tcp_repair.restore(connection)
                except OSError:
                    self.refused += 1
                    continue
                made.append((connection, sock))
                if raw is not None and connection.ended:
                    tcp_segment.deliver(raw, connection)
        return made


def take_back(
    pid: int,
    interface: str,
    ip: str,
    prefix: int,
    *,
    frames: Sequence[bytes] = (),
    unaccepted: Sequence[Unaccepted] = (),
) -> None:
    """What ``Departing.stay`` would have done, for a source agent that died: address back, ``frames`` sent, connections
    released. What it had taken out of a listener's queue went with it: those clients are told (a reset).

    Raises ``MigrationAborted``.
    """
    with _as_abort("the guest could not be put back on the network"):
        with closing(Nic(pid, interface, ip, prefix)) as nic:
            nic.restore()
        with closing(Announcer(pid, interface, frames)) as announcer:
            announcer.announce()
        for sock in sockets_of(pid, ip):
            with sock:
                if tcp_repair.in_repair(sock):
                    tcp_repair.release(sock)
        if unaccepted:
            inside(pid, lambda: _reset_all(unaccepted))


def _known(connection: TcpConnection) -> Unaccepted:
    """What is to be known of it when it is gone: nothing was ever sent on it."""
    return (
        connection.local_ip, connection.local_port, connection.remote_ip, connection.remote_port,
        connection.send_sequence,
    )  # fmt: skip


def _reset_all(connections: Sequence[Unaccepted]) -> None:
    with tcp_segment.open_raw() as raw:
        for local_ip, local_port, remote_ip, remote_port, number in connections:
            tcp_segment.reset(raw, (local_ip, local_port), (remote_ip, remote_port), number)


def sockets_of(pid: int, ip: str) -> Iterator[socket.socket]:
    """The TCP sockets of process ``pid`` that are bound to ``ip``, listeners on any address too. The caller's to close.

    Raises ``OSError``.
    """
    with Descriptors(pid) as theirs:
        for fd, _ in theirs.sockets():
            sock = socket.socket(fileno=theirs.get(fd))
            if (
                sock.family == socket.AF_INET
                and sock.proto == socket.IPPROTO_TCP
                and sock.getsockname()[0] in (ip, _ANY)
            ):
                yield sock
            else:
                sock.close()


def _accept_all(listener: socket.socket) -> list[socket.socket]:
    """Asked before it is done: the listener may block, and its flags are the guest's."""
    ready = poll()
    ready.register(listener, POLLIN)
    accepted = []
    while ready.poll(0):
        accepted.append(listener.accept()[0])
    return accepted


def _state(sock: socket.socket) -> int:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


@contextmanager
def _as_abort(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, LocalProtocolError) as fault:
        raise MigrationAborted(f"{what}: {fault}") from fault

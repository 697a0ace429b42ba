"""A guest's network identity and TCP connections: taken off one host and put on another, one of them heard at a time.

    source        silence ── find sockets ── dump ─┐                       (stay: release, address back)
    channel                                        └─ Connection … ─┐
    destination                                       restore, link down ─┴─ adopt ── first step ── link up ── announce

Between silence and link up the guest is nowhere: what is sent to it is lost, as on a real network, and comes again. All
that can fail at the destination comes before its link is up, the guest's own first step too: what a host has heard and
acknowledged there is never asked of the other one.

A connection that was complete but not yet accepted is taken out of its listener's queue. It cannot be put back: should
the guest stay after all, its client is told so (a reset) and connects again. One that the guest has closed is read out
of the kernel (``tcp_orphan``), and made again should the guest stay. Since these are gone without a word when the agent
dies that holds them, the run is told of them before (``told``).
"""

import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic_ns

from testbed.core.agents.told import Unaccepted
from testbed.core.connection import TcpConnection
from testbed.core.errors import LocalProtocolError, MigrationAborted, in_words
from testbed.linux.net import tcp_ends, tcp_orphan, tcp_repair, tcp_segment
from testbed.linux.net.interface import Nic
from testbed.linux.net.netns import inside
from testbed.linux.net.tcp_info import tcp_in_use
from testbed.linux.net.tcp_table import Entry, Table
from testbed.linux.processes.pidfd import make_room
from testbed.migration.guest import Adopted
from testbed.migration.identity.announcer import Announcer
from testbed.migration.identity.inventory import TOO_MUCH, UNREADABLE, find, foresee
from testbed.wire.tcp import MAX_CONNECTION_BYTES

TAKEN_OUT = "not accepted yet when the guest came back"
CLOSED = "closed by the guest, and what it had said last could not be read"


class Departing:
    """Implements ``Departure`` for the guest of process ``pid``, whose address on ``nic`` is ``ip``."""

    def __init__(
        self,
        pid: int,
        nic: Nic,
        ip: str,
        *,
        announcer: Announcer,
        reset_because: str | None = None,
        told: Callable[[list[Unaccepted]], None] = lambda _: None,
    ) -> None:
        make_room()
        self._announcer, self._told = announcer, told
        self._pid, self._nic, self._ip = pid, nic, ip
        self._table = Table(pid)
        self.reset_because = reset_because
        self.refusals: Counter[str] = Counter()
        self._left = self._hushed = False
        self._found: list[socket.socket] = []
        self._unaccepted: list[socket.socket] = []
        self._orphans: list[TcpConnection] = []
        self._gone: list[Unaccepted] = []
        self._heard: list[Unaccepted] = []

    def foresee(self) -> Counter[str]:
        """See ``Departure``."""
        with as_abort("the guest's connections could not be looked at"):
            return Counter() if self.reset_because is not None else foresee(self._ip, self._table)

    def connections(self) -> int:
        """See ``Departure``. Listeners count too, so that it is one read however many there are."""
        with suppress(OSError):  # the guest has ended: whoever stuns it will say so
            return 0 if self.reset_because else tcp_in_use(self._pid)
        return 0

    def hush(self) -> None:
        """See ``Departure``. The link and the address stay until its connections are read."""
        with as_abort("the guest's pings could not be left unanswered"):
            self._hushed = True
            self._nic.hush()

    def leave(self) -> list[TcpConnection]:
        """See ``Departure``."""
        with as_abort("the guest could not be taken off the network"):
            self._left = True
            self._nic.silence()
            if self.reset_because is not None:
                return []
            found = find(self._pid, self._ip, self._table)
            self._found, self._unaccepted, self.refusals = found.held, found.unaccepted, found.refused
            moving, waiting = self._dump(self._found), self._dump(self._unaccepted, unaccepted=True)
            if waiting:
                self._tell([_known(each) for each in waiting])
            if found.orphans:
                self._hear_out(found.orphans)
            return [*moving, *waiting, *self._orphans]

    def stay(self) -> None:
        """See ``Departure``. The connections go on before the guest does: their kernel answers for them."""
        with as_abort("the guest could not be put back on the network"):
            if self._hushed:
                self._nic.answer()
                self._hushed = False
            if not self._left:
                return
            back = Arriving(self._pid, self._nic, self._announcer)
            made = {_ends(_known(connection)) for connection, _ in back.restore(self._orphans)}
            self._nic.restore()
            self._nic.up()
            self._announcer.announce()
            back.speak()
            lost = [each for each in self._heard if _ends(each) not in made]
            if lost:
                inside(self._pid, lambda: reset_all(lost))
            for sock in self._found:
                tcp_repair.release(sock)
            for sock in self._unaccepted:
                tcp_repair.release(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            back.hand_over()
            self.refusals = +Counter({TAKEN_OUT: len(self._unaccepted), CLOSED: len({_ends(each) for each in lost})})
            self._drop()
            self._left = False

    def close(self, *, gone: bool) -> None:
        """See ``Departure``. The link is taken down only here: it takes the kernel 15 ms."""
        if gone:
            with suppress(OSError):  # the guest has ended, and its namespace with it
                self._nic.down()
        self._drop()
        self._announcer.close()
        self._table.close()
        self._nic.close()

    def _drop(self) -> None:
        for sock in (*self._found, *self._unaccepted):
            sock.close()
        self._found, self._unaccepted, self._orphans = [], [], []

    def _tell(self, these: list[Unaccepted]) -> None:
        self._gone += these
        self._told(self._gone)

    def _tell_heard(self, these: list[Unaccepted]) -> None:
        self._heard += these
        self._tell(these)

    def _hear_out(self, orphans: Sequence[Entry]) -> None:
        """What the guest has closed and its kernel has not brought to its end. The link goes down for it, so that the
        address can be there meanwhile.
        """
        self._nic.down()
        self._nic.restore()
        with suppress(OSError):  # they are refused, and the others go on
            self._orphans = inside(self._pid, lambda: tcp_orphan.hear_out(orphans, self._table, self._tell_heard))
        self.refusals += Counter({CLOSED: len(orphans) - len(self._orphans)})

    def _dump(self, sockets: list[socket.socket], *, unaccepted: bool = False) -> list[TcpConnection]:
        """One that cannot be read, or holds too much, is refused; its client will find out at the destination."""
        dumped = []
        for sock in sockets:
            try:
                connection = tcp_repair.dump(sock, unaccepted=unaccepted)
            except OSError:  # it ended meanwhile, or is not to be had: the others go on
                self.refusals[UNREADABLE] += 1
                continue
            if len(connection.received) + len(connection.unacknowledged) <= MAX_CONNECTION_BYTES:
                dumped.append(connection)
            else:
                self.refusals[TOO_MUCH] += 1
        return dumped


class Arriving:
    """Implements ``Arrival`` for the guest of process ``pid``, whose ``nic`` is down and has its address already."""

    def __init__(self, pid: int, nic: Nic, announcer: Announcer) -> None:
        make_room()
        self._pid, self._nic, self._announcer = pid, nic, announcer
        self._made: list[Adopted] = []
        self._refused: list[TcpConnection] = []
        self._raw: socket.socket | None = None

    def restore(self, connections: Sequence[TcpConnection]) -> list[Adopted]:
        """See ``Arrival``. What was never sent waits in the send queues; nothing is said by itself."""
        with as_abort("the guest's connections could not be made"):
            self._made = inside(self._pid, lambda: self._restore_here(connections))
        return self._made

    def appear(self) -> int:
        """See ``Arrival``. What was never sent goes out right after the announcement."""
        try:
            self._nic.up()
            announced_ns = self._announcer.announce()
        except OSError as fault:
            self._announcer.fault = f"the guest could not be put on the network: {in_words(fault)}"
            announced_ns = monotonic_ns()
        self.speak()
        return announced_ns

    def speak(self) -> None:
        """The link is up: what was never sent goes out."""
        for connection, sock in self._made:
            if self._raw and tcp_repair.is_waiting(connection):
                with suppress(OSError):  # the kernel asks the remote end by itself, only later
                    tcp_ends.speak(sock, connection, self._raw)
        if self._refused:
            with suppress(OSError):  # better a reset than a silence, but nothing depends on it
                inside(self._pid, lambda: reset_all([_known(each) for each in self._refused]))

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

    def _close(self) -> None:
        for _, sock in self._made:
            sock.close()
        self._made = []
        if self._raw:
            self._raw.close()
            self._raw = None

    def _restore_here(self, connections: Sequence[TcpConnection]) -> list[Adopted]:
        if any(map(tcp_ends.needs_raw, connections)):
            self._raw = tcp_segment.open_raw()
        made: list[Adopted] = []
        for connection in connections:
            try:
                made.append((connection, _whole(connection, self._raw)))
            except OSError:
                self._refused.append(connection)
        return made


def _whole(connection: TcpConnection, raw: socket.socket | None) -> socket.socket:
    """The connection in a socket of this thread's namespace, or nothing of it. Raises ``OSError``."""
    with ExitStack() as undo:
        sock = tcp_repair.restore(connection)
        undo.callback(sock.close)
        undo.callback(tcp_repair.mute, sock)  # first, so that nobody is told
        tcp_ends.complete(sock, connection, raw)
        undo.pop_all()
        return sock


def _known(connection: TcpConnection) -> Unaccepted:
    """What is to be known of it when it is gone. Should the remote end not have got all that was sent, it asks, and the
    kernel tells it.
    """
    sent = len(connection.unacknowledged) - connection.unsent
    return (
        connection.local_ip, connection.local_port, connection.remote_ip, connection.remote_port,
        connection.send_sequence + sent & 0xFFFFFFFF,
    )  # fmt: skip


def _ends(known: Unaccepted) -> tuple[str, int, str, int]:
    return known[:4]


def reset_all(connections: Sequence[Unaccepted]) -> None:
    """Tells their remote ends, from this thread's namespace, that they are gone. Raises ``OSError``."""
    with tcp_segment.open_raw() as raw:
        for local_ip, local_port, remote_ip, remote_port, number in connections:
            tcp_segment.reset(raw, (local_ip, local_port), (remote_ip, remote_port), number)


@contextmanager
def as_abort(what: str) -> Iterator[None]:
    """``what`` could not be done: ``MigrationAborted``."""
    try:
        yield
    except (OSError, LocalProtocolError) as fault:
        raise MigrationAborted(f"{what}: {in_words(fault)}") from fault

"""A connection that its process has closed, read out of the kernel: nobody has a descriptor, so it is listened to.

    here, as its remote end                     the kernel, with what was closed
    ───────────────────────                     ────────────────────────────────
    a number that cannot be  ─────────────────▶
                             ◀───────────────── its numbers, as any stray segment is answered
    I take 64 KiB more       ─────────────────▶
                             ◀───────────────── bytes
    I have them, go on       ─────────────────▶                         ... all but the FIN
    there is no such connection (a reset) ────▶ gone

The link is down; the own address is there and a route to the remote one over ``lo``: so what the kernel sends is seen
on ``lo`` and heard by nobody else. What was read makes the connection again, here or elsewhere (``tcp_repair``).

Layouts: RFC 791, RFC 9293, RFC 7323 (timestamps), RFC 2018 (SACK); struct tcp_info in include/uapi/linux/tcp.h. Needs
CAP_NET_ADMIN and CAP_NET_RAW. Functions raise ``OSError``.
"""

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from testbed.core.connection import TcpConnection
from testbed.linux.net import tcp_repair, tcp_segment
from testbed.linux.net.tcp_table import Entry, Table

ANSWERS_S = 0.51
"""How long nothing may be heard of any of them: a segment that was lost comes again in half of that, mostly."""
_INFO = struct.Struct("=5xBBx 8x I 124x I 80x II")
"""Of struct tcp_info: options 5, scales 6, snd_mss 16, notsent_bytes 144, snd_wnd 228, rcv_wnd 232 (their places)."""
_STAMPS, _SACK, _SCALE = 1, 2, 4
_TCP = struct.Struct("!HHIIBBHHH")
_ETH_P_IP = 0x0800
_RCVBUFFORCE = 33
_ROOM = 32 << 20
_MASK, _HALF = 0xFFFFFFFF, 1 << 31
_WIDEST = 0xFFFF
_STRAYS = (0, _HALF)
"""Numbers that the kernel does not expect, or one of them at most by chance. It answers one such segment in 0.5 s."""
_NOP, _SACK_BLOCK, _STAMP = 1, 5, 8

Key = tuple[int, str, int]
"""Local port, remote ip and port."""
Known = tuple[str, int, str, int, int]
"""Local ip and port, remote ip and port, and the number of the next byte to the remote end."""


@dataclass(slots=True, kw_only=True)
class Orphan:
    """One of them, as far as it was heard. ``numbers``: of the first byte that the remote end has not acknowledged, and
    of the next that it would say; None until it said so. ``later``: pieces that came before their turn, by offset;
    ``contradicts``: what it says cannot be, by its numbers.
    """

    entry: Entry
    options: int
    scales: int
    mss: int
    never_sent: int
    send_window: int
    receive_window: int
    numbers: tuple[int, int] | None = None
    stamp: int = 0
    data: bytearray = field(default_factory=bytearray)
    later: dict[int, bytes] = field(default_factory=dict)
    contradicts: bool = False

    @property
    def size(self) -> int:
        """Bytes that it has to say; its FIN is none."""
        return self.entry.unacknowledged - 1

    @property
    def whole(self) -> bool:
        """All of them were heard, by somebody whom it knows."""
        return self.numbers is not None and len(self.data) == self.size and not self.contradicts

    @property
    def in_flight(self) -> int:
        """Sent and not acknowledged."""
        return self.entry.unacknowledged - self.never_sent

    def introduced(self, sequence: int, expected: int) -> None:
        """By its first segment, which has no byte in it. Its number is that after what was sent, or that of the remote
        end's window's end, if that is passed by more than can be for rounding (tcp_acceptable_seq).
        """
        beyond = self.in_flight - self.send_window
        rounding = 1 << (self.scales >> 4) if self.options & _SCALE else 1
        ahead = self.in_flight if beyond < rounding else self.send_window
        self.numbers = (sequence - ahead & _MASK, expected)

    def take(self, sequence: int, payload: bytes) -> None:
        """A piece, which may have been heard before, or come before its turn."""
        assert self.numbers is not None  # noqa: S101 - it was introduced
        first = _distance(self.numbers[0], sequence)
        self.contradicts |= first < 0 or first + len(payload) > self.size
        if len(payload) > len(self.later.get(first, b"")):
            self.later[first] = payload
        for offset in sorted(self.later):
            if offset > len(self.data):
                break
            self.data += self.later.pop(offset)[len(self.data) - offset :]

    def known(self) -> Known:
        """What is to be known of it when it is gone."""
        assert self.numbers is not None  # noqa: S101 - it was introduced
        return *self.entry.local, *self.entry.remote, self.numbers[0] + self.in_flight & _MASK

    def connection(self) -> TcpConnection:
        """What it was when it was found."""
        assert self.numbers is not None  # noqa: S101 - it was introduced
        first, expected = self.numbers
        ended = self.entry.state != tcp_repair.FIN_WAIT_1
        scaled = bool(self.options & _SCALE)
        most = max(self.send_window, 2 * self.mss)
        return TcpConnection(
            local_ip=self.entry.local[0],
            local_port=self.entry.local[1],
            remote_ip=self.entry.remote[0],
            remote_port=self.entry.remote[1],
            send_sequence=first,
            receive_sequence=expected - ended & _MASK,
            mss=self.mss,
            send_scale=self.scales & 15 if scaled else None,
            receive_scale=self.scales >> 4 if scaled else None,
            selective=bool(self.options & _SACK),
            timestamp=self.stamp if self.options & _STAMPS else None,
            window=struct.pack("=5I", expected, self.send_window, most, self.receive_window, expected),
            unacknowledged=bytes(self.data[: self.size]),
            unsent=max(0, self.never_sent - 1),
            ended=ended,
            finished=True,
            closed=True,
        )


def hear_out(entries: Sequence[Entry], table: Table, told: Callable[[list[Known]], None]) -> list[TcpConnection]:
    """All that were heard whole; they are gone from here now. Whoever is missing could not be heard. In this thread's
    namespace. ``told`` of each before anything is taken of it: should this process die then, they are lost.
    """
    with ExitStack() as stack:
        raw = stack.enter_context(tcp_segment.open_raw())
        ears = stack.enter_context(_open_ears())
        orphans = {_key(each.entry): each for each in _looked_at(entries, table)}
        for stray in _STRAYS:
            silent = {key: each for key, each in orphans.items() if not each.data and not each.whole}
            if not silent:
                break
            _meet(raw, ears, silent, stray)
            met = {key: each for key, each in silent.items() if each.numbers is not None}
            told([each.known() for each in met.values()])
            for each in met.values():
                _answer(raw, each)
            _listen(ears, met, partial(_answer, raw), lambda each: each.whole)
        for each in orphans.values():
            if each.numbers is not None:
                tcp_segment.reset(raw, each.entry.remote, each.entry.local, each.numbers[1])
        return [each.connection() for each in orphans.values() if each.whole]


def _meet(raw: socket.socket, ears: socket.socket, silent: dict[Key, Orphan], stray: int) -> None:
    """Learns their numbers: anew, where those were none that they listened to. Such was the number of a probe of the
    remote end's window, which the kernel sends at times of its own.
    """
    for each in silent.values():
        each.numbers = None
        tcp_segment.acknowledge(raw, each.entry.remote, each.entry.local, (stray, stray), 0)
    _listen(ears, silent, lambda _: None, lambda each: each.numbers is not None)


def _looked_at(entries: Sequence[Entry], table: Table) -> Iterator[Orphan]:
    for entry in entries:
        try:
            now, info = table.info(entry)
        except FileNotFoundError:  # it has come to its end just now
            continue
        options, scales, mss, never_sent, send_window, receive_window = _INFO.unpack_from(info.ljust(_INFO.size, b"\0"))
        yield Orphan(
            entry=now,
            options=options,
            scales=scales,
            mss=mss,
            never_sent=never_sent,
            send_window=send_window,
            receive_window=receive_window,
        )


def _open_ears() -> socket.socket:
    """What is received on ``lo``: IPv4 packets as they are, one a segment or several at once."""
    ears = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
    try:
        try:
            ears.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _ROOM)
        except PermissionError:  # for the machine's root; others have what it lets anybody have
            ears.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        ears.bind(("lo", _ETH_P_IP))
        ears.settimeout(ANSWERS_S)
    except OSError:
        ears.close()
        raise
    return ears


def _listen(
    ears: socket.socket,
    orphans: dict[Key, Orphan],
    heard: Callable[[Orphan], None],
    enough: Callable[[Orphan], bool],
) -> None:
    """Until there is ``enough`` of each, or silence."""
    waiting = {key for key, each in orphans.items() if not enough(each)}
    deadline = monotonic() + ANSWERS_S
    while waiting and monotonic() < deadline:
        try:
            packet = ears.recv(1 << 17)
        except TimeoutError:
            return
        each = _hear(packet, orphans)
        if each is None:
            continue
        deadline = monotonic() + ANSWERS_S
        heard(each)
        if enough(each):
            waiting.discard(_key(each.entry))


def _hear(packet: bytes, orphans: dict[Key, Orphan]) -> Orphan | None:
    """Whose it is; None where it is somebody else's, or what was said here."""
    start = (packet[0] & 15) * 4
    if packet[9] != socket.IPPROTO_TCP or len(packet) < start + _TCP.size:
        return None
    local_port, remote_port, sequence, expected, offset, _, _, _, _ = _TCP.unpack_from(packet, start)
    each = orphans.get((local_port, socket.inet_ntoa(packet[16:20]), remote_port))
    if each is None or socket.inet_ntoa(packet[12:16]) != each.entry.local[0]:
        return None
    body = start + (offset >> 4) * 4
    each.stamp = _stamp(packet[start + _TCP.size : body]) or each.stamp
    if each.numbers is None:
        each.introduced(sequence, expected)
    elif len(packet) > body:
        each.take(sequence, packet[body:])
    return each


def _answer(raw: socket.socket, each: Orphan) -> None:
    """All is taken but the FIN; of what came before its turn it is said so, that what is missing comes at once."""
    assert each.numbers is not None  # noqa: S101 - it was introduced
    first, expected = each.numbers
    numbers = expected, first + min(len(each.data), each.size) & _MASK
    tcp_segment.acknowledge(raw, each.entry.remote, each.entry.local, numbers, _WIDEST, _sack(each, first))


def _sack(each: Orphan, first: int) -> bytes:
    if not each.later or not each.options & _SACK:
        return b""
    begin = min(each.later)
    end = begin + len(each.later[begin])
    while end in each.later:
        end += len(each.later[end])
    return struct.pack("!BBBBII", _NOP, _NOP, _SACK_BLOCK, 10, first + begin & _MASK, first + end & _MASK)


def _stamp(options: bytes) -> int:
    """The sender's timestamp among a segment's options; 0 where there is none."""
    while options and options[0]:
        length = 1 if options[0] == _NOP else options[1] if len(options) > 1 else 0
        if options[0] == _STAMP and len(options) >= 10:
            return int.from_bytes(options[2:6])
        if length < 1:
            break
        options = options[length:]
    return 0


def _key(entry: Entry) -> Key:
    return entry.local[1], *entry.remote


def _distance(first: int, number: int) -> int:
    """How far a sequence number lies after another; below 0: before it."""
    return (number - first + _HALF & _MASK) - _HALF

"""What a closed connection says is put together whole, or not at all: pieces late, twice, out of order, impossible."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.linux.net import tcp_orphan, tcp_repair
from testbed.linux.net.tcp_orphan import Orphan
from testbed.linux.net.tcp_table import Entry
from testbed.wire.messages import HEADER, GuestConnection, Type, decode, encode

LOCAL, REMOTE = ("10.0.2.100", 7), ("10.0.2.3", 50000)
WORDS = bytes(range(256)) * 4


def orphan(
    size: int = len(WORDS), *, never_sent: int | None = None, state: int = tcp_repair.LAST_ACK, window: int = 0
) -> Orphan:
    """With ``size`` bytes and a FIN to say; all of it never sent, unless said otherwise."""
    entry = Entry(
        local=LOCAL, remote=REMOTE, state=state, unread=0, unacknowledged=size + 1, inode=0, socket_id=bytes(48)
    )
    unsent = size + 1 if never_sent is None else never_sent
    return Orphan(
        entry=entry, options=7, scales=0x79, mss=1448, never_sent=unsent, send_window=window, receive_window=65536
    )


def packet(sequence: int, payload: bytes = b"", expected: int = 5, options: bytes = b"") -> bytes:
    """As it is seen on ``lo``."""
    offset = 5 + len(options) // 4 << 4
    segment = struct.pack("!HHIIBBHHH", LOCAL[1], REMOTE[1], sequence % 2**32, expected, offset, 16, 9, 0, 0) + options
    ips = bytes(map(int, ".".join((LOCAL[0], REMOTE[0])).split(".")))
    return bytes([0x45, *bytes(8), 6, 0, 0]) + ips + segment + payload


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, len(WORDS) - 1), st.integers(1, 300)), max_size=30),
    st.randoms(use_true_random=False),
)
def test_pieces_in_any_order_are_the_whole_or_its_beginning(first: int, extra: list[tuple[int, int]], order) -> None:  # type: ignore[no-untyped-def]
    each = orphan()
    tcp_orphan._hear(packet(first), {(7, *REMOTE): each})
    assert each.numbers == (first, 5)
    pieces = [(at, WORDS[at : at + 100]) for at in range(0, len(WORDS), 100)]
    pieces += [(at, WORDS[at : at + length]) for at, length in extra]
    order.shuffle(pieces)
    for at, piece in pieces:
        assert tcp_orphan._hear(packet(first + at, piece), {(7, *REMOTE): each}) is each
        assert WORDS.startswith(bytes(each.data))
    assert each.whole and not each.contradicts


@given(st.integers(0, 2**32 - 1), st.integers(-300, -1) | st.integers(len(WORDS) - 9, len(WORDS) + 300))
def test_a_piece_of_what_cannot_be_there_makes_all_of_it_unfit(first: int, at: int) -> None:
    each = orphan()
    each.introduced(first, 5)
    each.take(first + at & 0xFFFFFFFF, b"0123456789")
    each.take(first, WORDS)
    assert each.contradicts and not each.whole


@pytest.mark.parametrize(
    ("in_flight", "window", "said", "first"),
    [
        (0, 0, 1000, 1000),
        (100, 65536, 1000, 900),
        (100, 0, 1000, 900),  # within the rounding of a window with scale 7
        (500, 0, 1000, 1000),  # its window was shut behind it, and it says where that ends
        (500, 200, 1000, 800),
        (10, 65536, 3, 2**32 - 7),
    ],
)
def test_the_first_byte_that_is_missing_is_told_from_where_it_stands(
    in_flight: int, window: int, said: int, first: int
) -> None:
    each = orphan(1000, never_sent=1001 - in_flight, window=window)
    each.introduced(said, 77)
    assert each.numbers == (first, 77)


@pytest.mark.parametrize("state", [tcp_repair.FIN_WAIT_1, tcp_repair.CLOSING, tcp_repair.LAST_ACK])
def test_what_was_heard_is_a_connection_that_can_be_sent(state: int) -> None:
    each = orphan(state=state)
    each.introduced(100, 5)
    each.take(100, WORDS)
    made = each.connection()
    assert decode(Type.CONNECTION, encode(GuestConnection(made))[HEADER.size :]) == GuestConnection(made)
    assert (made.finished, made.heard, made.closed) == (True, False, True)
    assert made.ended == (state != tcp_repair.FIN_WAIT_1)
    assert made.receive_sequence == 5 - made.ended
    assert (made.unacknowledged, made.unsent, made.send_scale, made.receive_scale) == (WORDS, len(WORDS), 9, 7)


def test_what_is_missing_is_asked_for() -> None:
    each = orphan()
    each.introduced(100, 5)
    each.take(200, WORDS[100:300])
    each.take(400, WORDS[300:350])
    assert tcp_orphan._sack(each, 100) == bytes([1, 1, 5, 10]) + struct.pack("!II", 200, 450)
    each.take(100, WORDS[:100])
    assert len(each.data) == 350 and tcp_orphan._sack(each, 100) == b""


@given(st.binary(max_size=40))
def test_no_options_are_too_strange(options: bytes) -> None:
    assert 0 <= tcp_orphan._stamp(options) < 2**32


def test_a_timestamp_is_found_among_options() -> None:
    assert tcp_orphan._stamp(bytes([1, 1, 8, 10]) + struct.pack("!II", 77, 5)) == 77


@given(st.binary(min_size=20, max_size=80))
def test_packets_of_others_are_nobodys(data: bytes) -> None:
    assert tcp_orphan._hear(data, {(7, *REMOTE): orphan()}) is None

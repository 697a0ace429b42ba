"""Every message comes back from its bytes; whatever is no message is refused, from its header if that can be told."""

import struct
from dataclasses import astuple
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.core.connection import TcpConnection
from testbed.core.errors import LocalProtocolError, RemoteProtocolError
from testbed.core.extents import Extents
from testbed.core.text.printable import printable
from testbed.core.units import PAGE_SIZE
from testbed.wire import messages as m
from testbed.wire.pages import check_pages
from testbed.wire.tcp import FIXED_BYTES, MAX_CONNECTION_BYTES
from tests.unit.loopback import a_connection
from tests.unit.wire_values import ANY, TABLE, U8, connections, pages


def value(message: m.Message) -> object:
    if isinstance(message, m.Pages):
        return message.round, message.extents.table.tolist()
    return type(message), astuple(message)


def back(data: bytes) -> m.Message:
    kind, length = m.header(data[: m.HEADER.size])
    assert length == len(data) - m.HEADER.size
    return m.decode(kind, data[m.HEADER.size :])


@given(ANY)
def test_every_message_comes_back(message: m.Message) -> None:
    assert value(back(m.encode(message))) == value(message)


def test_none_goes_untested() -> None:
    assert {kind.type for kind in get_args(m.Message)} == set(m.Type)


@given(st.text(max_size=3000))
def test_any_text_can_be_sent_and_is_cut_between_characters(text: str) -> None:
    sent = m.encode(m.Abandon(text))
    said = back(sent)
    assert isinstance(said, m.Abandon)
    clean = text.encode(errors="replace")
    cut = clean[: m.MAX_TEXT].decode(errors="ignore")
    assert said.reason == printable(cut, m.MAX_TEXT)
    assert cut.encode() == clean or m.MAX_TEXT - 4 < len(cut.encode()) <= m.MAX_TEXT


def test_a_name_that_is_no_utf8_does_not_stop_an_abandon() -> None:
    assert back(m.encode(m.Failed("no file b\udcff"))) == m.Failed("no file b?")


@pytest.mark.parametrize(
    "message",
    [
        m.Hello(b"short", 1, 4096, 1),
        m.Hello(bytes(16), 2**64, 4096, 1),
        m.Hello(bytes(16), 1, 4096, 70000),
        m.RoundBegin(-1, 0),
        m.Prepare(1, b""),
        m.StreamHello(bytes(17), 0),
        m.Pages(1, Extents.none()),
        m.GuestConnection(a_connection(1, window=b"")),
        m.GuestConnection(a_connection(1, unsent=1)),
        m.GuestConnection(a_connection(1, heard=True)),
        m.GuestConnection(a_connection(1, finished=True, heard=True, unacknowledged=b"x")),
        m.GuestConnection(a_connection(1, closed=True)),
        m.GuestConnection(a_connection(1, finished=True, heard=True, closed=True)),
        m.GuestConnection(a_connection(1, finished=True, closed=True, received=b"x")),
        m.GuestConnection(a_connection(1, finished=True, closed=True, unaccepted=True)),
        m.GuestConnection(a_connection(1, send_scale=None)),
        m.GuestConnection(a_connection(1, receive_scale=15)),
        m.GuestConnection(a_connection(1, local_ip="10.0.2")),
        m.GuestConnection(a_connection(1, remote_ip="10.0.2.256")),
        m.GuestConnection(a_connection(1, remote_port=65536)),
        m.GuestConnection(a_connection(1, received=bytes(MAX_CONNECTION_BYTES), unacknowledged=b"x")),
        pages(1, [(n, 1) for n in range(m.MAX_EXTENTS + 1)]),
    ],
)
def test_what_the_peer_would_refuse_is_not_sent(message: m.Message) -> None:
    with pytest.raises(LocalProtocolError):
        m.encode(message)


@given(st.binary(max_size=64))
def test_any_header_is_a_header_or_refused(data: bytes) -> None:
    try:
        kind, length = m.header(data[:8].ljust(8, b"\0"))
    except RemoteProtocolError:
        return
    assert kind in m.Type and length <= m.longest(kind)


@given(st.sampled_from(m.Type), st.binary(max_size=m.MAX_BODY + 64))
def test_any_body_is_a_message_or_refused(kind: m.Type, body: bytes) -> None:
    try:
        message = m.decode(kind, body)
    except RemoteProtocolError:
        return
    assert message.type is kind


@pytest.mark.parametrize("kind", m.Type)
@pytest.mark.parametrize("length", [0, 1, 7, 9, m.MAX_TEXT + 1, m.MAX_BODY, m.MAX_BODY + 1, 2**32 - 1])
def test_a_wrong_length_is_refused_before_its_body_comes(kind: m.Type, length: int) -> None:
    data = m.HEADER.pack(m.MAGIC, m.VERSION, kind, length)
    try:
        _, accepted = m.header(data)
    except RemoteProtocolError:
        return
    assert accepted == length
    free = (m.Type.ABANDON, m.Type.FAILED, m.Type.PAGES, m.Type.CONNECTION)
    assert kind in free or length == m._BY_TYPE[kind].layout.size


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"GET / HT", "not a migration message"),
        (m.HEADER.pack(b"FM", 1, 1, 0), "speaks version 1, this is version 3"),
        (m.HEADER.pack(b"FM", m.VERSION, 99, 0), "no message 99"),
        (m.HEADER.pack(b"FM", m.VERSION, 13, 2**32 - 1), "longer than"),
        (m.HEADER.pack(b"FM", m.VERSION, 8, 5), "COMMIT has 5 bytes instead of 0"),
        (m.HEADER.pack(b"FM", m.VERSION, 13, 9), "no table of extents"),
        (m.HEADER.pack(b"FM", m.VERSION, 14, FIXED_BYTES - 1), "less than its fixed part"),
        (m.HEADER.pack(b"FM", m.VERSION, 14, FIXED_BYTES + MAX_CONNECTION_BYTES + 1), "longer than"),
    ],
)
def test_each_refusal_says_why(data: bytes, said: str) -> None:
    with pytest.raises(RemoteProtocolError, match=said):
        m.header(data)


def test_a_table_that_is_not_as_long_as_it_says() -> None:
    body = struct.pack("!II", 1, 3) + bytes(16)
    with pytest.raises(RemoteProtocolError, match="announces 3 extents in 24 bytes"):
        m.decode(m.Type.PAGES, body)


@given(connections(), st.data())
def test_a_connection_with_bytes_changed_is_another_one_or_refused(
    connection: TcpConnection, data: st.DataObject
) -> None:
    body = bytearray(m.encode(m.GuestConnection(connection))[m.HEADER.size :])
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), max_size=3)):
        body[at] = data.draw(U8)
    cut = data.draw(st.integers(0, len(body)))
    try:
        message = m.decode(m.Type.CONNECTION, bytes(body[:cut]))
    except RemoteProtocolError:
        return
    assert m.encode(message)[m.HEADER.size :] == body[:cut]


def test_the_longest_connection_comes_back() -> None:
    whole = a_connection(1, received=bytes(MAX_CONNECTION_BYTES - 5), unacknowledged=b"tail.", unsent=2)
    assert back(m.encode(m.GuestConnection(whole))) == m.GuestConnection(whole)


RAM = 64 * PAGE_SIZE


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([(RAM, PAGE_SIZE)], "outside"),
        ([(0, RAM + PAGE_SIZE)], "outside"),
        ([(2**64 - PAGE_SIZE, PAGE_SIZE)], "outside"),
        ([(PAGE_SIZE, 2**64 - PAGE_SIZE)], "outside"),
        ([(0, 0)], "outside"),
        ([(1, PAGE_SIZE)], "whole pages"),
        ([(0, PAGE_SIZE + 1)], "whole pages"),
        ([(0, 2 * PAGE_SIZE), (PAGE_SIZE, PAGE_SIZE)], "overlap"),
        ([(PAGE_SIZE, PAGE_SIZE), (0, PAGE_SIZE)], "out of order"),
    ],
)
def test_pages_that_reach_where_they_may_not(runs: list[tuple[int, int]], said: str) -> None:
    with pytest.raises(RemoteProtocolError, match=said):
        check_pages(pages(1, runs), RAM, PAGE_SIZE)


def test_pages_may_touch_and_fill_the_memory() -> None:
    check_pages(pages(1, [(0, PAGE_SIZE), (PAGE_SIZE, RAM - PAGE_SIZE)]), RAM, PAGE_SIZE)


def test_more_bytes_than_one_message_may_announce() -> None:
    with pytest.raises(RemoteProtocolError, match="announces"):
        check_pages(pages(1, [(0, m.MAX_PAGES_BYTES + PAGE_SIZE)]), 2**40, PAGE_SIZE)


@given(TABLE)
def test_pages_that_pass_lie_inside_and_apart(runs: list[tuple[int, int]]) -> None:
    try:
        check_pages(pages(1, runs), RAM, PAGE_SIZE)
    except RemoteProtocolError:
        return
    end = 0
    for offset, length in runs:
        assert end <= offset < offset + length <= RAM
        end = offset + length

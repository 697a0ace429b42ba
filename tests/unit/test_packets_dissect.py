"""scapy's layers against the protocol's own bytes, for every message; messages out of segments in any pieces."""

import itertools
import random
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from testbed.core.errors import ScenarioError
from testbed.core.network.names import CHANNEL_PORT, STREAM_PORT
from testbed.packets import dissect
from testbed.packets.dissect import FastMotion
from testbed.packets.frames import SYN, Tcp
from testbed.packets.overheard import Overheard
from testbed.wire import messages as m
from tests.unit.wire_values import ANY, CHANNEL, U16, U32, pages


def _segment(payload: bytes, port: int) -> Packet:
    return Ether(bytes(Ether() / IP() / TCP(sport=40000, dport=port) / Raw(payload)))


def test_every_message_has_a_layer() -> None:
    assert set(dissect.LAYERS) == set(m.Type)


@given(ANY)
def test_a_layer_has_the_messages_fields_and_makes_its_bytes_again(message: m.Message) -> None:
    data = m.encode(message)
    layer = FastMotion(data)
    assert bytes(layer) == data
    assert layer.type == message.type
    body = layer.payload
    assert type(body) is dissect.LAYERS[message.type]
    assert _values(body, message) == _expected(message)
    again = FastMotion() / type(body)(**body.fields)
    assert bytes(again) == data


def _values(body: Packet, message: m.Message) -> list[Any]:
    if isinstance(message, m.Pages):
        return [body.round, *((each.offset, each.length) for each in body.extents)]
    if isinstance(message, m.GuestConnection):
        scales = [None if scale == 255 else scale for scale in (body.send_scale, body.receive_scale)]
        stamp = body.timestamp if body.flags.timestamps else None
        return [body.local_ip, body.local_port, body.remote_ip, body.remote_port, body.send_sequence,
                body.receive_sequence, body.mss, *scales, bool(body.flags.selective), stamp, body.window,
                bool(body.flags.unaccepted), bool(body.flags.ended), bool(body.flags.finished),
                body.received, body.unacknowledged]  # fmt: skip
    return [getattr(body, known.name) for known in fields(message)]


def _expected(message: m.Message) -> list[Any]:
    if isinstance(message, m.Pages):
        return [message.round, *message.extents]
    if isinstance(message, m.GuestConnection):
        each = message.connection
        return [each.local_ip, each.local_port, each.remote_ip, each.remote_port, each.send_sequence,
                each.receive_sequence, each.mss, each.send_scale, each.receive_scale, each.selective, each.timestamp,
                each.window, each.unaccepted, each.ended, each.finished,
                each.received, each.unacknowledged]  # fmt: skip
    values = [getattr(message, known.name) for known in fields(message)]
    return [value.encode() if isinstance(value, str) else value for value in values]


@given(st.lists(CHANNEL, min_size=1, max_size=5))
def test_all_messages_of_a_segment_are_layers(messages: list[m.Message]) -> None:
    packet = _segment(b"".join(map(m.encode, messages)), CHANNEL_PORT)
    bodies = [layer for layer in packet.layers() if layer in dissect.LAYERS.values()]
    assert bodies == [dissect.LAYERS[message.type] for message in messages]
    assert len(dissect.said(packet)) == len(messages)


def test_pages_are_a_table_and_then_raw_bytes_even_if_these_look_like_a_message() -> None:
    raw = m.encode(m.Commit()) * 10
    packet = _segment(m.encode(pages(3, [(0, 4096), (8192, 4096)])) + raw, STREAM_PORT)
    assert packet[dissect.Pages].count == 2
    assert packet[Raw].load == raw
    assert dissect.Commit not in packet


def test_the_middle_of_a_stream_is_raw_and_a_cut_packet_is_dissected_as_far_as_it_goes() -> None:
    assert FastMotion not in _segment(bytes(100), STREAM_PORT)
    whole = bytes(_segment(m.encode(pages(3, [(n * 8192, 4096) for n in range(100)])), STREAM_PORT))
    cut = Ether(whole[:128])
    assert (cut[dissect.Pages].round, cut[dissect.Pages].count) == (3, 100)
    assert cut[dissect.Pages].extents[1].offset == 8192


# ---- Messages out of segments ----------------------------------------------------------------------------------------

A, B = ("10.0.1.1", 40000), ("10.0.1.2", 8000)


def _cut(data: bytes, start: int, cuts: list[int]) -> list[Tcp]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [
        Tcp(source=A, destination=B, sequence=(start + a) % 2**32, flags=0, size=b - a, payload=data[a:b])
        for a, b in itertools.pairwise(edges)
    ]


def _heard(segments: list[Tcp], start: int) -> tuple[list[bytes], Overheard]:
    channel = Overheard()
    syn = Tcp(source=A, destination=B, sequence=(start - 1) % 2**32, flags=SYN, size=0, payload=b"")
    return [m.encode(message) for segment in [syn, *segments] for message in channel.add(segment)], channel


@given(st.lists(CHANNEL, max_size=6), U32, st.lists(U16, max_size=12), st.lists(U16, max_size=12), U16)
def test_split_joined_repeated_and_out_of_order_they_come_back(
    messages: list[m.Message], start: int, cuts: list[int], other_cuts: list[int], seed: int
) -> None:
    sent = [m.encode(message) for message in messages]
    data = b"".join(sent)
    segments = _cut(data, start, cuts) + _cut(data, start, other_cuts)
    random.Random(seed).shuffle(segments)
    heard, channel = _heard(segments, start)
    assert heard == sent
    assert not channel.missing


def test_a_capture_that_begins_in_the_middle_of_a_connection_is_read_from_there() -> None:
    data = m.encode(m.Welcome(5))
    assert [*Overheard().add(_cut(data, 77, [])[0])] == [m.Welcome(5)]


def test_a_segment_that_was_not_captured_is_known_to_be_missing() -> None:
    first, _lost, last = _cut(m.encode(m.Welcome(5)) * 3, 0, [16, 20])
    heard, channel = _heard([first, last], 0)
    assert heard == [m.encode(m.Welcome(5))]
    assert channel.missing


def test_thousands_that_wait_for_one_that_is_missing_hold_nobody_up() -> None:
    """To look through all of them with each segment took 6 ms; a capture of somebody's has millions of those."""
    first, _lost, *waiting = _cut(bytes(4000), 0, [*range(2, 4000)])
    heard, channel = _heard([first, *waiting, *waiting[:1] * 100_000], 0)
    assert heard == [] and channel.missing and channel.held == len(first.payload) + len(waiting)


def test_another_version_is_one_line() -> None:
    data = bytearray(m.encode(m.Commit()))
    data[2] += 1
    with pytest.raises(ScenarioError, match=r"cannot be read: .*version"):
        _heard(_cut(bytes(data), 0, []), 0)

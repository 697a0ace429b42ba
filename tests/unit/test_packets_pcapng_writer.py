"""A capture as it is written: which interface, what was said with which packet, and what a killed process leaves."""

import io
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import RawPcapNgReader

from testbed.linux.net.packet_ring import Packet
from testbed.packets import pcapng
from testbed.packets.frames import frames
from testbed.packets.pcapng_writer import PcapngWriter
from testbed.packets.remarks import MOST_DIRECTIONS, Remarks
from testbed.packets.story import story
from testbed.wire import messages as m
from tests.unit.test_packets_story import A, B, a_migration

TAPS = ["esx1 vmotion", "client vm"]
SAID = [
    "Hello: a guest of 8.0 MB, its pages over 2 streams",
    "Welcome: 8.0 MB are reserved",
    "RoundBegin 1: 41.0 kB of pages",
    "RoundEnd 1: 41.0 kB are on the streams",
    "RoundReceived 1: 41.0 kB are in memory",
    "stun: RoundBegin 2: 0.0 B of pages; the guest stands still",
    "RoundEnd 2: 0.0 B are on the streams",
    "RoundReceived 2: 0.0 B are in memory",
    "Prepare: that was all after 77 operations; 2 connections came",
    "Prepared: could run it after 77 operations, with 2 connections",
    "Commit: it is yours",
    "Running: first step 1.000 ms, announced 2.000 ms after Commit came",
]


def written(file: Path) -> Path:
    """A whole migration, its packets from two interfaces in turn."""
    with file.open("wb", buffering=0) as raw:
        writer = PcapngWriter(raw, TAPS, 1 << 18, Remarks().of)
        packets = a_migration(file).packets
        for number, packet in enumerate(packets):
            writer.add(packet, number % 2)
        writer.write(packets[-1].at + 1)
        writer.finish([0, 3])
    return file


def told(file: Path) -> list[Any]:
    """What scapy has of each packet beside its bytes."""
    with RawPcapNgReader(str(file)) as reader:
        return [beside for _, beside in reader]


def test_each_packet_tells_its_interface_and_what_is_said_with_it(tmp_path: Path) -> None:
    found = told(written(tmp_path / "a.pcapng"))
    assert [each.ifname.decode() for each in found[:4]] == TAPS * 2
    comments = [comment.decode() for each in found for comment in each.comments or ()]
    assert comments == SAID


def test_it_tells_the_same_story_as_a_pcap_did(tmp_path: Path) -> None:
    assert story(written(tmp_path / "a.pcapng")) == story(a_migration(tmp_path / "a.pcap").write())


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed (./bootstrap install test)")
def test_tshark_shows_rounds_stun_and_commit(tmp_path: Path) -> None:
    show = ["-Y", "frame.comment", "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment"]
    argv = ["tshark", "-n", "-r", str(written(tmp_path / "a.pcapng")), *show]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("\t")[1] for line in said] == SAID
    assert {line.split("\t")[0] for line in said} <= set(TAPS)


@given(st.integers(0, 4000))
def test_whoever_ends_it_leaves_the_packets_before_that(cut: int) -> None:
    whole = io.BytesIO()
    writer = PcapngWriter(whole, TAPS, 1 << 18)
    for at in range(9):
        writer.add(Packet(at, 100, bytes(100)), at % 2)
    writer.write(9)
    left = whole.getvalue()[: max(12, cut)]
    found = list(pcapng.packets(io.BytesIO(left)))
    assert found == [(at, 100, bytes(100)) for at in range(len(found))]
    assert len(left) < len(whole.getvalue()) or len(found) == 9


class Slow(io.RawIOBase):
    """Takes ten bytes at a time, as a pipe or a disk that is nearly full may."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, content: object) -> int:
        few = bytes(content)[:10]  # type: ignore[call-overload]
        self.taken += few
        return len(few)


def test_what_one_call_does_not_take_the_next_does() -> None:
    slow, quick = Slow(), io.BytesIO()
    for file in (slow, quick):
        writer = PcapngWriter(file, TAPS, 1 << 18)  # type: ignore[arg-type]
        writer.add(Packet(1, 100, bytes(100)))
        writer.write(2)
    assert bytes(slow.taken) == quick.getvalue()


def channel(payload: bytes, *, port: int = 40000, sequence: int = 1, flags: str = "PA") -> Packet:
    """A segment from the source to the channel's port."""
    made = bytes(Ether() / IP(src=A, dst=B) / TCP(sport=port, dport=8000, seq=sequence, flags=flags) / Raw(payload))
    return Packet(0, len(made), made)


def test_a_message_is_said_once_and_where_it_is_whole() -> None:
    remarks, hello = Remarks(), m.encode(m.Hello(bytes(16), 8_000_000, 4096, 2))
    said = [remarks.of(channel(part, sequence=at)) for at, part in
            ((1, hello[:5]), (1, hello[:5]), (6, hello[5:]), (6, hello[5:]))]  # fmt: skip
    assert said == ["", "", SAID[0], ""]


def test_several_in_one_packet_are_all_said() -> None:
    both = m.encode(m.RoundEnd(1, 4096)) + m.encode(m.RoundBegin(2, 4096))
    assert Remarks().of(channel(both)) == "RoundEnd 1: 4.1 kB are on the streams; RoundBegin 2: 4.1 kB of pages"


def test_strangers_are_not_quoted_and_do_not_silence_the_source() -> None:
    remarks = Remarks()
    for port in range(3 * MOST_DIRECTIONS):
        assert remarks.of(channel(b"GET / HTTP/1.1\r\n\r\n", port=port)) == ""
        assert remarks.of(channel(b"FM", port=port + 1000)) == ""
        assert remarks.of(channel(b"", port=port + 1000, flags="RA", sequence=3)) == ""
    assert remarks.of(channel(m.encode(m.Commit()))) == "Commit: it is yours"


@given(st.binary(max_size=80), st.integers(0, 200))
def test_nothing_that_is_captured_stops_a_capture(data: bytes, beyond: int) -> None:
    remarks = Remarks()
    assert isinstance(remarks.of(Packet(0, len(data) + beyond, data)), str)
    assert isinstance(remarks.of(channel(data)), str)


def test_a_reason_of_a_peer_is_one_line(tmp_path: Path) -> None:
    body = "\x1b[2J\nno \u202e".encode() * 400
    message = struct.pack("!2sBBI", b"FM", m.VERSION, m.Type.FAILED, 1024) + body[:1024]
    with (tmp_path / "a.pcapng").open("wb", buffering=0) as raw:
        writer = PcapngWriter(raw, TAPS, 1 << 18, Remarks().of)
        writer.add(channel(message))
        writer.write(1)
    assert len(list(frames(tmp_path / "a.pcapng"))) == 1
    assert told(tmp_path / "a.pcapng")[0].comments[0].decode().isprintable()

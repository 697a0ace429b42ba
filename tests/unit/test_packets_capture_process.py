"""What of each packet is kept, asked of the kernel itself: a filter works on any socket. And the file's order."""

import io
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from testbed.core.errors import ScenarioError
from testbed.core.network.names import CHANNEL_PORT
from testbed.linux.net import bpf
from testbed.linux.net.packet_ring import Packet as Captured
from testbed.packets import pcapng
from testbed.packets.capture_process import HEADERS, PROBE_BYTES, packet_filter
from testbed.packets.frames import frames
from testbed.packets.pcapng_writer import PcapngWriter

PAYLOAD = Raw(bytes(1000))
IPV4 = Ether() / IP(src="10.0.2.3", dst="10.0.2.100")


def kept(packet: Packet) -> int:
    """How many bytes of it the kernel lets through."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        bpf.attach(theirs, packet_filter([CHANNEL_PORT]))
        ours.send(bytes(packet))
        return len(theirs.recv(65536))


@pytest.mark.parametrize(
    "packet",
    [
        Ether() / ARP() / PAYLOAD,
        Ether(type=0x8035) / PAYLOAD,
        IPV4 / ICMP() / PAYLOAD,
        IPV4 / TCP(dport=8000) / PAYLOAD,
        IPV4 / TCP(sport=8000, dport=40000) / PAYLOAD,
        Ether() / IP(options=b"\x01" * 8) / TCP(dport=8000) / PAYLOAD,
    ],
)
def test_these_are_kept_whole(packet: Packet) -> None:
    assert kept(packet) == len(packet)


@pytest.mark.parametrize(
    "packet",
    [
        IPV4 / TCP(dport=8001) / PAYLOAD,
        IPV4 / TCP(sport=8001, dport=8080) / PAYLOAD,
        IPV4 / TCP(dport=5432) / PAYLOAD,
        IPV4 / UDP(sport=40000, dport=8000) / PAYLOAD,
        Ether() / IP(frag=10, proto=6) / Raw(struct.pack("!HH", 8000, 8000)) / PAYLOAD,
        Ether() / IP(proto=47) / PAYLOAD,
        Ether(type=0x86DD) / PAYLOAD,
    ],
)
def test_of_these_the_headers_are_kept(packet: Packet) -> None:
    assert kept(packet) == HEADERS


def test_of_a_probe_and_its_answer_little_is_kept() -> None:
    assert kept(IPV4 / UDP(sport=40000, dport=7) / PAYLOAD) == PROBE_BYTES
    assert kept(IPV4 / UDP(sport=7, dport=40000) / PAYLOAD) == PROBE_BYTES


def test_headers_with_every_option_fit() -> None:
    assert len(Ether() / IP() / TCP(options=[("NOP", None)] * 40)) <= HEADERS


def test_a_jump_back_is_refused() -> None:
    with pytest.raises(ValueError, match="forward"):
        bpf.assemble([bpf.Step("ret", 0, label="here"), bpf.Step("jeq", 1, "here")])


@given(st.lists(st.tuples(st.integers(0, 10**15), st.binary(min_size=14, max_size=200)), max_size=30), st.integers(0))
def test_a_file_is_in_order_of_time_whichever_tap_is_read_first(seen: list[tuple[int, bytes]], cut: int) -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file, ["a"], 1 << 18)
    older, newer = ([each for each in seen if (each[0] < cut) is first] for first in (True, False))
    for at, data in older:
        writer.add(Captured(at, len(data) + 7, data))
    writer.write(cut)
    for at, data in newer:
        writer.add(Captured(at, len(data) + 7, data))
    writer.write(10**16)
    assert writer.packets == len(seen)
    file.seek(0)
    assert list(pcapng.packets(file)) == sorted((at, len(data) + 7, data) for at, data in seen)


def test_a_file_that_was_cut_off_gives_its_whole_packets(tmp_path: Path) -> None:
    file = tmp_path / "a.pcapng"
    with file.open("wb", buffering=0) as capture:
        writer = PcapngWriter(capture, ["a"], 1 << 18)
        for number in range(3):
            writer.add(Captured(number, 100, bytes(100)))
        writer.write(10)
    whole = file.read_bytes()
    for size in (len(whole) - 1, len(whole) - 100, len(whole) - 110):
        file.write_bytes(whole[:size])
        assert [(frame.number, frame.at, frame.length) for frame in frames(file)] == [(1, 0, 100), (2, 1, 100)]


def test_what_is_no_pcap_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(b"hello")
    with pytest.raises(ScenarioError, match="is no capture: neither pcap nor pcapng"):
        list(frames(tmp_path / "a.pcap"))
    with pytest.raises(ScenarioError, match="cannot be read"):
        list(frames(tmp_path / "b.pcap"))

"""A migration told from its packets: who said what, what each round carried, the guest's silence, its announcements."""

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from testbed.cli import main
from testbed.core.connection import TcpConnection
from testbed.core.errors import ScenarioError
from testbed.core.extents import Extents
from testbed.labs.evidence.refusals import Wrong
from testbed.labs.evidence.seen import LabRun
from testbed.linux.net.packet_ring import Packet as Captured
from testbed.packets.capture import capture_file
from testbed.packets.story import StoryLine, each_packet, story
from testbed.wire import messages as m
from tests.unit.records import a_summary

A, B, CLIENT, GUEST, MAC = "10.0.1.1", "10.0.1.2", "10.0.2.3", "10.0.2.100", "02:00:0a:00:02:64"
START = 1_700_000_000 * 10**9
ID = bytes(16)


class Capturer:
    """Frames with a time in ms, in a pcap; TCP with sequence numbers as they follow."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._sequence: dict[tuple[str, int], int] = {}
        self._packets: list[Captured] = []

    def frame(self, at: float, packet: Packet, keep: int = 10**6) -> None:
        data = bytes(packet)
        self._packets.append(Captured(START + round(at * 1e6), len(data), data[:keep]))

    def segment(self, at: float, sender: str, port: int, payload: bytes, keep: int = 10**6) -> None:
        own, other = (40000, port) if sender == A else (port, 40000)
        sequence = self._sequence.get((sender, port), 1000)
        self._sequence[sender, port] = sequence + len(payload)
        packet = (
            Ether()
            / IP(src=sender, dst=B if sender == A else A)
            / TCP(sport=own, dport=other, seq=sequence, flags="PA")
            / Raw(payload)
        )
        self.frame(at, packet, keep)

    def say(self, at: float, message: m.Message) -> None:
        sender = B if isinstance(message, m.Welcome | m.RoundReceived | m.Prepared | m.Running | m.Failed) else A
        self.segment(at, sender, 8000, m.encode(message))

    def write(self) -> Path:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        head = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1)
        self.file.write_bytes(head + b"".join(map(self._record, sorted(self._packets))))
        return self.file

    @property
    def packets(self) -> list[Captured]:
        """In order of time."""
        return sorted(self._packets)

    @staticmethod
    def _record(packet: Captured) -> bytes:
        at = divmod(packet.at, 10**9)
        return struct.pack("=IIII", *at, len(packet.data), max(packet.length, len(packet.data))) + packet.data


def connection(port: int) -> m.GuestConnection:
    return m.GuestConnection(
        TcpConnection(
            local_ip=GUEST, local_port=5432, remote_ip=CLIENT, remote_port=port, send_sequence=1, receive_sequence=2,
            mss=1460, send_scale=7, receive_scale=7, selective=True, timestamp=5, window=bytes(20), received=b"abc",
        )
    )  # fmt: skip


def captured(file: Path) -> Path:
    return a_migration(file).write()


def a_migration(file: Path) -> Capturer:
    tap = Capturer(file)
    answer = Ether() / IP(src=GUEST, dst=CLIENT) / UDP(sport=7, dport=5000) / Raw(bytes(16))
    tap.frame(-5, Ether(src="02:00:0a:00:02:03") / ARP(op=1, psrc=CLIENT, pdst=GUEST))
    tap.frame(-4, Ether() / IP(src=CLIENT, dst=GUEST) / ICMP())
    tap.frame(-3, answer)
    tap.say(0, m.Hello(ID, 8_000_000, 4096, 2))
    tap.say(1, m.Welcome(8_000_000))
    tap.segment(2, A, 8001, m.encode(m.StreamHello(ID, 0)))
    tap.say(3, m.RoundBegin(1, 40960))
    table = m.encode(m.Pages(1, Extents(np.array([[0, 40960]], np.uint64))))
    tap.segment(4, A, 8001, table + bytes(20480), keep=128)
    tap.segment(6, A, 8001, bytes(20480), keep=128)
    tap.segment(6.1, B, 8001, b"")
    tap.say(5, m.RoundEnd(1, 40960))
    tap.say(7, m.RoundReceived(1, 40960))
    tap.frame(7.5, answer)
    tap.say(8, m.RoundBegin(2, 0, 1))
    tap.say(9, m.RoundEnd(2, 0))
    tap.say(10, m.RoundReceived(2, 0))
    tap.say(11, connection(40001))
    tap.say(12, connection(40002))
    tap.say(13, m.Prepare(77, ID, 2))
    tap.say(14, m.Prepared(77, ID, 2))
    tap.say(15, m.Commit())
    tap.frame(16, Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff", type=0x8035) / ARP(op=3, hwsrc=MAC, hwdst=MAC))
    tap.frame(16.1, Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=MAC, psrc=GUEST, pdst=GUEST))
    tap.frame(17, answer)
    tap.say(18, m.Running(10**9, 10**9 + 2 * 10**6, 10**9 + 10**6, 78))
    return tap


@pytest.fixture
def lines(tmp_path: Path) -> list[StoryLine]:
    return story(captured(tmp_path / "a.pcap"))


def _at(lines: list[StoryLine], words: str) -> StoryLine:
    (found,) = [line for line in lines if words in line.words]
    return found


def test_it_is_told_in_order_of_time_since_the_hello(lines: list[StoryLine]) -> None:
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert _at(lines, "Hello").at == 0
    assert _at(lines, "Commit: it").at == pytest.approx(0.015)
    assert _at(lines, "who has").at == pytest.approx(-0.005)


def test_both_ends_have_names_and_the_guest_too(lines: list[StoryLine]) -> None:
    hello, received = _at(lines, "Hello"), _at(lines, "RoundReceived 1")
    assert (hello.sender, hello.receiver) == ("source", "destination")
    assert (received.sender, received.receiver) == ("destination", "source")
    assert _at(lines, "ICMP").receiver == "guest"


def test_what_a_round_carried_is_one_line(lines: list[StoryLine]) -> None:
    carried = _at(lines, "pages of round 1")
    assert carried.at == pytest.approx(0.006)
    assert "2 packets, 41.0 kB on 1 stream in 2.0 ms" in carried.words
    assert not [line for line in lines if "pages of round 2" in line.words]
    assert "1 packet, 26.0 B" in _at(lines, "streams introduce").words


def test_stun_prepare_and_running_say_what_happened(lines: list[StoryLine]) -> None:
    assert "the guest stands still" in _at(lines, "RoundBegin 2").words
    assert "stands still" not in _at(lines, "RoundBegin 1").words
    assert "after 77 operations; 2 connections came" in _at(lines, "Prepare:").words
    assert "first step 1.000 ms, announced 2.000 ms after Commit" in _at(lines, "Running").words


def test_connections_are_one_line_or_each_its_own(lines: list[StoryLine], tmp_path: Path) -> None:
    assert "2 × Connection: 6.0 B unread" in _at(lines, "Connection").words
    assert len([line for line in story(tmp_path / "a.pcap", every=True) if "Connection: " in line.words]) == 2


def test_announcements_and_silence_of_the_guest(lines: list[StoryLine]) -> None:
    assert _at(lines, "RARP").words == f"RARP: {MAC} is here now"
    assert _at(lines, "RARP").sender == "guest"
    assert _at(lines, "who has").sender == "client"
    gratuitous = _at(lines, "gratuitous")
    assert (gratuitous.sender, gratuitous.receiver) == ("guest", "everybody")
    assert _at(lines, "last packet from the source, of 2").at == pytest.approx(0.0075)
    first = _at(lines, "first from the destination")
    assert first.at == pytest.approx(0.017)
    assert "after 9.5 ms" in first.words


def test_a_migration_that_was_abandoned_is_told_to_its_end(tmp_path: Path) -> None:
    tap = Capturer(tmp_path / "a.pcap")
    tap.say(0, m.Hello(ID, 8_000_000, 4096, 1))
    tap.say(1, m.Abandon("cancelled"))
    assert [line.words for line in story(tap.write())][1:] == ["Abandon: cancelled"]


@pytest.mark.parametrize("message", [m.Commit(), connection(40001)], ids=["commit", "connection"])
def test_a_capture_of_more_messages_than_any_migration_has_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: m.Message
) -> None:
    monkeypatch.setattr("testbed.packets.story.MOST_TOLD", 10)
    tap = Capturer(tmp_path / "a.pcap")
    tap.segment(0, A, 8000, m.encode(message) * 11)
    with pytest.raises(ScenarioError, match="more than 10 messages"):
        story(tap.write())


def test_a_hole_in_the_channel_is_said(tmp_path: Path) -> None:
    tap = Capturer(tmp_path / "a.pcap")
    tap.say(0, m.Hello(ID, 8_000_000, 4096, 1))
    tap._sequence[A, 8000] += 5
    tap.say(1, m.Commit())
    assert "was not captured" in story(tap.write())[-1].words


def test_a_capture_that_begins_in_the_middle_says_so(tmp_path: Path) -> None:
    """As ``editcap -c`` and a ring buffer make them: the pages are no introduction of the streams."""
    tap = Capturer(tmp_path / "a.pcap")
    tap.segment(0, A, 8001, bytes(20480), keep=128)
    tap.segment(2, A, 8001, bytes(20480), keep=128)
    tap.say(3, m.RoundBegin(2, 0))
    pages, begun = story(tap.write())
    carried = "2 packets, 41.0 kB on 1 stream in 2.0 ms"
    assert pages.words == f"pages of a round whose beginning was not captured: {carried}"
    assert (pages.sender, pages.receiver) == (begun.sender, begun.receiver) == ("source", "destination")


def test_a_capture_of_something_else_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tap = Capturer(tmp_path / "a.pcap")
    tap.frame(0, Ether() / IP(src=CLIENT, dst=GUEST) / UDP(sport=7, dport=5000))
    for file in (tap.write(), Capturer(tmp_path / "empty.pcap").write()):
        assert main(["packets", str(file)]) == 0
        assert "nothing of a migration is in it" in capsys.readouterr().out


def test_every_packet_in_scapys_words(tmp_path: Path) -> None:
    file = captured(tmp_path / "a.pcap")
    told = list(each_packet(file))
    assert len(told) == 25
    assert "RoundBegin(index=2, page_bytes=0, stunned=1)" in [line.words for line in told]
    assert "128 of 20566 B kept" in _at(told, "Pages(").words


# ---- The command -----------------------------------------------------------------------------------------------------


def test_the_command_prints_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captured(capture_file(tmp_path, number=1, repeat=1))
    captured(capture_file(tmp_path, number=2, repeat=2))
    assert main(["packets", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("Commit: it is yours") == 2
    assert "migration 2, repeat 2: " in out
    assert main(["packets", str(tmp_path), "--migration", "2", "--all"]) == 0
    out = capsys.readouterr().out
    assert "migration 1" not in out
    assert len(out.splitlines()) == 26


def test_on_a_terminal_it_is_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    captured(capture_file(tmp_path, number=1, repeat=1))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "150")
    assert main(["packets", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "seconds" in out
    assert "Commit: it is yours" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["."], "run it again with --capture"),
        (["nowhere"], "no such folder"),
        (["kept", "--migration", "3"], "no packets were kept of migration 3; there are those of 1"),
    ],
)
def test_what_is_not_there_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captured(capture_file(tmp_path / "kept", number=1, repeat=1))
    folder, *options = arguments
    assert main(["packets", str(tmp_path / folder), *options]) == 2
    assert said in capsys.readouterr().err


def test_an_engine_that_sends_no_packets_keeps_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "hello", "--engine", "simulated", "--capture", "--out", str(tmp_path / "run")]
    assert main(arguments) == 2
    assert "sends no packets; leave out --capture" in capsys.readouterr().err


def test_a_lab_asks_when_it_is_told_of_something(tmp_path: Path) -> None:
    run = LabRun(name="talk", folder=tmp_path, summary=a_summary())
    assert run.told("RARP") is None
    (tmp_path / "packets").mkdir()
    captured(tmp_path / "packets" / "01-1.pcap")
    assert run.told("RARP") == pytest.approx(0.016)
    assert run.told("its first from the destination") == pytest.approx(0.017)
    assert run.told("a parrot") is None and run.told("RARP", migration=2) is None
    (tmp_path / "packets" / "02-1.pcap").write_bytes(b"no capture at all")
    with pytest.raises(Wrong, match="neither pcap nor pcapng"):
        run.told("RARP", migration=2)

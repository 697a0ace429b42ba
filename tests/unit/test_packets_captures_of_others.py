"""Captures that a tool converted, packed, cut or damaged: told, read over, or said by name in one line."""

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import PcapReader, PcapWriter, wrpcapng

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.extents import Extents
from testbed.core.records.services import CaptureRecord
from testbed.packets.dissect import Extent, Pages
from testbed.packets.frames import frames
from testbed.packets.story import each_packet, story
from testbed.wire import messages as m
from tests.unit.records import a_migration, a_summary
from tests.unit.runs import made
from tests.unit.test_packets_story import captured

FUZZ = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A block of a pcapng."""
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + size + body + size


def as_pcapng(pcap: Path, order: str = "<", ticks: bytes = b"\x09") -> bytes:
    """As ``editcap -F pcapng`` writes it: nanoseconds, and blocks that nobody needs between the packets."""
    made = block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    options = struct.pack(f"{order}HH", 9, 1) + ticks + bytes(3) + bytes(4)
    made += block(1, struct.pack(f"{order}HHI", 1, 0, 0) + options, order)
    for each in frames(pcap):
        head = struct.pack(f"{order}5I", 0, each.at >> 32, each.at & 0xFFFFFFFF, len(each.data), each.length)
        made += block(6, head + each.data, order) + block(5, bytes(12), order)
    return made


def test_what_a_run_says_is_lacking_in_its_capture_is_said_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = CaptureRecord(file="packets/01-1.pcap", packets=9, dropped=2, fault="2 packets came faster than they do")
    run = made(tmp_path / "run", a_summary(a_migration(capture=lacking)))
    (run / "packets").mkdir()
    file = captured(run / "packets" / "01-1.pcap")
    assert main(["packets", str(run)]) == 0
    said = "testbed: packets: not all are in packets/01-1.pcap: 2 packets came faster than they do\n"
    assert capsys.readouterr().err == said
    assert main(["packets", str(file)]) == 0
    assert capsys.readouterr().err == ""


def test_of_one_capture_no_migration_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = captured(tmp_path / "a.pcap")
    assert main(["packets", str(file), "--migration", "2"]) == 2
    said = f"testbed: {file}: is one capture; --migration chooses among those of a run's folder\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_pcapng_tells_the_same_story(tmp_path: Path, order: str) -> None:
    pcap, other = captured(tmp_path / "a.pcap"), tmp_path / "a.pcapng"
    other.write_bytes(as_pcapng(pcap, order))
    assert list(frames(other)) == list(frames(pcap))
    assert story(other) == story(pcap)


def test_a_pcapng_of_scapy_and_a_pcap_of_microseconds_are_read(tmp_path: Path) -> None:
    pcap, ng, us = captured(tmp_path / "a.pcap"), str(tmp_path / "b.pcapng"), str(tmp_path / "c.pcap")
    with PcapReader(str(pcap)) as packets, PcapWriter(us, endianness=">") as writer:
        known = list(packets)
        wrpcapng(ng, known)
        for each in known:
            writer.write(each)
    for other in (ng, us):
        again = list(frames(Path(other)))
        assert [each.data for each in again] == [each.data for each in frames(pcap)]
        assert all(abs(a.at - b.at) <= 1000 for a, b in zip(again, frames(pcap), strict=True))


@pytest.mark.parametrize("every", [[], ["--all"]])
def test_a_capture_by_itself_is_told(tmp_path: Path, every: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A file that lies in no run's folder."""
    file = captured(tmp_path / "mine.pcap")
    assert main(["packets", str(file), *every]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{file}\n") and "Commit" in out and err == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"\xd4\xc3\xb2\xa1", mtime=0), "this is gzip; unpack it first: gunzip {}"),
        (b"PK\x03\x04", "this is a zip archive"),
        (b"{}", "is no capture: neither pcap nor pcapng; give the run's folder"),
        (b"", "is no capture"),
        (b"\xd4\xc3\xb2\xa1", "was cut off in its head"),
        (b"\xd4\xc3\xb2\xa1" + bytes(16) + b"\x71\0\0\0", "was captured on no Ethernet (link type 113)"),
        (b"\xd4\xc3\xb2\xa1" + bytes(16) + b"\1\0\0\0" + b"\xff" * 16, "4,294,967,295 bytes of it were kept"),
        (block(0x0A0D0D0A, bytes(16)), "has no byte order"),
        (block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a" + bytes(12)) + block(1, bytes(8)), "no Ethernet (link type 0)"),
        (block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a" + bytes(12)) + block(6, bytes(20)), "of an interface, or of a length"),
        (block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a" + bytes(12)) + block(6, b""), "too short for what it is"),
        (block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a" + bytes(12))[:-1] + b"x", "does not say how long it was"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_by_name(
    tmp_path: Path, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "01-1.pcap"
    file.write_bytes(content)
    for command in (["packets", str(file)], ["packets", str(file), "--all"]):
        assert main(command) == 2
        err = capsys.readouterr().err
        assert said.format(file) in err and str(file) in err and err.count("\n") == 1


def test_a_table_of_extents_that_was_cut_has_whole_ones_only(tmp_path: Path) -> None:
    """So each of them has an offset and a length, as docs/capture.md's own lines take for granted."""
    table = m.encode(m.Pages(2, Extents(np.array([[4096 * 3 * i, 8192] for i in range(500)], np.uint64))))
    whole = bytes(Ether() / IP() / TCP(dport=8001, options=[("Timestamp", (1, 2))]) / table)
    for kept in range(70, 400):
        found = Ether(whole[:kept])
        if Pages in found:
            assert all(type(each) is Extent and each.length == 8192 for each in found[Pages].extents)
    assert len(Ether(whole)[Pages].extents) == 500


def test_the_block_in_the_documents_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    captured(tmp_path / "packets" / "01-1.pcapng")
    code = re.search(r"```python\n(.*?)```", Path("docs/capture.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    monkeypatch.chdir(tmp_path)
    exec(compile(code[1], "docs/capture.md", "exec"), {})  # noqa: S102 - our own document


def test_a_capture_that_is_cut_anywhere_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    raw = captured(tmp_path / "a.pcap").read_bytes()
    cut, ng = tmp_path / "cut.pcap", as_pcapng(tmp_path / "a.pcap")
    for content in [raw[:length] for length in range(24, len(raw), 7)] + [ng[:n] for n in range(28, len(ng), 31)]:
        cut.write_bytes(content)
        assert len(story(cut)) <= len(list(each_packet(cut))) + 10


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """One capture, as pcap and as pcapng."""
    file = captured(tmp_path_factory.mktemp("whole") / "a.pcap")
    return file.read_bytes(), as_pcapng(file)


@given(data=st.data())
@FUZZ
def test_any_bytes_in_a_capture(whole: tuple[bytes, bytes], data: st.DataObject, tmp_path: Path) -> None:
    file = tmp_path / "a.pcap"
    raw = bytearray(whole[data.draw(st.booleans())])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    file.write_bytes(raw)
    for told in (story, each_packet):
        try:
            list(told(file))
        except ScenarioError as error:
            assert "\n" not in str(error)


@given(kept=st.integers(0, 90), fill=st.binary(max_size=90))
@FUZZ
def test_frames_of_any_length(whole: tuple[bytes, bytes], kept: int, fill: bytes, tmp_path: Path) -> None:
    """``--all`` on what holds not even an Ethernet header."""
    file = tmp_path / "a.pcap"
    head = whole[0][24 + 16 :][:kept] + fill  # behind the heads of the file and of its first frame
    file.write_bytes(whole[0][:24] + struct.pack("=IIII", 1, 0, len(head), 2000) + head)
    assert len(list(each_packet(file))) == 1
    story(file)

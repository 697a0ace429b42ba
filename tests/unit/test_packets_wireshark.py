"""The dissector for Wireshark, by tshark itself: every message and field of the protocol's table, as it was sent."""

import os
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbed.cli import main
from testbed.core.extents import Extents
from testbed.packets.dissect import GuestConnection
from testbed.wire import messages as m
from testbed.wire.tcp import FIELDS, FLAGS
from tests.unit.test_packets_story import ID, A, B, Capturer, a_migration, connection

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="no tshark: ./bootstrap install test")
REASON = "no room \u00e4"
SAID: tuple[m.Message, ...] = (
    m.Hello(bytes(range(16)), 8 << 40, 4096, 3, 1),
    m.Welcome(8 << 40),
    m.RoundBegin(7, 1 << 33, 1),
    m.RoundEnd(7, 1 << 33),
    m.RoundReceived(7, (1 << 33) - 1),
    connection(40001),
    m.Prepare(77, ID, 1),
    m.Prepared(78, ID, 1),
    m.Commit(),
    m.Running(1, 2, 3, 79),
    m.Abandon(REASON),
    m.Failed(REASON),
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from testbed.packets.wireshark import dissector

    file = tmp_path_factory.mktemp("lua") / "fast_motion.lua"
    file.write_text(dissector(), encoding="utf-8")
    return file


def tshark(script: Path, capture: Path, *show: str, where: str = "fastmotion") -> list[list[str]]:
    """A row a packet, a column a field. For root Wireshark 4.4 runs no script, so root asks as nobody, who still owns
    root's files.
    """
    as_nobody = [] if os.geteuid() else ["unshare", "--user"]
    argv = ["tshark", "-n", "-X", f"lua_script:{script}", "-r", str(capture), "-Y", where, "-T", "fields"]
    argv += [word for each in show for word in ("-e", each)]
    said = subprocess.run([*as_nobody, *argv], capture_output=True, text=True, check=True)
    assert "Lua" not in said.stderr, said.stderr
    return [line.split("\t") for line in said.stdout.splitlines()]


def shown(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


@needs_tshark
def test_each_field_of_each_message_is_what_was_sent(script: Path, tmp_path: Path) -> None:
    tap, expected = Capturer(tmp_path / "a.pcap"), dict[str, list[str]]()
    for at, message in enumerate(SAID):
        tap.say(at, message)
        key = "".join(f"_{c.lower()}" if c.isupper() else c for c in type(message).__name__).lstrip("_")
        for each in fields(message) if not isinstance(message, m.GuestConnection) else ():
            expected[f"fastmotion.{key}.{each.name}"] = [shown(getattr(message, each.name))]
    found = tshark(script, tap.write(), "fastmotion.message", *expected)
    assert [row[0] for row in found] == [type(message).__name__ for message in SAID]
    for number, name in enumerate(expected, 1):
        assert [row[number] for row in found if len(row) > number and row[number]] == expected[name], name


@needs_tshark
def test_a_connection_is_told_with_its_queues(script: Path, tmp_path: Path) -> None:
    tap, key = Capturer(tmp_path / "a.pcap"), "fastmotion.guest_connection."
    tap.say(0, connection(40001))
    names = [key + each for each in ("local_ip", "remote_port", "mss", "selective", "closed", "received")]
    (row,) = tshark(script, tap.write(), *names)
    assert row[:3] == ["10.0.2.100", "40001", "1460"] and row[5] == b"abc".hex()
    assert row[3] in ("1", "True") and row[4] in ("", "0", "False"), "in Wireshark's words before 4.4, and since"


@needs_tshark
def test_a_whole_migration_with_messages_split_and_together(script: Path, tmp_path: Path) -> None:
    found = tshark(script, a_migration(tmp_path / "a.pcap").write(), "fastmotion.message", "fastmotion.pages.length")
    assert [row[0] for row in found].count("RoundBegin") == 2 and ["Pages", "40960"] in found
    tap, both = Capturer(tmp_path / "b.pcap"), m.encode(m.RoundEnd(1, 4096)) + m.encode(m.RoundBegin(2, 8192))
    tap.segment(0, A, 8000, both[:25])
    tap.segment(1, A, 8000, both[25:])
    (first, second) = tshark(script, tap.write(), "fastmotion.message", "fastmotion.round_begin.page_bytes")
    assert (first[0], second) == ("RoundEnd", ["RoundBegin", "8192"])


@needs_tshark
def test_tables_that_were_cut_and_what_is_none_of_ours_break_nothing(script: Path, tmp_path: Path) -> None:
    tap = Capturer(tmp_path / "a.pcap")
    table = m.encode(m.Pages(3, Extents(np.array([[n << 13, 4096] for n in range(300)], np.uint64))))
    tap.segment(0, A, 8001, table + bytes(1000), keep=128)
    tap.segment(1, A, 8001, b"FM" + bytes(5000), keep=128)
    strangers = (b"GET / HTTP/1.1\r\n\r\n", b"FMFMFMFM", b"FM\x03\x0e\xff\xff\xff\xff", b"F", bytes(40))
    for at, stranger in enumerate(strangers, 2):
        tap.segment(at, B if at % 2 else A, 8000, stranger)
    found = tshark(script, tap.write(), "fastmotion.message", "fastmotion.pages.count", "fastmotion.pages.length")
    assert found[0][:2] == ["Pages", "300"] and found[0][2].split(",")[0] == "4096"


def test_what_a_connection_holds_is_called_alike_everywhere() -> None:
    layer = [each.name for each in GuestConnection.fields_desc]
    assert layer == [*FIELDS, "received", "unacknowledged"]
    assert sum(FLAGS.values()) == (1 << len(FLAGS)) - 1


def test_the_command_prints_it(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "wireshark"]) == 0
    assert capsys.readouterr().out == script.read_text(encoding="utf-8")

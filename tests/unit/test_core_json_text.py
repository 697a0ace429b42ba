"""JSON in a run's folder that means harm: one line of ``ScenarioError``, and no memory."""

import shutil
import struct
import tracemalloc
from pathlib import Path

import pytest

from testbed.core import json_text
from testbed.core.errors import ScenarioError
from testbed.network.frames import frames
from testbed.report import cells, samples
from testbed.report.folder import RunFolder

KEPT = Path(__file__).parents[1] / "data" / "run-schema-1"


def test_what_is_nested_without_end_is_a_fault_like_any_other() -> None:
    for text in ("[" * 200_000, '{"a":' * 200_000, "[" * 200_000 + "]" * 200_000):
        with pytest.raises(ValueError, match=r"nested too deep|Expecting"):
            json_text.parse(text)


@pytest.mark.parametrize("text", ["[" * 200_000 + "]" * 200_000, "{", "\udcff", "[1"])
def test_a_summary_that_is_none_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "summary.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ScenarioError, match="is not JSON"):
        RunFolder(tmp_path).read_summary()


def test_a_summary_larger_than_any_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_BYTES", 1 << 20)
    with (tmp_path / "summary.json").open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    with pytest.raises(ScenarioError, match="is not JSON"):
        RunFolder(tmp_path).read_summary()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize("read", [samples.read, cells.read])
def test_a_line_without_end_is_refused_part_by_part(tmp_path: Path, read, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(json_text, "MAX_LINE", 1 << 16)
    file = tmp_path / "lines.jsonl"
    file.write_text('{"kind": "' + "x" * (1 << 22))
    tracemalloc.start()
    with pytest.raises(ScenarioError, match=r"lines.jsonl:1: "):
        read(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20


def test_texts_of_a_run_are_printable_once_they_are_read(tmp_path: Path) -> None:
    shutil.copytree(KEPT, tmp_path / "run")
    file = tmp_path / "run" / "summary.json"
    file.write_text(file.read_text().replace('"reason": "', '"reason": "\\u001b[31m\\u202e', 1))
    summary = RunFolder(tmp_path / "run").read_summary()
    assert any(each.reason.startswith(r"\x1b[31m\u202e") for each in summary.migrations)


def test_a_packet_that_says_it_is_larger_than_any_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "01-1.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    file.write_bytes(head + struct.pack("<IIII", 1, 0, 0xFFFFFFFF, 60))
    with pytest.raises(ScenarioError, match="packet of 4294967295 bytes"):
        list(frames(file))

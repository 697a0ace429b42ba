"""Hand-ins: what a student's folder is packed into, and what is in one that is opened."""

import os
import zipfile
from pathlib import Path

import pytest

from testbed.core.errors import ScenarioError, TestbedError
from testbed.labs import handin
from tests.unit.handins import LOCK, a_folder, inside, refusal, zipped

pytestmark = pytest.mark.usefixtures("temporary")


def test_the_newest_runs_of_each_name_are_packed_with_their_records(tmp_path: Path) -> None:
    made = handin.pack(a_folder(tmp_path / "rounds"), tmp_path, also=["mine.py", "not-there.py"])
    assert made == tmp_path / "rounds-me.lab.zip"
    runs = {
        f"runs/{run}/{name}"
        for run in ("run-6", "run-7", "run-8", "run-9", "run-10", "fast-1")
        for name in handin.RECORD
    }
    assert set(inside(made)) == {"lab.lock", "answers.yaml", "mine.py", "SHA256SUMS", *runs}


def test_it_is_the_same_bytes_again_and_packs_what_was_opened(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "rounds")
    first = handin.pack(folder, tmp_path / "first.zip").read_bytes()
    for each in folder.rglob("*"):
        os.utime(each, (1, 1))
    assert handin.pack(folder).read_bytes() == first
    with handin.opened(folder / "rounds-me.lab.zip") as again:
        assert handin.pack(again, tmp_path / "third.zip").read_bytes() == first


def test_captures_are_packed_where_they_are_asked_for(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "rounds")
    (folder / "runs" / "run-10" / "packets").mkdir()
    (folder / "runs" / "run-10" / "packets" / "01-1.pcap").write_bytes(b"x")
    assert "runs/run-10/packets/01-1.pcap" in inside(handin.pack(folder, captures=True))
    assert "runs/run-10/packets/01-1.pcap" not in inside(handin.pack(folder))


def test_a_folder_is_opened_as_what_would_be_packed_of_it(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "rounds")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "python").symlink_to("/usr/bin/python3")
    handin.pack(folder)
    found = set(inside(folder))
    assert {"lab.lock", "answers.yaml", "mine.py", "runs/run-10/summary.json"} <= found
    assert not any("run-2" in name or "venv" in name or name.endswith(".zip") for name in found)


def test_what_else_lies_there_does_not_keep_anybody_from_handing_in(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "rounds")
    (folder / "home").symlink_to("/root")
    assert "home" not in inside(handin.pack(folder))


@pytest.mark.parametrize("missing", ["lab.lock", "answers.yaml"])
def test_what_cannot_be_packed_is_said(tmp_path: Path, missing: str) -> None:
    folder = a_folder(tmp_path / "rounds")
    (folder / missing).unlink()
    with pytest.raises(ScenarioError, match=missing):
        handin.pack(folder)


def test_one_folder_round_it_all_and_what_systems_add_are_passed_over(tmp_path: Path) -> None:
    def by_hand(packed: zipfile.ZipFile) -> None:
        packed.writestr("rounds/lab.lock", LOCK)
        packed.writestr("rounds\\answers.yaml", "why: windows\n")
        packed.writestr("__MACOSX/rounds/._lab.lock", "x")
        packed.writestr("rounds/.DS_Store", "x")

    assert set(inside(zipped(tmp_path / "by-hand.zip", by_hand, lock=""))) == {"lab.lock", "answers.yaml"}


def test_what_was_changed_after_it_was_packed_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(handin.pack(a_folder(tmp_path / "rounds"))) as packed:
        packed.extractall(folder)
    assert "answers.yaml" in inside(folder)
    (folder / "answers.yaml").write_text("why: a friend's\n")
    assert "'answers.yaml' was changed after it was packed" in refusal(folder)
    (folder / "answers.yaml").unlink()
    assert "'answers.yaml' was packed and is missing" in refusal(folder)


def test_a_list_of_sums_has_each_file_once(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(handin.pack(a_folder(tmp_path / "rounds"))) as packed:
        packed.extractall(folder)
    sums = folder / handin.SUMS
    sums.write_text(sums.read_text() * 2)
    assert "twice" in refusal(folder)


@pytest.mark.parametrize("name", ["answers.yaml", "lab.lock", "README.md", "plan.zip", "runs/../plan.zip"])
def test_a_students_own_files_are_never_written_over(tmp_path: Path, name: str) -> None:
    folder = a_folder(tmp_path / "rounds")
    (folder / "plan.zip").write_bytes(b"mine")
    before = (folder / name).read_bytes()
    with pytest.raises(ScenarioError, match="choose another place with --to"):
        handin.pack(folder, folder / name, also=["plan.zip"])
    assert (folder / name).read_bytes() == before
    assert handin.pack(folder, tmp_path / "x.zip") == handin.pack(folder, tmp_path / "x.zip"), "a hand-in may be"


def test_what_cannot_be_written_says_what_submit_has(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="No such file or directory; choose another place with --to"):
        handin.pack(a_folder(tmp_path / "rounds"), tmp_path / "nowhere" / "x.zip")

"""A run's folder: written whole or not at all, read back the same, and every fault of the disk is one line."""

import dataclasses
import errno
import json
import os
import signal
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli import main
from testbed.core.errors import ScenarioError, TestbedError
from testbed.core.records.migration import ComparisonRecord
from testbed.linux.files import owned
from testbed.runfiles.folder import RunFolder, to_json, writing
from testbed.runfiles.summary_reader import from_json
from tests.unit.learning import answer, right_answers, started
from tests.unit.records import a_migration, a_summary

CLAIM = ComparisonRecord(
    name="total_time", over="vm.ram", a="1GiB", b="2GiB", reduction=None, published=0.6, source="me"
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "a" / "b")
    summary = a_summary(a_migration(), a_migration(name="other", cpu=None, memory=None), comparisons=(CLAIM,))
    folder.write_summary(summary)
    folder.write_scenario("name: x\n")
    assert folder.read_summary() == summary
    assert folder.scenario.read_text() == "name: x\n"
    assert sorted(path.name for path in folder.path.iterdir()) == ["scenario.yaml", "summary.json"]


def test_results_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("results")
    with pytest.raises(ScenarioError, match="is not empty; give another folder with --out"):
        RunFolder.create(tmp_path)


@pytest.mark.parametrize("command", ["report", "compare", "export", "audit"])
def test_of_a_sweeps_folder_it_is_said_where_its_runs_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "points").mkdir()
    assert main([command, str(tmp_path)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith(f"it is a sweep's, whose runs are the folders in {tmp_path / 'points'}")


def test_a_full_disk_is_one_line() -> None:
    with pytest.raises(TestbedError) as caught, writing(Path("results")), open("/dev/full", "w") as full:
        full.write("x" * 100_000)
    assert str(caught.value) == "no space left in results; make room, or give another folder with --out"
    assert caught.value.exit_code == 1


def a_scenario_that_cannot_be_kept(*_what: object, **_how: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_who_made_room_gives_the_same_command_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = "run", "hello", "--engine", "simulated", "--no-page", "--quiet"
    with monkeypatch.context() as full:
        full.setattr(owned, "write", a_scenario_that_cannot_be_kept)
        assert main([*runs, "--out", "mine"]) == 1
        assert capsys.readouterr().err.startswith("testbed: no space left in mine; make room, or ")
        assert main([*runs]) == 1
    assert list(Path("results").iterdir()) == []
    assert main([*runs, "--out", "mine"]) == 0, capsys.readouterr().err


def test_a_labs_run_that_kept_nothing_takes_no_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = started(tmp_path / "mine")
    answer(mine, right_answers(mine))
    monkeypatch.chdir(mine)
    with monkeypatch.context() as full:
        full.setattr(owned, "write", a_scenario_that_cannot_be_kept)
        assert main(["lab", "run", "--engine", "simulated", "--quiet"]) == 1
    said = capsys.readouterr().err
    assert said.endswith("make room, or move the lab's folder to another disk\n"), said
    assert main(["lab", "run", "--engine", "simulated", "--quiet"]) == 0
    assert [each.name for each in (mine / "runs").iterdir()] == ["main-1"]


def test_who_ends_a_run_that_has_kept_nothing_yet_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_what: object, **_how: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(owned, "write", ended)
    assert main(["run", "hello", "--engine", "simulated", "--quiet"]) == 130
    assert capsys.readouterr().err == "testbed: interrupted by SIGINT; nothing was done\n"
    assert list(Path("results").iterdir()) == []


@pytest.mark.parametrize("out", ["/proc/nowhere", "/dev/null/x"])
def test_a_folder_that_cannot_be_is_one_line(out: str) -> None:
    with pytest.raises(TestbedError) as caught:
        RunFolder.create(Path(out))
    assert "\n" not in str(caught.value)


def test_what_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.write_summary(a_summary())
    before = folder.summary.read_text()
    with pytest.raises(ValueError, match="Out of range"):
        folder.write_summary(a_summary(a_migration(total_time_s=float("inf"))))
    assert folder.summary.read_text() == before
    assert stat.S_ISREG(folder.summary.stat().st_mode)


def test_no_run_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no run lies here"):
        RunFolder(tmp_path).read_summary()
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(ScenarioError, match="is not JSON"):
        RunFolder(tmp_path).read_summary()


def test_a_later_versions_keys_are_passed_over() -> None:
    known = json.loads(to_json(a_summary())) | {"later": 1}
    assert from_json(known, "here") == a_summary()


@given(st.sampled_from([field.name for field in dataclasses.fields(a_summary())]))
def test_a_key_that_is_missing_or_wrong_is_one_line(key: str) -> None:
    known = json.loads(to_json(a_summary()))
    for broken in ({k: v for k, v in known.items() if k != key}, known | {key: [17]}, [known], None):
        try:
            from_json(broken, "here")
        except ScenarioError as error:
            assert str(error).startswith("here: is not a")


@pytest.mark.parametrize("outcome", ["completed", "vanished"])
def test_outcomes_are_of_the_schema(outcome: str) -> None:
    known: dict[str, Any] = json.loads(to_json(a_summary()))
    known["migrations"][0]["outcome"] = outcome
    if outcome == "completed":
        from_json(known, "here")
    else:
        with pytest.raises(ScenarioError, match="'vanished' is none of"):
            from_json(known, "here")

"""How a migration ended is in the folder, whatever ends the run, or its folder, or its disk, after that."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.core.records.migration import MigrationRecord, Summary
from testbed.runfiles.folder import RunFolder
from tests.netns.launching import launch, testbed

QUICK = ("hello", "--set", "vm.ram=64MB", "--set", "vm.workload.working_set=16MB", "--set", "warmup=200ms")
COOLING = (*QUICK, "--set", "cooldown=3s")
"""The guest has been handed over, and the run watches it: time for whatever is to happen then."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Not a byte more fits in there."""
    file = folder / "ballast"
    with open(file, "wb", buffering=0) as writer:
        for size in (1 << 16, 4096, 1):
            try:
                while writer.write(b"x" * size):
                    pass
            except OSError:
                continue
    return file


def read(out: Path) -> Summary:
    return RunFolder(out).read_summary()


def only(out: Path) -> MigrationRecord:
    (migration,) = read(out).migrations
    return migration


def completed(done: MigrationRecord) -> bool:
    return (done.outcome, done.runs_at) == ("completed", "esx2") and bool(done.rounds and done.downtime_s)


@pytest.mark.parametrize("words", ["precopy", "cooldown"])
def test_a_disk_that_is_full_before_or_after_the_hand_over_keeps_the_ending(disk: Path, words: str) -> None:
    with launch(disk / "run", *COOLING, page=True) as run:
        run.wait_for(words)
        ballast = fill(disk)
        assert run.end() == 1
    said = " ".join(run.lines)
    assert "Traceback" not in said and "no space left" in said.lower()
    if words == "cooldown":  # else the room that was kept for the ending holds all the rest as well
        assert "completed, the guest runs at the destination" in run.lines[-1]
    assert json.loads((disk / "run" / "summary.json").read_text())["schema"] == 1
    ballast.unlink()
    done = only(disk / "run")
    assert completed(done) and not done.valid
    drawn = testbed("report", str(disk / "run"))
    assert drawn.returncode == 0, drawn.stderr


def test_a_disk_that_is_full_is_a_reason_not_to_begin(disk: Path) -> None:
    with launch(disk / "run", *COOLING, "--repeat", "2") as run:
        run.wait_for("cooldown")
        ballast = fill(disk)
        assert run.end() == 1
    assert not any("[2/2]" in line for line in run.lines)
    ballast.unlink()
    summary = read(disk / "run")
    assert completed(summary.migrations[0]) and [each.repeat for each in summary.not_made] == [2]


def test_a_folder_that_goes_after_the_hand_over_is_said_with_the_ending(tmp_path: Path) -> None:
    with launch(tmp_path / "run", *COOLING) as run:
        run.wait_for("cooldown")
        shutil.rmtree(tmp_path / "run")
        assert run.end() == 1
    assert "results cannot be written" in run.lines[-1]
    assert "completed, the guest runs at the destination" in run.lines[-1]
    assert "Traceback" not in " ".join(run.lines)


def test_a_switch_that_is_killed_after_the_hand_over_changes_no_outcome(tmp_path: Path) -> None:
    with launch(tmp_path / "run", *COOLING) as run:
        run.wait_for("cooldown")
        run.child("mininet:s1").send_signal(signal.SIGKILL)
        assert run.end() == 1
    done = only(tmp_path / "run")
    assert completed(done) and done.memory is not None and done.memory.match
    assert not done.valid and any("switch" in reason for reason in done.invalid_reasons), done.invalid_reasons


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("words", ["cooldown", "verify"])
def test_a_signal_after_the_hand_over_ends_with_130_and_the_whole_record(
    tmp_path: Path, number: signal.Signals, words: str
) -> None:
    with launch(tmp_path / "run", *COOLING) as run:
        run.wait_for(words)
        run.process.send_signal(number)
        assert run.end() == 130
    done = only(tmp_path / "run")
    assert completed(done) and done.memory is not None and done.memory.match
    assert str(tmp_path / "run") in run.lines[-1] and number.name in run.lines[-1]
    assert sum(line.startswith("testbed: ") for line in run.lines) == 1


def test_a_hang_up_in_a_run_of_many_migrations_ends_it_as_sigterm_does(tmp_path: Path) -> None:
    with launch(tmp_path / "run", *QUICK, "--repeat", "4") as run:
        run.wait_for("[2/4]")
        run.wait_for("precopy")
        run.process.send_signal(signal.SIGHUP)
        assert run.end() == 130
    summary = read(tmp_path / "run")
    assert completed(summary.migrations[0])
    assert len(summary.migrations) + len(summary.not_made) == 4
    assert {each.reason for each in summary.not_made} <= {"interrupted by SIGHUP", "interrupted"}
    assert f"of 4 migrations were made; the files of what was done are in {tmp_path / 'run'}" in run.lines[-1]


@pytest.mark.parametrize("words", ["cooldown", "completed: "])
def test_what_was_said_is_in_the_folder_of_a_run_that_is_killed(tmp_path: Path, words: str) -> None:
    out = tmp_path / "run"
    with launch(out, *COOLING, "--repeat", "3") as run:
        run.wait_for("[2/3]")
        count = len(run.lines)
        run.wait_for(words, after=count)
        run.process.kill()
        run.end()
    summary = read(out)
    assert all(completed(each) for each in summary.migrations) and len(summary.migrations) == 2
    assert summary.migrations[0].valid or "not valid" in " ".join(run.lines)
    assert [each.repeat for each in summary.not_made] == [3]
    assert any("killed" in reason for reason in summary.invalid_reasons)
    for command in (("report", str(out)), ("compare", str(out), "--anyway")):
        done = testbed(*command)
        assert done.returncode == 0, done.stderr
    assert "not made" in (out / "report.html").read_text()
    assert os.listdir(out / "endings") != []


def test_a_killed_run_without_an_end_is_reported_all_the_same(tmp_path: Path) -> None:
    with launch(tmp_path / "run", *QUICK) as run:
        run.wait_for("warmup")
        run.process.kill()
        run.end()
    summary = read(tmp_path / "run")
    assert (summary.migrations, len(summary.not_made), summary.valid) == ([], 1, False)
    assert testbed("report", str(tmp_path / "run")).returncode == 0


def test_a_cancel_while_the_source_connects_over_a_cut_link_is_a_cancel(tmp_path: Path) -> None:
    with launch(tmp_path / "run", *QUICK, "--set", "warmup=1500ms") as run:
        run.wait_for("warmup")
        host = run.child("mininet:esx1").pid
        cut = ["tc", "qdisc", "replace", "dev", "vmotion", "root", "blackhole"]
        subprocess.run(["nsenter", f"--net=/proc/{host}/ns/net", *cut], check=True)
        run.wait_for("precopy")
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 130
    done = only(tmp_path / "run")
    assert (done.outcome, done.runs_at) == ("cancelled", "esx1")
    assert done.reason == "interrupted by SIGINT"


def test_a_link_that_is_cut_when_the_source_connects_aborts(tmp_path: Path) -> None:
    with launch(tmp_path / "run", *QUICK, "--set", "warmup=1500ms") as run:
        run.wait_for("warmup")
        host = run.child("mininet:esx1").pid
        cut = ["tc", "qdisc", "replace", "dev", "vmotion", "root", "blackhole"]
        subprocess.run(["nsenter", f"--net=/proc/{host}/ns/net", *cut], check=True)
        assert run.end() == 1
    done = only(tmp_path / "run")
    assert (done.outcome, done.runs_at) == ("aborted", "esx1")
    assert "cannot be reached" in done.reason

"""A run's folder as it grows: wherever it is cut off, what was told is in it, and it can be read."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.core.errors import Interrupted, ScenarioError, TestbedError
from testbed.core.migration_key import MigrationKey
from testbed.core.records.migration import MigrationRecord, Summary
from testbed.runfiles import endings, summary_writer
from testbed.runfiles.folder import RunFolder, new_folder, reserve, write_whole
from testbed.runfiles.summary_writer import SummaryWriter
from tests.unit.records import a_migration, a_summary

ASKED = [("a", 1), ("a", 2), ("b", 1)]


def begin(path: Path) -> SummaryWriter:
    summary = a_summary()
    summary.migrations = []
    made = RunFolder.create(path)
    made.write_scenario("name: x\n")
    return SummaryWriter(made, summary, (), [MigrationKey(name=name, repeat=repeat) for name, repeat in ASKED])


def unchecked(name: str, repeat: int) -> MigrationRecord:
    return a_migration(
        name=name, repeat=repeat, runs_at="esx2", valid=False, invalid_reasons=["not checked"], memory=None
    )


def checked(name: str, repeat: int) -> MigrationRecord:
    return a_migration(name=name, repeat=repeat, runs_at="esx2")


def made(path: Path, told: list[str]) -> None:
    """A run of three migrations. ``told`` is what was said by then."""
    with begin(path) as run:
        for number, (name, repeat) in enumerate(ASKED, 1):
            run.begin(number, name)
            run.decided(unchecked(name, repeat))
            told.append(f"decided {name} {repeat}")
            run.add(checked(name, repeat))
            told.append(f"done {name} {repeat}")
    told.append("over")


def test_a_whole_run_is_valid_and_has_an_ending_each(tmp_path: Path) -> None:
    made(tmp_path / "run", [])
    summary = RunFolder(tmp_path / "run").read_summary()
    assert summary.valid and not summary.not_made and len(summary.migrations) == 3
    assert sorted(os.listdir(tmp_path / "run" / "endings")) == ["01-a.json", "02-a.json", "03-b.json"]
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["migrations"][2]["runs_at"] == "esx2"


def test_a_reason_says_which_repeat_it_is_of(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as run:
        for number, (name, repeat) in enumerate(ASKED, 1):
            run.begin(number, name)
            run.add((checked if repeat == 1 else unchecked)(name, repeat))
    assert RunFolder(tmp_path / "run").read_summary().invalid_reasons == ["a (repeat 2): not checked"]


class Killed(BaseException):
    """The run is no more: nothing is cleaned up."""


def steps(monkeypatch: pytest.MonkeyPatch, fail: Callable[[int], None]) -> list[int]:
    """Every step on the disk is counted, and ``fail`` may end it."""
    count = [0]

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **more: Any) -> Any:
            count[0] += 1
            fail(count[0])
            return real(*given, **more)

        return step

    for name in ("fsync", "posix_fallocate", "replace", "open"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    return count


def total(monkeypatch: pytest.MonkeyPatch, path: Path) -> int:
    """Steps of a whole run whose summary is written each time: how often it is else is the machine's business."""
    with monkeypatch.context() as patched:
        patched.setattr(summary_writer, "SHARE", 0)
        count = steps(patched, lambda _step: None)
        made(path, [])
    return count[0]


def hold(path: Path, told: list[str]) -> Summary | None:
    """What was told is there, and what is there can be read."""
    if not (path / "summary.json").exists():
        assert told == []
        return None
    summary = RunFolder(path).read_summary()
    there = {(each.name, each.repeat): each for each in summary.migrations}
    for word, name, repeat in (each.split() for each in told if each != "over"):
        found = there[name, int(repeat)]
        assert found.outcome == "completed" and found.runs_at == "esx2"
        assert word == "decided" or found.memory is not None
    assert len(there) + len(summary.not_made) == 3
    assert summary.valid == (len(there) == 3 and all(each.valid for each in there.values()))
    return summary


def test_a_run_that_is_killed_at_any_step_has_lost_nothing_that_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = total(monkeypatch, tmp_path / "whole")
    assert whole > 30
    for last in range(1, whole + 1):
        told: list[str] = []

        def kill(step: int, last: int = last) -> None:
            if step >= last:
                raise Killed

        path = tmp_path / f"run-{last}"
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(summary_writer, "SHARE", 0)
            steps(patched, kill)
            made(path, told)
        hold(path, told)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.ENOENT, errno.EDQUOT])
def test_a_disk_that_fails_at_any_step_is_one_line_and_the_old_files_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for first in range(1, total(monkeypatch, tmp_path / "whole") + 1, 3):
        told: list[str] = []

        def fail(step: int, first: int = first) -> None:
            if step >= first:
                raise OSError(number, os.strerror(number))

        path = tmp_path / f"run-{first}"
        with monkeypatch.context() as patched, pytest.raises(TestbedError) as caught:
            patched.setattr(summary_writer, "SHARE", 0)
            steps(patched, fail)
            made(path, told)
        assert "\n" not in str(caught.value) and "another folder with --out" in str(caught.value)
        hold(path, told)


def test_what_could_not_be_kept_is_said_with_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TestbedError, match=r"no space left.*Not kept: a completed, stopped after round 4"), begin(
        tmp_path / "run"
    ) as run:  # fmt: skip
        run.begin(1, "a")
        run.decided(unchecked("a", 1))

        def full(*_: object) -> None:
            raise TestbedError("no space left in here")

        monkeypatch.setattr(summary_writer, "write_whole", full)
        run.add(checked("a", 1))
    summary = RunFolder(tmp_path / "run").read_summary()
    assert [each.name for each in summary.migrations] == ["a"]


def test_room_for_an_ending_is_taken_before_the_migration_and_given_back(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as run:
        run.begin(1, "a")
        (reserved,) = (tmp_path / "run" / "endings").iterdir()
        assert reserved.stat().st_size == endings.ROOM
        run.decided(unchecked("a", 1))
        (kept,) = (tmp_path / "run" / "endings").iterdir()
        assert kept.name == "01-a.json" and kept.stat().st_size < endings.ROOM
        json.loads(kept.read_text())
        run.begin(2, "b")
    assert [each.name for each in (tmp_path / "run" / "endings").iterdir()] == ["01-a.json"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Interrupted("interrupted by SIGINT"), "interrupted by SIGINT"),
        (TestbedError("the kernel has no netem"), "the kernel has no netem"),
        (KeyError("x"), "the run ended by a fault of its own: KeyError 'x'"),
        (None, "nobody asked for it any more"),
    ],
)
def test_a_migration_that_was_not_made_has_a_reason(tmp_path: Path, fault: BaseException | None, reason: str) -> None:
    try:
        with begin(tmp_path / "run") as run:
            run.begin(1, "a")
            run.decided(unchecked("a", 1))
            if fault:
                raise fault
    except (Interrupted, TestbedError, KeyError) as seen:
        assert seen is fault
    summary = RunFolder(tmp_path / "run").read_summary()
    assert [(each.name, each.repeat) for each in summary.not_made] == [("a", 2), ("b", 1)]
    assert {each.reason for each in summary.not_made} == {reason}
    assert f"2 of 3 migrations were not made (a (repeat 2), b): {reason}" in summary.invalid_reasons
    assert [each.outcome for each in summary.migrations] == ["completed"] and not summary.valid


def test_the_summary_of_many_short_migrations_is_not_written_for_each(tmp_path: Path) -> None:
    with begin(tmp_path / "run") as run:
        first = len(json.loads(run.folder.summary.read_bytes())["migrations"])
        for number in range(1, 40):
            run.begin(number, "a")
            run.add(checked("a", number))
        assert len(RunFolder(tmp_path / "run").read_summary().migrations) == 39
    assert (first, len(json.loads(run.folder.summary.read_bytes())["migrations"])) == (0, 39)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"schema": 2, "migration": {}}', '{"schema": 1, "migration": {"name": 1}}', "[" * 9999]
)
def test_an_ending_that_is_damaged_is_one_line(tmp_path: Path, content: str) -> None:
    made(tmp_path / "run", [])
    (tmp_path / "run" / "endings" / "04-x.json").write_text(content)
    with pytest.raises(ScenarioError, match=r"04-x.json(:1)?: (is not|cannot)"):
        RunFolder(tmp_path / "run").read_summary()


def test_what_is_no_ending_is_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    made(tmp_path / "run", [])
    folder_ = tmp_path / "run" / "endings"
    (folder_ / ".04-x.json.new").write_text("{")
    (folder_ / "notes.txt").write_text("mine")
    assert len(RunFolder(tmp_path / "run").read_summary().migrations) == 3
    os.mkfifo(folder_ / "04-pipe.json")
    with pytest.raises(ScenarioError, match=r"04-pipe\.json"):
        RunFolder(tmp_path / "run").read_summary()
    (folder_ / "04-pipe.json").unlink()
    (folder_ / "04-link.json").symlink_to("/etc/passwd")
    with pytest.raises(ScenarioError, match=r"04-link.json: is a link"):
        RunFolder(tmp_path / "run").read_summary()


@pytest.mark.parametrize("name", ["a/b", "../../x", "", "vm.ram=4GiB, policy=[x]", "ü" * 300, "\0"])
def test_a_name_of_any_kind_gives_a_file_in_the_folder(name: str) -> None:
    file = endings.name(7, name)
    assert endings.NAME.fullmatch(file) and "/" not in file and len(file) < 100


def test_writing_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("whole")
    for name in ("x.json", ".x.json.room"):
        (tmp_path / name).symlink_to(tmp_path / "victim")
    reserve(tmp_path / "x.json", 10)
    write_whole(tmp_path / "x.json", b"new")
    assert (tmp_path / "victim").read_text() == "whole"
    assert (tmp_path / "x.json").read_text() == "new"
    assert not (tmp_path / "x.json").is_symlink()


def test_each_of_those_who_ask_at_once_has_a_folder_of_its_own(tmp_path: Path) -> None:
    found = [new_folder("hello-20260101-000000", tmp_path) for _ in range(6)]
    assert [each.name.removeprefix("hello-20260101-000000") for each in found] == ["", "-2", "-3", "-4", "-5", "-6"]


def test_two_runs_do_not_begin_in_one_folder(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run")
    with pytest.raises(ScenarioError, match="is not empty"):
        RunFolder.create(tmp_path / "run")

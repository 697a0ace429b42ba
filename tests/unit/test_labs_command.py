"""``lab`` as students and teachers use it: from ``start`` to all points, and what is said on the way."""

import errno
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.linux.files import owned
from tests.unit.learning import PREDICTIONS, answer, right_answers, started

Captured = pytest.CaptureFixture[str]


@pytest.mark.usefixtures("without_a_page")
def test_from_the_list_to_all_points(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["lab", "list"]) == 0
    assert re.search("rounds +60 +real hosts +100 +The geometric series", capsys.readouterr().out)
    (tmp_path / "course.yaml").write_text("course: net-2026\n")
    assert main(["lab", "start", "rounds", "--as", "me@uni.example", "--course", "course.yaml"]) == 0
    assert "read rounds/README.md" in capsys.readouterr().out
    assert main(["lab", "start", "rounds", "--as", "me@uni.example"]) == 2
    assert capsys.readouterr().err == "testbed: rounds: is there already; go into it, or choose another with --to\n"
    monkeypatch.chdir(tmp_path / "rounds")
    assert main(["lab", "run", "--engine", "simulated"]) == 2
    said = capsys.readouterr().err
    assert said == f"testbed: predict before you run: answer {', '.join(PREDICTIONS)} in answers.yaml\n"
    assert not (tmp_path / "rounds/runs").exists()
    assert main(["lab", "check"]) == 1
    assert "there is no run yet: testbed lab run main" in capsys.readouterr().out
    answer(Path(), right_answers(Path()))
    assert main(["lab", "run", "--engine", "simulated", "--quiet"]) == 0
    record = json.loads(Path("runs/main-1/summary.json").read_text())["lab"]
    assert (record["id"], record["student"], record["course"]) == ("rounds", "me@uni.example", "net-2026")
    assert tuple(record["predictions"]) == PREDICTIONS
    (Path() / "deeper").mkdir()
    answer(Path(), right_answers(Path()))
    monkeypatch.chdir(tmp_path / "rounds/deeper")
    capsys.readouterr()
    assert main(["lab", "check"]) == 0
    assert "90 of 100 points" in capsys.readouterr().out


@pytest.mark.usefixtures("without_a_page")
def test_predictions_stay_as_they_were(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = started(tmp_path / "mine")
    monkeypatch.chdir(mine)
    answer(mine, right_answers(mine) | {"passes": 9})
    assert main(["lab", "run", "--engine", "simulated", "--quiet"]) == 0
    answer(mine, right_answers(mine))
    assert main(["lab", "run", "--engine", "simulated", "--quiet"]) == 0
    assert "your prediction of 'passes' stays 9" in capsys.readouterr().err
    assert json.loads((mine / "runs/main-2/summary.json").read_text())["lab"]["predictions"]["passes"] == 9
    assert main(["lab", "check"]) == 1
    out = capsys.readouterr().out
    assert "9 rounds were foreseen" in out and "Note: answers.yaml now says" in out


@pytest.mark.parametrize(("asked", "drawn"), [([], ["main-1"]), (["--no-page"], [])])
def test_its_runs_have_a_page_unless_none_is_wanted(
    asked: list[str], drawn: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = started(tmp_path / "mine")
    monkeypatch.chdir(mine)
    answer(mine, right_answers(mine))
    pages: list[str] = []
    monkeypatch.setattr("testbed.report.page.page.write", lambda out, _say: pages.append(out.name))
    assert main(["lab", "run", "--engine", "simulated", "--quiet", *asked]) == 0
    assert pages == drawn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "man"], "lab 'rounds' has no run 'man'; did you mean 'main'?"),
        (["run", "--set", "vm.ram=1GiB"], "--set: 'vm.ram' stays as it is in the run 'main'; nothing of this run"),
        (["run", "--engine", "simulate"], "no engine is called 'simulate'; did you mean 'simulated'?"),
        (["check", "--from", "nowhere"], "nowhere: there is no such folder of labs"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(started(tmp_path / "mine"))
    assert main(["lab", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"testbed: {said}")
    assert not Path("runs").exists()


def test_a_scenario_that_was_changed_is_told_before_it_is_run(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = started(tmp_path / "mine")
    monkeypatch.chdir(mine)
    answer(mine, right_answers(mine))
    scenario = mine / "scenario.yaml"
    scenario.write_text(scenario.read_text().replace("name: sequential", "name: uniform"))
    assert main(["lab", "run", "--engine", "simulated"]) == 2
    assert "yours is sequential; put it back" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_what_tries_ones_own_code_runs_with_what_the_testbed_has(tmp_path: Path) -> None:
    def lab(*asked: str, where: Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-P", "-m", "testbed", "lab", *asked]
        return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=60, check=False)

    for name, said, code in (("build", "without need", 0), ("hello", "has no try.py", 2)):
        assert lab("start", name, "--as", "me@uni.example", where=tmp_path).returncode == 0
        tried = lab("try", where=tmp_path / name)
        assert tried.returncode == code and said in tried.stdout + tried.stderr
    (tmp_path / "build" / "tracker.py").write_text("class Mine\n")
    assert lab("try", where=tmp_path / "build").stderr.startswith("./tracker.py:1: the dirty tracker in it")


def test_outside_of_a_labs_folder(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for word in ("check", "run", "submit"):
        assert main(["lab", word]) == 2
        assert "no lab was started here" in capsys.readouterr().err
    assert main(["lab", "start", "rounds", "--as", "\n"]) == 2
    assert main(["lab", "start", "rounds"]) == 2
    assert "--as" in capsys.readouterr().err


def test_a_folder_is_begun_whole_or_not_at_all(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Path, content: bytes) -> None:
        if file.name == "lab.lock":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.write_bytes(content)

    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("testbed.linux.files.owned.write", full)
        assert main(["lab", "start", "hello", "--as", "me"]) == 1
    assert capsys.readouterr().err == "testbed: hello cannot be made: No space left on device\n"
    assert not list(tmp_path.iterdir())
    assert main(["lab", "start", "hello", "--as", "me", "--to", "."]) == 2
    assert capsys.readouterr().err == "testbed: .: is there already; go into it, or choose another with --to\n"
    assert main(["lab", "start", "hello", "--as", "me"]) == 0


def test_answers_that_nobody_could_read_are_not_handed_in(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = started(tmp_path / "mine")
    monkeypatch.chdir(mine)
    for text, said in (("total: [", "not valid YAML"), (None, "is not there")):
        (mine / "answers.yaml").unlink()
        if text:
            (mine / "answers.yaml").write_text(text)
        assert main(["lab", "submit"]) == 2
        assert f": {said}" in capsys.readouterr().err and not list(mine.glob("*.zip"))


@pytest.mark.parametrize("file", ["scenario.yaml", "summary.json", "01-rounds.json"])
def test_a_run_on_a_full_disk_names_no_option_that_a_lab_has_not(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    mine, real = started(tmp_path / "mine"), owned.write

    def write(path: Path, content: bytes, *, sync: bool = False) -> None:
        if path.name == file and "runs" in path.parts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, content, sync=sync)

    monkeypatch.chdir(mine)
    answer(mine, right_answers(mine))
    monkeypatch.setattr(owned, "write", write)
    assert main(["lab", "run", "--engine", "simulated", "--quiet", "--no-page"]) == 1
    said = capsys.readouterr().err
    assert "make room, or move the lab's folder to another disk" in said and "--out" not in said


def test_watch_looks_again_when_something_has_changed(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, looks = started(tmp_path / "mine"), []

    def sleep(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 2:
            answer(mine, {"why": "so"})
        if len(looks) == 4:
            raise KeyboardInterrupt

    monkeypatch.chdir(mine)
    monkeypatch.setattr(time, "sleep", sleep)
    assert main(["lab", "check", "--watch"]) == 130
    assert capsys.readouterr().out.count("of 100 points") == 2


def test_watch_says_what_is_half_written_and_goes_on(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, looks = started(tmp_path / "mine"), []
    whole = (mine / "answers.yaml").read_text()

    def sleep(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 1:
            (mine / "answers.yaml").write_text("why: [half\n")
            (mine / ".answers.yaml.swp").symlink_to("nowhere")
        if len(looks) == 2:
            (mine / "answers.yaml").write_text(whole + "\n")
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.chdir(mine)
    monkeypatch.setattr(time, "sleep", sleep)
    assert main(["lab", "check", "--watch"]) == 130
    said = capsys.readouterr()
    assert said.out.count("of 100 points") == 2 and said.err.count("answers.yaml") == 1

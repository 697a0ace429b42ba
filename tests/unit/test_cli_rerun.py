"""``grade --rerun`` as teachers use it: flags that take no points, and grades that are whole however it ends."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.core.errors import Interrupted
from testbed.experiment.run import run_scenario
from testbed.grades.rerun.again import run_again
from testbed.grades.rerun.messages import NotRunAgain, RunAnswer, Wanted
from testbed.labs import find, handin
from testbed.labs.catalogue import LabFolder
from testbed.labs.running import prepared
from testbed.labs.workbook import Workbook
from testbed.scenario import load
from tests.unit.graded import a_zip
from tests.unit.students import Classmates

Captured = pytest.CaptureFixture[str]
RUN = "runs/main-1"
FORGER = "student-2@uni.example"


@dataclass(frozen=True, slots=True)
class Class:
    folder: Path
    handed_in: Path

    def forged(self, engine: str = "simulated") -> Path:
        """Everything of one record made anew and consistently, of a link that is slower than the student's."""
        folder = shutil.copytree(self.folder / "rough" / FORGER, self.folder / engine / FORGER)
        record = json.loads((folder / RUN / "summary.json").read_text())
        scenario = folder / "scenario.yaml"
        slower = re.sub(
            r"goodput: (\d+)Mbit", lambda rate: f"goodput: {int(rate[1]) * 3 // 4}Mbit", scenario.read_text()
        )
        other = self.folder / f"{engine}.yaml"
        other.write_text(slower)
        lab = prepared(find("rounds"), Workbook.read(folder), "main", unanswered=True).record
        out = self.folder / f"{engine}-run"
        run_scenario(load(other), out=out, engine="simulated", lab=lab, page=False)
        summary = json.loads((out / "summary.json").read_text())
        summary["engine"], summary["lab"] = engine, record["lab"]
        (folder / RUN / "summary.json").write_text(json.dumps(summary))
        if engine == "native":
            (folder / RUN / "samples.jsonl").write_text("")
        return handin.pack(folder, self.folder / engine)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Class:
    folder = tmp_path_factory.mktemp("class")
    made = Classmates(folder)
    for number in range(1, 4):
        made.right(f"student-{number}@uni.example")
    (made.out / "text.zip").write_text("no zip")
    return Class(folder, made.out)


@pytest.fixture(autouse=True)
def without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that an audit has nothing to say against: that is what a sample is run again for."""
    monkeypatch.setattr("testbed.labs.ownership._disagreeing", lambda _folder: "")


def graded(tmp_path: Path, *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and a row a student."""
    table = tmp_path / "grades.csv"
    code = main(["grade", *words, "--lab", "rounds", "--csv", str(table)])
    return code, {row["student"]: row for row in csv.DictReader(io.StringIO(table.read_text()))}


def test_a_draw_can_be_repeated_and_honest_records_agree(three: Class, tmp_path: Path, capsys: Captured) -> None:
    code, rows = graded(tmp_path, str(three.handed_in), "--rerun", "60%")
    said = capsys.readouterr().err
    seed = re.search(r"run again: 2 of 4 hand-ins, drawn by --rerun-seed ([0-9a-f]{16})\n", said)
    assert code == 1 and seed is not None, said
    drawn = {student for student, row in rows.items() if row["flags"] == "run again: agrees (main)"}
    assert len(drawn) == 2 and "flag: run again: agrees (main)" in said and "0 with flags for the teacher" in said
    document = tmp_path / "grades.json"
    options = ["--rerun", "2", "--rerun-seed", seed[1], "--json", str(document)]
    _, again = graded(tmp_path, str(three.handed_in), *options)
    assert again == rows
    works = json.loads(document.read_text())["works"]
    assert {each["student"] for each in works if each["flags"] == ["run again: agrees (main)"]} == drawn


@pytest.mark.usefixtures("blind")
def test_a_record_that_was_made_anew_consistently_is_found_and_costs_nothing(
    three: Class, tmp_path: Path, capsys: Captured
) -> None:
    given = str(three.forged())
    _, before = graded(tmp_path, given)
    _, after = graded(tmp_path, given, "--rerun", "100%")
    flags = after[FORGER].pop("flags")
    sent, total = r"sent [\d.]+ x RAM where [\d.]+ was recorded", r"total [\d.]+ s where [\d.]+ s was recorded"
    assert re.fullmatch(rf"run again: differs \(main\): 5 rounds where 7 were recorded, {sent}, {total}", flags), flags
    assert before[FORGER].pop("flags") == "" and after == before, "no point is taken"
    assert f"flag: {flags[:60]}" in capsys.readouterr().err


@pytest.mark.usefixtures("blind")
def test_without_root_a_record_of_real_hosts_is_held_against_the_model(
    three: Class, tmp_path: Path, capsys: Captured
) -> None:
    _, rows = graded(tmp_path, str(three.forged("native")), "--rerun", "1")
    assert rows[FORGER]["flags"].startswith("run again: differs (main, held against the model): 5 rounds ")
    said = capsys.readouterr().err
    assert said.count("without root, records of real hosts are held against the model, within wider bounds") == 1


def refusing(code: int, why: str) -> Callable[..., RunAnswer]:
    return lambda *_asked: NotRunAgain(why=why, exit_code=code)


def interrupted(*_asked: object) -> RunAnswer:
    raise Interrupted("interrupted by SIGINT")


@pytest.mark.parametrize(
    ("answer", "code", "line"),
    [
        (refusing(4, "another run holds this machine: x; wait"), 4, "another run holds this machine: x; wait"),
        (refusing(3, "there is no tc; install it"), 3, "there is no tc; install it"),
        (interrupted, 130, "interrupted by SIGINT"),
        (refusing(2, "it would run the student's own code (x.py)"), 1, ""),
    ],
)
def test_however_it_ends_the_grades_are_whole(
    three: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured,
    answer: Callable[..., RunAnswer], code: int, line: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("testbed.grades.rerun.asking.answered", answer)
    ended, rows = graded(tmp_path, str(three.handed_in), "--rerun", "100%")
    said = capsys.readouterr().err
    assert ended == code and [row["score"] for row in rows.values()] == ["90", "90", "90", "0"]
    assert sum("not run again: " in row["flags"] for row in rows.values()) == 3
    assert not line or said.splitlines()[-1] == f"testbed: {line}"
    assert said.count("run again, ") == (1 if line else 3), "once it is ended, nobody is asked any more"


def test_a_run_that_is_not_valid_here_is_made_three_times(
    three: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more; what is valid in the end is held against the record."""
    for good, said in (
        (3, "run again: agrees (main)"),
        (9, "not run again: main: the run was not valid here: the link "),
    ):
        asked = list[Wanted]()
        monkeypatch.setattr("testbed.grades.rerun.asking.answered", partial(slow, asked, good))
        _, rows = graded(tmp_path, str(three.handed_in), "--rerun", "1")
        assert len(asked) == 3 and sum(row["flags"].startswith(said) for row in rows.values()) == 1


def slow(asked: list[Wanted], good: int, lab: LabFolder, wanted: Wanted) -> RunAnswer:
    """Only the ``good``-th run is valid."""
    asked.append(wanted)
    made, valid = run_again(lab, wanted), len(asked) == good
    return replace(made, migrations=[replace(each, valid=valid, why="the link is slow") for each in made.migrations])


def test_a_lab_without_runs_says_so(tmp_path: Path, capsys: Captured) -> None:
    given = a_zip(tmp_path / "given", "me@uni.example", "why: because\n", "evacuate")
    assert main(["grade", str(given), "--lab", "evacuate", "--rerun", "1"]) in (0, 1)
    assert "run again: the lab 'evacuate' has no runs, and so nothing to run again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rerun", "some"], "--rerun: must be a share of the hand-ins such as 5%, or how many, not 'some'"),
        (["--rerun-seed", "x"], "--rerun-seed: says what --rerun draws by; add --rerun 5%"),
        (["--rerun", "5%", "--rerun-seed", ""], "--rerun-seed: is empty"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(words: list[str], said: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["grade", str(tmp_path), "--lab", "rounds", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1

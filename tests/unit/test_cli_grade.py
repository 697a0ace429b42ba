"""``grade`` as teachers use it, on a class whose hand-ins are generated, and on what else anybody may hand in."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from testbed.cli import main
from tests.unit import oracle
from tests.unit.classmates import a_class
from tests.unit.graded import a_student
from tests.unit.handed_wrongly import hostile
from tests.unit.oracle import Expected
from tests.unit.students import Classmates
from tests.unit.test_grades_formats import CLASSROOM50, GRADESCOPE, taken

Captured = pytest.CaptureFixture[str]


@dataclass(frozen=True, slots=True)
class Class:
    folder: Path
    expected: Sequence[Expected]


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Class:
    folder = tmp_path_factory.mktemp("class")
    made = Classmates(folder)
    a_class(made, 8)
    hostile(made)
    return Class(made.out, made.expected)


@pytest.fixture(autouse=True)
def as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own process stays whose it is."""
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")


def one(eight: Class, kind: str) -> Path:
    """The hand-in of the first of that kind."""
    return eight.folder / next(each.handin for each in eight.expected if each.kind == kind)


def test_whatever_is_handed_in_the_rest_is_graded(eight: Class, tmp_path: Path, capsys: Captured) -> None:
    table, out = tmp_path / "grades.csv", tmp_path / "grades.json"
    assert main(["grade", str(eight.folder), "--lab", "rounds", "--csv", str(table), "--json", str(out)]) == 1
    said = capsys.readouterr()
    broken = sum(bool(each.fault) for each in eight.expected)
    assert said.out == "" and f"{len(eight.expected)} hand-ins; {broken} could not be graded" in said.err
    assert [*oracle.differing(eight.expected, json.loads(out.read_text()))] == []
    assert all(line.isprintable() for line in said.err.splitlines())
    rows = [*csv.DictReader(io.StringIO(table.read_text()))]
    assert len(rows) == len(eight.expected) and all(value.isprintable() for row in rows for value in row.values())


def test_one_that_may_not_be_read_keeps_no_other_from_being_graded(
    eight: Class, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    (closed := tmp_path / "closed").mkdir()
    asked = os.access
    monkeypatch.setattr(os, "access", lambda path, *mode, **known: path != str(closed) and asked(path, *mode, **known))
    main(["grade", str(closed), str(eight.folder / eight.expected[0].handin), "--lab", "rounds"])
    assert "2 hand-ins; " in capsys.readouterr().err


def test_a_course_has_its_days_and_points(eight: Class, tmp_path: Path) -> None:
    given = tmp_path / "rounds.lab.zip"
    shutil.copy(one(eight, "right"), given)
    os.utime(given, (1_791_842_400,) * 2)  # 2026-10-12T22:00Z
    (tmp_path / "course.yaml").write_text(
        "course: net-2026\nlabs: {rounds: {due: '2026-10-12T23:59+02:00', points: 50}}\nlate: {per_day: 10}\n"
    )
    out = tmp_path / "out.json"
    command = ["grade", str(given), "--lab", "rounds", "--course", str(tmp_path / "course.yaml")]
    assert main([*command, "--json", str(out)]) == 0
    (work,) = json.loads(out.read_text())["works"]
    assert (work["score"], work["max"], work["late_days"]) == (41, 50, 1)
    assert work["reasons"][-1] == "handed in 1 day late: 41 of 50 points are left"


@pytest.mark.parametrize(
    ("labs", "code", "said"),
    [
        ("{rouns: {points: 50}}", 2, "'rouns', and 'rounds' is not among these; did you mean 'rounds'?"),
        ("{limit: {points: 50}}", 0, "course.yaml has no terms for 'rounds': no due time, and its own points"),
        ("{mine: {points: 50}, rounds: {points: 50}}", 0, ""),
        ("{}", 0, ""),
    ],
)
def test_a_lab_that_its_course_misspells_does_not_lose_its_terms_silently(
    eight: Class, tmp_path: Path, capsys: Captured, labs: str, code: int, said: str
) -> None:
    (tmp_path / "course.yaml").write_text(f"course: net-2026\nlabs: {labs}\n")
    command = ["grade", str(one(eight, "right")), "--lab", "rounds", "--course", str(tmp_path / "course.yaml")]
    assert main(command) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if "course.yaml" in line]
    assert len(lines) == bool(said) and all(line.endswith(said) for line in lines)


@pytest.mark.parametrize("handed_in", ["right", "bomb", "nothing", "several"])
def test_those_that_somebody_waits_for_are_written_whatever_comes(eight: Class, tmp_path: Path, handed_in: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    given = {"right": one(eight, "right"), "bomb": one(eight, "a bomb"), "nothing": empty, "several": eight.folder}
    scope, fifty = tmp_path / "a" / "results.json", tmp_path / "b" / "result.json"
    code = main(
        ["grade", str(given[handed_in]), "--lab", "rounds", "--gradescope", str(scope), "--classroom50", str(fifty)]
    )
    assert code == (0 if handed_in == "right" else 1)
    scores = taken(scope.read_text(), GRADESCOPE)["score"], taken(fifty.read_text(), CLASSROOM50)["score"]
    assert scores == ((90, 90) if handed_in == "right" else (0, 0))


def test_they_are_there_even_where_the_lab_is_not(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "results.json"
    assert main(["grade", str(tmp_path), "--lab", "rounts", "--gradescope", str(out)]) == 2
    assert "rounds" in capsys.readouterr().err
    assert "no fault of yours" in taken(out.read_text(), GRADESCOPE)["output"]


def test_options_without_a_file_have_their_own(
    eight: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    given = str(one(eight, "right"))
    assert main(["grade", "--classroom50", given, "--lab", "rounds", "--csv", "-"]) == 0
    assert (tmp_path / "result.json").exists()
    assert capsys.readouterr().out.startswith("student,lab,score,max,own,")


def test_a_steps_output_is_added_to_the_file_that_is_there(eight: Class, tmp_path: Path) -> None:
    """Such as $GITHUB_OUTPUT, of any name."""
    output = tmp_path / "set_output_7f3a"
    output.write_text("known=before\n")
    assert main(["grade", f"--classroom={output}", str(one(eight, "right")), "--lab", "rounds"]) == 0
    before, result = output.read_text().splitlines()
    assert before == "known=before" and result.startswith("result=")


@pytest.mark.parametrize("first", [False, True])
def test_a_step_of_an_action_may_name_its_file_as_a_word_of_its_own(
    eight: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """Wherever it stands, and with a hand-in behind it."""
    output = tmp_path / "set_output_7f3a"
    output.touch()
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    named, given = ["--classroom", str(output)], [str(one(eight, "right"))]
    words = [*named, *given] if first else [*given, *named]
    assert main(["grade", *words, "--lab", "rounds"]) == 0
    assert output.read_text().startswith("result=") and output.read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--classroom=.", "--classroom: names no file"),
        ("--csv=.", "--csv: names no file"),
        ("--json=/proc/version/grades", "--json: /proc/version/grades cannot be written: "),
        ("--junit=/dev", "--junit: /dev cannot be written: "),
    ],
)
def test_a_file_that_cannot_be_written_is_named(option: str, said: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["grade", str(tmp_path), "--lab", "rounds", option]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_roster_goes_in_and_comes_out_filled(eight: Class, tmp_path: Path, capsys: Captured) -> None:
    student = "student-01@uni.example"
    roster, out = tmp_path / "canvas.csv", tmp_path / "filled.csv"
    roster.write_text(f"Student,SIS Login ID,rounds (7)\nAda,{student},\nBob,bob@uni.example,\n")
    command = ["grade", str(one(eight, "right")), "--lab", "rounds", "--canvas", str(out)]
    assert main([*command, "--roster", str(roster)]) == 0
    assert out.read_text() == f"Student,SIS Login ID,rounds (7)\nAda,{student},90\nBob,bob@uni.example,\n"
    assert "nothing from 1: bob@uni.example" in capsys.readouterr().err
    assert main(command) == 2 and "needs --roster" in capsys.readouterr().err


@pytest.mark.needs_root("grading gives it up")
def test_root_is_given_up_before_anything_is_read(eight: Class) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        given = Path(folder) / "rounds.lab.zip"
        shutil.copy(one(eight, "right"), given)
        given.chmod(0o644)
        hidden = Path(folder) / "hidden.lab.zip"
        shutil.copy(given, hidden)
        hidden.chmod(0o600)
        private = a_student(Path(folder) / "private", "me@uni.example")
        private.chmod(0o700)
        out = Path(folder) / "grades.csv"
        command = [
            sys.executable,
            "-m",
            "testbed",
            "grade",
            str(given),
            str(hidden),
            str(private),
            str(private / "x"),
            "--lab",
        ]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
        done = subprocess.run(
            [*command, "rounds", "--csv", str(out)], capture_output=True, text=True, check=False, env=environment
        )
        rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert "testbed: hand-ins are not read as root, but as nobody" in done.stderr
    assert [row["score"] for row in rows] == ["90", "0", "0", "0"], done.stderr
    assert all("cannot be read (Permission denied)" in row["reasons"] for row in rows[1:])


def test_the_example_of_its_help_can_be_typed(eight: Class, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["grade", "--help"]) == 0
    example = next(line for line in capsys.readouterr().out.splitlines() if "Example:" in line)
    words = example.partition("testbed ")[2].split()
    monkeypatch.chdir(eight.folder)
    words[words.index("handins/*")] = one(eight, "right").name
    assert main(words) == 0

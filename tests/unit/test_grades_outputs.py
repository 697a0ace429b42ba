"""What ``grade`` writes is never written over what it reads, nor one over another."""

from pathlib import Path

import pytest

from testbed.cli import main
from tests.unit.graded import a_lab, a_student, a_zip

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def in_a_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with hand-ins, a course, a roster and a lab; the tests' own process stays whose it is."""
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")
    monkeypatch.chdir(tmp_path)
    for student in ("ada", "bob", "cy"):
        a_zip(tmp_path / "many", student, lab="total")
    a_student(tmp_path / "dora", "dora", lab="total")
    a_lab(tmp_path / "labs" / "total")
    Path("course.yaml").write_text("course: net\n")
    Path("roster.csv").write_text("Email,total\nada,\n")
    Path("who.json").write_text("{}")
    Path("many/notes.txt").write_text("the teacher's")


def files() -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in Path().rglob("*") if file.is_file()}


def graded(*words: str) -> int:
    read = ["--course", "course.yaml", "--roster", "roster.csv", "--submission", "who.json"]
    return main(["grade", *words, "--lab", "total", "--from", "labs", *read])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--csv", "many/total-ada.lab.zip", "many/total-bob.lab.zip"], "--csv: many/total-ada.lab.zip is a zip"),
        (["many/total-bob.lab.zip", "--json=many/total-bob.lab.zip"], "--json: many/total-bob.lab.zip is a hand-in"),
        (["many", "--gradescope=many/total-cy.lab.zip"], "would be taken for a hand-in in "),
        (["many", "--junit", "many/new.zip"], "would be taken for a hand-in in "),
        (["dora", "--moodle", "dora/answers.yaml"], "--moodle: dora/answers.yaml lies in a hand-in, "),
        ([".", "--csv", "dora/grades.csv"], "--csv: dora/grades.csv lies in a hand-in, "),
        (["many", "--csv", "course.yaml"], "--csv: course.yaml is what --course reads"),
        (["many", "--csv", "roster.csv"], "--csv: roster.csv is what --roster reads"),
        (["many", "--csv", "./who.json"], "--csv: who.json is what --submission reads"),
        (["many", "--csv", "labs/total/checks.py"], "--csv: labs/total/checks.py is of a lab"),
        (["many", "--csv", "o.txt", "--json", "./o.txt"], "--json: o.txt is the file of --csv, too"),
        (["many", "--csv", "-", "--json", "-"], "--json: - is stdout of --csv, too"),
    ],
)
def test_an_output_that_would_take_the_place_of_another_file_is_refused(
    words: list[str], said: str, capsys: Captured
) -> None:
    before = files()
    assert graded(*words) == 2
    error = capsys.readouterr().err
    assert said in error and error.endswith("; name another file\n") and error.count("\n") == 1
    assert files() == before


def test_beside_the_hand_ins_over_an_old_table_and_onto_canvas_own_roster_stays_right() -> None:
    for _ in range(2):
        assert graded("many", "--csv", "many/grades.csv", "--canvas", "roster.csv") == 0
    assert Path("roster.csv").read_text() == "Email,total\nada,20\n"
    assert Path("many/grades.csv").read_text().count("\n") == 4

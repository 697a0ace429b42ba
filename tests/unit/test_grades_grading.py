"""Hand-ins as teachers give them, graded: whatever one of them is, the others are graded too."""

import csv
import io
import os
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.grades.grading import grade
from testbed.grades.handed import found
from testbed.grades.roster import Roster
from testbed.grades.work import GradedWork, Terms
from testbed.labs import find
from tests.unit.graded import a_grading, a_lab, a_student, a_work, a_zip


def graded(*given: Path, room: Path, terms: Terms | None = None) -> dict[str, GradedWork]:
    """Works by the names of their hand-ins."""
    room.mkdir()
    works = grade(found(given, room), a_grading(terms))
    known = {work.handin: work for work in works}
    assert len(known) == len(works)
    return known


def archive(file: Path, folder: Path) -> Path:
    """A zip of a folder's files, dated."""
    with zipfile.ZipFile(file, "w") as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and ".of-" not in str(path):
                info = zipfile.ZipInfo(str(path.relative_to(folder)), (2026, 10, 14, 12, 0, 0))
                packed.writestr(info, path.read_bytes())
    return file


def test_zips_folders_and_folders_full_of_them(tmp_path: Path) -> None:
    one = a_zip(tmp_path / "one", "ada@uni.example")
    many = tmp_path / "many"
    a_zip(many, "bob@uni.example")
    a_zip(many, "cy@uni.example", "total: 41\n")
    (many / "notes.txt").write_text("the teacher's")
    folder = a_student(tmp_path / "dora", "dora@uni.example")
    works = graded(one, many, folder, room=tmp_path / "room")
    assert {name: (work.student, work.score) for name, work in works.items()} == {
        "rounds-ada.lab.zip": ("ada@uni.example", 10),
        "rounds-bob.lab.zip": ("bob@uni.example", 10),
        "rounds-cy.lab.zip": ("cy@uni.example", 0),
        "dora": ("dora@uni.example", 10),
    }
    assert not any(work.flags or work.graded.fault for work in works.values())


def test_one_that_is_broken_never_stops_the_rest(tmp_path: Path) -> None:
    many = tmp_path / "many"
    a_zip(many, "ada@uni.example")
    a_zip(many, "bob@uni.example", "total: raise\n")
    a_zip(many, "cy@uni.example", lab="limit")
    (many / "empty.zip").write_bytes(b"")
    (many / "text.zip").write_text("hello")
    (many / "link.zip").symlink_to("/etc/passwd")
    (many / "home").mkdir()
    (many / "home" / "letter.txt").write_text("private")
    works = graded(many, tmp_path / "nowhere.zip", room=tmp_path / "room")
    assert {name: work.graded.fault for name, work in works.items()} == {
        "rounds-ada.lab.zip": "",
        "rounds-bob.lab.zip": "a check of the lab failed, which is no fault of who handed in: ZeroDivisionError: a "
        "teacher's mistake",
        "limit-cy.lab.zip": "lab.lock: is of the lab 'limit'",
        "empty.zip": "empty.zip: is an empty file; it was perhaps not sent whole",
        "text.zip": "text.zip: is no zip that can be read, or a damaged one (File is not a zip file)",
        "link.zip": "link.zip: is a link; a run's files lie in its folder",
        "home": "home: there is no lab.lock in this folder: it is no hand-in; hand in what `testbed lab submit` made",
        "nowhere.zip": "nowhere.zip: cannot be read (No such file or directory)",
    }
    assert works["limit-cy.lab.zip"].student == "cy@uni.example"


def test_a_check_that_ends_the_process_ends_no_grading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")
    lab, out = a_lab(tmp_path / "total"), tmp_path / "grades.csv"
    checks = (lab / "checks.py").read_text()
    (lab / "checks.py").write_text(checks.replace("'it is another'", "__import__('sys').exit(0)"))
    a_zip(tmp_path / "many", "ada", "total: 7\n", lab="total")
    a_zip(tmp_path / "many", "bob", lab="total")
    main(["grade", str(tmp_path / "many"), "--lab", "total", "--from", str(lab), "--csv", str(out)])
    (ada, bob) = csv.DictReader(io.StringIO(out.read_text()))
    assert ada["student"] == "ada" and "check" in ada["reasons"]
    assert (bob["student"], bob["score"], bob["reasons"]) == ("bob", "20", "")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", b"", "answers.yaml: is not there"),
        ("answers.yaml", "total: 42\n".encode("utf-16"), "iconv -f UTF-16 -t UTF-8 answers.yaml"),
        ("runs/main-1/summary.json", b"{", "runs/main-1/summary.json"),
    ],
)
def test_a_student_is_told_of_files_of_theirs_and_of_no_folder_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, said: str
) -> None:
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")
    with zipfile.ZipFile(tmp_path / "ada.lab.zip", "w") as packed:
        packed.writestr("lab.lock", f"lab: rounds\nstudent: ada\nversion: {find('rounds').spec.version}\n")
        packed.writestr(name, content)
        if name.startswith("runs"):
            packed.writestr("answers.yaml", "passes: 3\n")
    formats = {each: tmp_path / each for each in ("moodle", "gradescope", "json")}
    options = [f"--{each}={file}" for each, file in formats.items()]
    main(["grade", str(tmp_path / "ada.lab.zip"), "--lab", "rounds", *options])
    for file in formats.values():
        told = file.read_text()
        assert said in told and ".scratch" not in told and "fast-motion-" not in told


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_download_of_moodles(tmp_path: Path, as_zip: bool) -> None:
    down = tmp_path / "down"
    a_zip(down / "Ada Lovelace_12345_assignsubmission_file_", "ada@uni.example")
    a_student(down / "Bob Roe_12346_assignsubmission_file_", "bob@uni.example", "total: 1\n")
    (down / "Cy Doe_12347_assignsubmission_file_").mkdir()
    (down / "Cy Doe_12347_assignsubmission_file_" / "essay.pdf").write_bytes(b"x")
    a_zip(down, "dora@uni.example").rename(down / "Dora Poe_12348_assignsubmission_file_rounds-dora.lab.zip")
    given = archive(tmp_path / "class.zip", down) if as_zip else down
    works = graded(given, room=tmp_path / "room")
    assert {(work.who, work.student, work.score) for work in works.values()} == {
        ("Ada Lovelace", "ada@uni.example", 10),
        ("Bob Roe", "bob@uni.example", 0),
        ("Cy Doe", "Cy Doe", 0),
        ("Dora Poe", "dora@uni.example", 10),
    }
    (fault,) = (work.graded.fault for work in works.values() if work.graded.fault)
    assert "no lab.lock" in fault


def test_a_download_of_canvas(tmp_path: Path) -> None:
    down = tmp_path / "down"
    a_zip(down, "ada@uni.example").rename(down / "lovelaceada_12_345_rounds-ada.lab.zip")
    a_zip(down, "bob@uni.example").rename(down / "roebob_LATE_13_346_rounds-bob.lab-1.zip")
    terms = Terms(due=datetime(2026, 10, 12, tzinfo=UTC), per_day=10)
    works = graded(archive(tmp_path / "submissions.zip", down), room=tmp_path / "room", terms=terms)
    assert {(work.who, work.score, work.days_late) for work in works.values()} == {
        ("lovelaceada", 7, 3),
        ("roebob", 7, 3),
    }


def test_of_a_download_what_cannot_be_unpacked_is_one_of_them(tmp_path: Path) -> None:
    down = tmp_path / "down"
    a_zip(down / "Ada_1_assignsubmission_file_", "ada@uni.example")
    download = archive(tmp_path / "class.zip", down)
    with zipfile.ZipFile(download, "a") as packed:
        packed.writestr("Eve_2_assignsubmission_file_/../../../x.zip", "x")
        packed.writestr("Eve_2_assignsubmission_file_/" + "x" * 300, "x")
    works = list(graded(download, room=tmp_path / "room").values())
    assert [(work.who, work.score) for work in works] == [("Ada", 10), ("Eve", 0), ("Eve", 0)]
    assert "leads out of its folder" in works[1].graded.fault and "too long" in works[2].graded.fault


@pytest.mark.parametrize("name", [".hidden.zip", "../../x.zip", "x" * 300 + ".zip"])
def test_a_download_of_which_nothing_can_be_unpacked_stops_no_other(tmp_path: Path, name: str) -> None:
    given, download = a_zip(tmp_path / "one", "ada@uni.example"), tmp_path / "class.zip"
    with zipfile.ZipFile(download, "w") as packed:
        packed.writestr(name, "x")
    works = graded(download, given, room=tmp_path / "room")
    assert works["class.zip"].graded.fault.startswith("class.zip: there is no lab.lock in this folder")
    assert [work.score for work in works.values() if not work.graded.fault] == [10]


def test_late_by_the_time_of_the_file(tmp_path: Path) -> None:
    due = datetime(2026, 10, 12, tzinfo=UTC)
    given = a_zip(tmp_path / "one", "ada@uni.example")
    os.utime(given, (due.timestamp() + 3600,) * 2)
    (work,) = graded(given, room=tmp_path / "room", terms=Terms(due=due, per_day=10)).values()
    assert (work.days_late, work.score) == (1, 9)


def test_a_folder_is_late_by_its_newest_file(tmp_path: Path) -> None:
    due = datetime(2026, 10, 12, tzinfo=UTC)
    given = a_student(tmp_path / "ada", "ada@uni.example")
    (given / ".git").mkdir()
    (given / ".git" / "index").touch()
    for hours, name in enumerate(("lab.lock", "answers.yaml"), start=24):
        os.utime(given / name, (due.timestamp() + 3600 * hours,) * 2)
    (work,) = graded(given, room=tmp_path / "room", terms=Terms(due=due, per_day=10)).values()
    assert (work.days_late, work.score) == (2, 8)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    given = a_zip(tmp_path / "one", "ada@uni.example", "total: raise\n")
    graded(given, room=tmp_path / "room")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_roster_says_who_handed_in_nothing_and_takes_points(tmp_path: Path) -> None:
    file = tmp_path / "canvas.csv"
    file.write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,rounds (77),limit (78)\n"
        "    Points Possible,,,,,50,50\n"
        "Lovelace,1,u1,me@uni.example,A,,3\nRoe,2,u2,bob@uni.example,A,,\n"
    )
    roster = Roster.read(file)
    assert roster.missing([a_work()]) == ["bob@uni.example"]
    assert roster.filled([a_work()], "rounds").splitlines()[2:] == [
        "Lovelace,1,u1,me@uni.example,A,24,3", "Roe,2,u2,bob@uni.example,A,,",
    ]  # fmt: skip
    assert roster.filled([a_work()], "talk").splitlines()[0].endswith(",talk")
    file.write_text("")
    with pytest.raises(ScenarioError, match="is empty"):
        Roster.read(file)
    shutil.rmtree(tmp_path)


def test_a_hand_in_that_is_named_twice_is_graded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = a_zip(tmp_path / "class", "ada")
    monkeypatch.chdir(tmp_path)
    given = [tmp_path / "class", made, Path("class") / made.name, tmp_path / "class"]
    assert [each.shown for each in found(given, tmp_path / "room")] == [made.name]

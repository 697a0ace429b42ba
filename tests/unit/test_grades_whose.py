"""Of which student a hand-in is that counts, in downloads as Moodle and Canvas make them: through ``grade`` itself."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from testbed.cli import main
from tests.unit.graded import a_lab, a_zip

ANNA, BOB = "anna@uni.example", "bob@uni.example"
ROSTER = f"Name,Email,total\nAnna A,{ANNA},\nBob B,{BOB},\n"


@pytest.fixture(autouse=True)
def as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own process stays whose it is."""
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")


def download(folder: Path, *entries: tuple[str, bytes]) -> Path:
    """A zip of these, each a day after that before it."""
    file = folder / "class.zip"
    with zipfile.ZipFile(file, "w") as packed:
        for day, (name, content) in enumerate(entries, 1):
            packed.writestr(zipfile.ZipInfo(name, (2026, 10, day, 12, 0, 0)), content)
    return file


def moodles(who: str, number: int) -> str:
    return f"{who}_{number}_assignsubmission_file_/total.lab.zip"


def content(folder: Path, student: str, answers: str = "total: 42\n") -> bytes:
    return a_zip(folder, student, answers, "total").read_bytes()


def graded(folder: Path, given: Path, *options: str) -> list[list[str]]:
    """The rows of Moodle's table: who, and how many points."""
    out = folder / "moodle.csv"
    command = ["grade", str(given), "--lab", "total", "--from", str(a_lab(folder / "labs" / "total"))]
    assert main([*command, "--moodle", str(out), *options]) in {0, 1}
    return [row[:2] for row in csv.reader(io.StringIO(out.read_text()))][1:]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("spoiled_first", [True, False])
def test_another_student_takes_no_points_from_one(tmp_path: Path, known: bool, spoiled_first: bool) -> None:
    """A friend's folder that is answered wrongly and handed in under one's own name."""
    own = (moodles("Anna A", 1), content(tmp_path / "own", ANNA))
    spoiled = (moodles("Bob B", 2), content(tmp_path / "spoiled" / "of", ANNA, "total: 1\n"))
    given = download(tmp_path, *((spoiled, own) if spoiled_first else (own, spoiled)))
    (tmp_path / "roster.csv").write_text(ROSTER)
    options = ("--roster", str(tmp_path / "roster.csv")) if known else ()
    assert graded(tmp_path, given, *options) == [[ANNA, "20"]]


def test_one_that_is_known_to_be_anothers_replaces_none_however_good_it_is(tmp_path: Path) -> None:
    own = (moodles("Anna A", 1), content(tmp_path / "own", ANNA, "total: 1\n"))
    better = (moodles("Bob B", 2), content(tmp_path / "better" / "of", ANNA))
    (tmp_path / "roster.csv").write_text(ROSTER)
    given = download(tmp_path, own, better)
    assert graded(tmp_path, given, "--roster", str(tmp_path / "roster.csv")) == [[ANNA, "10"]]


@pytest.mark.parametrize("broken_first", [True, False])
def test_a_broken_zip_counts_only_where_none_of_that_student_can_be_judged(tmp_path: Path, broken_first: bool) -> None:
    good = (moodles("Anna A", 1), content(tmp_path / "own", ANNA))
    broken = (moodles("Anna A", 3), b"PK no zip")
    alone = (moodles("Bob B", 2), b"PK no zip")
    given = download(tmp_path, *((broken, good) if broken_first else (good, broken)), alone)
    (tmp_path / "roster.csv").write_text(ROSTER)
    filled = tmp_path / "filled.csv"
    rows = graded(tmp_path, given, "--roster", str(tmp_path / "roster.csv"), "--canvas", str(filled))
    assert rows == [[ANNA, "20"], ["Bob B", "0"]]
    assert filled.read_text() == f"Name,Email,total\nAnna A,{ANNA},20\nBob B,{BOB},0\n"


@pytest.mark.parametrize("as_zip", [True, False])
def test_what_is_no_zip_is_a_row_of_whose_it_is(
    tmp_path: Path, as_zip: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    good = ("annaa_1_2_total-anna.lab.zip", content(tmp_path / "own", ANNA))
    packed, renamed = ("mullerjorg_3_4_hello-J.7z", b"7z"), ("roebob_LATE_5_6_hello.zip.txt", b"PK")
    given = download(tmp_path, good, packed, renamed, ("notes.txt", b"the teacher's"))
    if not as_zip:
        zipfile.ZipFile(given).extractall(tmp_path / "class")
        given = tmp_path / "class"
    (tmp_path / "roster.csv").write_text("Name,Login\nMJ,mullerjorg\nEve,eve\n")
    assert graded(tmp_path, given, "--roster", str(tmp_path / "roster.csv")) == [
        [ANNA, "20"], ["mullerjorg", "0"], ["roebob", "0"],
    ]  # fmt: skip
    said = capsys.readouterr().err
    assert "mullerjorg_3_4_hello-J.7z: is no zip; hand in what `testbed lab submit` made" in said
    assert "nothing from 1: Eve\n" in said


def test_a_download_of_canvas_and_its_gradebook_have_the_same_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File names leave out of "Last, First" what is no letter, digit or ``_``, and know letters of all alphabets."""
    given = download(
        tmp_path,
        ("müllerjörg_3_40_total.lab.zip", content(tmp_path / "own", ANNA)),
        ("oneilann_LATE_5_60_total.lab.zip", b"PK no zip"),
        ("LATE_anon_Ab12c_70_total.lab.zip", b"PK no zip"),
    )
    (tmp_path / "roster.csv").write_text(f'Student,Login\n"Müller, Jörg",jm\n"O\'Neil, Ann",ann\n"A, Anna",{ANNA}\n')
    filled = tmp_path / "filled.csv"
    options = ("--roster", str(tmp_path / "roster.csv"), "--canvas", str(filled))
    assert graded(tmp_path, given, *options) == [["anon_Ab12c", "0"], [ANNA, "20"], ["oneilann", "0"]]
    said = capsys.readouterr()
    assert f"was handed in by müllerjörg, and started as {ANNA}" in said.out + said.err
    assert "nothing from 1: Müller, Jörg\n" in said.err
    assert filled.read_text().splitlines()[1:] == ['"Müller, Jörg",jm,', '"O\'Neil, Ann",ann,0', f'"A, Anna",{ANNA},20']

"""A roster as spreadsheets and platforms of many countries write it, through ``grade --roster --canvas``."""

import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from testbed.cli import main
from tests.unit.graded import a_lab, a_zip

ADA = "ada@uni.example"


@pytest.fixture(autouse=True)
def as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own process stays whose it is."""
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")


def filled(folder: Path, roster: str, student: str = ADA) -> str:
    folder.mkdir(exist_ok=True)
    given, out = folder / "roster.csv", folder / "filled.csv"
    given.write_text(roster, "utf-8")
    labs = a_lab(folder / "labs" / "total").parent
    command = ["grade", str(a_zip(folder / "one", student, lab="total")), "--lab", "total", "--from", str(labs)]
    assert main([*command, "--roster", str(given), "--canvas", str(out)]) == 0
    return out.read_text("utf-8")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_are_apart_as_the_roster_has_them(
    tmp_path: Path, delimiter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [["Student", "SIS Login ID", "total (7)"], ["Roe Bob", "bob@uni.example", ""], ["Lovelace Ada", ADA, ""]]
    made = filled(tmp_path, "\ufeff" + "".join(f"{delimiter.join(row)}\r\n" for row in rows))
    rows[2][2] = "20"
    assert made == "".join(f"{delimiter.join(row)}\n" for row in rows)
    assert "nothing from 1: bob@uni.example\n" in capsys.readouterr().err


def test_a_comma_within_quotes_is_no_column(tmp_path: Path) -> None:
    made = filled(tmp_path, f'"Name, first, last, all";Email\n"Lovelace, Ada";{ADA}\n')
    assert made == f"Name, first, last, all;Email;total\nLovelace, Ada;{ADA};20\n"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_the_same_however_its_letters_are_composed(tmp_path: Path, form: Literal["NFC", "NFD"]) -> None:
    name = "Jörg Müller"
    assert filled(tmp_path, f"Name\n{unicodedata.normalize(form, name)}\n", name).endswith(",20\n")


def test_a_gradebook_has_the_last_name_first_and_a_student_need_not(tmp_path: Path) -> None:
    roster = 'Student,ID,total (7)\n"Müller, Jörg",3,\n"O\'Neil, Ann Mary",5,\n'
    assert filled(tmp_path, roster, "Jörg Müller").splitlines()[1] == '"Müller, Jörg",3,20'
    assert filled(tmp_path / "second", roster, "ann mary o'neil").splitlines()[2] == '"O\'Neil, Ann Mary",5,20'


def test_numbers_of_other_columns_stay_as_they_are_and_formulas_do_not(tmp_path: Path) -> None:
    row = f'{ADA},-2,+49,+49 30 1234,"-1,5",-2.5%'
    made = filled(tmp_path, f"Email,a,b,c,d,e,f,g\n{row},=1+1,-2+3\n")
    assert made.splitlines()[1] == f"{row},'=1+1,'-2+3,20"


def test_of_a_row_that_is_cut_off_the_first_cell_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(tmp_path, f"Name,Email\nLovelace,{ADA}\nRoe\n")
    assert "nothing from 1: Roe\n" in capsys.readouterr().err

"""A small class of each lab, graded: every reason is right, every edit and copy named, and nobody else."""

from pathlib import Path

import pytest

from testbed.grades.formats import as_json
from testbed.grades.grading import grade
from testbed.grades.handed import found
from testbed.grades.judging import by_lab
from testbed.labs.catalogue import folders
from tests.unit import oracle
from tests.unit.classmates import a_class, main
from tests.unit.students import Classmates

SMALL = {"arena": 3}
"""Its hand-ins play, for seconds each."""


@pytest.mark.parametrize("lab", folders())
def test_every_reason_is_right_and_every_cheat_is_named(lab: str, tmp_path: Path) -> None:
    made = Classmates(tmp_path, lab)
    expected = a_class(made, SMALL.get(lab, 7))
    works = grade(found([made.out], tmp_path / "room"), by_lab(lab))
    assert [*oracle.differing(expected, oracle.parsed(as_json.document(works)))] == []


def test_a_class_is_held_against_what_it_should_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "2", "--lab", "hello"]) == 0
    works = grade(found([tmp_path / "handed-in"], tmp_path / "room"), by_lab("hello"))
    grades = tmp_path / "grades.json"
    grades.write_text(as_json.document(works))
    assert main([str(tmp_path), "--held-against", str(grades)]) == 0
    grades.write_text(as_json.document(works[:1]).replace('"score": 19', '"score": 7'))
    assert main([str(tmp_path), "--held-against", str(grades)]) == 1
    said = capsys.readouterr().out
    assert "was not graded" in said and "earns 7 of 19, and should earn all" in said

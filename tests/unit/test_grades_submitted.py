"""A friend's hand-in that is handed in as one's own: found by what the platform says of who did."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.grades.handed import HandedIn
from testbed.grades.roster import Roster
from testbed.grades.submitted import Submission, flagged
from testbed.grades.work import GradedWork
from tests.unit.graded import a_work

ADA, BOB = "ada@uni.example", "bob@uni.example"
AT = "2026-10-12T10:00:00.365935-07:00"


def metadata(folder: Path, *users: object, at: object = AT) -> Path:
    """As Gradescope writes it, as far as that matters here."""
    file = folder / "submission_metadata.json"
    known = {"id": 123456, "created_at": at, "assignment": {"title": "lab"}, "users": users, "previous_submissions": []}
    file.write_text(json.dumps(known))
    return file


def user(email: str, name: str = "") -> dict[str, object]:
    return {"email": email, "id": 1234, "name": name, "assignment": {}}


def handed(student: str, who: str) -> GradedWork:
    return replace(a_work(student), who=who)


def said(work: GradedWork, roster: Roster | None = None, submission: Submission | None = None) -> list[str]:
    return list(flagged([work], roster, submission)[0].flags)


@pytest.mark.parametrize("student", [ADA, ADA.upper(), "ada", "Ada L."])
def test_who_started_by_any_of_their_names_is_who_handed_in(tmp_path: Path, student: str) -> None:
    submission = Submission.read(metadata(tmp_path, user(ADA, "Ada L.")))
    assert said(handed(student, ADA), submission=submission) == []


def test_a_friends_hand_in_has_a_flag_and_keeps_its_points(tmp_path: Path) -> None:
    submission = Submission.read(metadata(tmp_path, user(BOB, "Bob")))
    (found,) = flagged([handed(ADA, BOB)], None, submission)
    assert found.flags == (f"was handed in by {BOB}, and started as {ADA}",)
    assert found.score == handed(ADA, BOB).score


def test_any_of_a_group_may_have_started(tmp_path: Path) -> None:
    submission = Submission.read(metadata(tmp_path, user(BOB), user(ADA)))
    assert submission.of(HandedIn(path=tmp_path, shown="x")).who == BOB
    assert said(handed(ADA, BOB), submission=submission) == []


def test_when_it_came_is_what_the_platform_says(tmp_path: Path) -> None:
    given = HandedIn(path=tmp_path, shown="x", at=datetime(2020, 1, 1, tzinfo=UTC))
    assert Submission.read(metadata(tmp_path, user(ADA))).of(given).at == datetime.fromisoformat(AT)
    for nonsense in (None, "yesterday", "2026-10-12T10:00:00"):
        assert Submission.read(metadata(tmp_path, user(ADA), at=nonsense)).of(given).at == given.at


def test_of_whom_nothing_is_known_nothing_is_said(tmp_path: Path) -> None:
    assert said(handed(ADA, "somebody")) == []
    assert said(handed(ADA, "")) == []
    assert said(handed(ADA, ""), submission=Submission.read(metadata(tmp_path))) == []
    (tmp_path / "submission_metadata.json").write_text("{}")
    assert Submission.read(tmp_path / "submission_metadata.json") == Submission(names=[])


def test_a_roster_knows_the_names_of_a_download_and_those_of_a_lab() -> None:
    roster = Roster(header=["Name", "Email"], rows=[["Ada L.", ADA], ["Bob", BOB], ["Points Possible", ""]])
    assert said(handed(ADA, "Ada L."), roster) == [] and said(handed("bob", "Bob"), roster) == []
    assert said(handed(ADA, "Bob"), roster) == [f"was handed in by Bob, and started as {ADA}"]
    assert said(handed(ADA, "Carol"), roster) == []
    twice = Roster(header=roster.header, rows=[*roster.rows, ["Bob", ADA]])
    assert said(handed(ADA, "Bob"), twice) == [], "two are called Bob"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"users": 7}', '{"users": [{"email": 7}]}', "\x00"])
def test_what_is_none_of_gradescopes_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ScenarioError, match=r"other\.json"):
        Submission.read(tmp_path / "other.json")


def test_names_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    submission = Submission.read(metadata(tmp_path, user("\x1b[31mbob\n" + "x" * 1000)))
    assert submission.names[0].isprintable() and len(submission.names[0]) < 110


def test_grade_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.linux.processes.caller.give_up_root", lambda: "")
    (tmp_path / "lab.zip").write_text("no zip")
    about = metadata(tmp_path, user(BOB))
    out = tmp_path / "grades.json"
    assert main(["grade", str(tmp_path / "lab.zip"), "--lab", "rounds", "--submission", str(about), "--json", str(out)])
    assert BOB in capsys.readouterr().err, "who handed in what cannot be opened is known all the same"
    about.write_text("{")
    assert main(["grade", str(tmp_path / "lab.zip"), "--lab", "rounds", "--submission", str(about)]) == 2
    assert "submission_metadata.json" in capsys.readouterr().err

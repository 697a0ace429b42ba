"""A student's folder may be anybody's: each thing that is wrong with it is one line, and nothing in it is run."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.experiment.run import run_scenario
from testbed.labs import find
from testbed.labs.answers import of_text, read, taken
from testbed.labs.catalogue import LabFolder
from testbed.labs.definition.spec import AnswerSpec
from testbed.labs.handin import opened, pack
from testbed.labs.running import prepared
from testbed.labs.starting import start
from testbed.labs.workbook import KEPT, Workbook, enclosing
from testbed.runfiles.folder import RunFolder
from tests.unit.learning import (
    ME,
    PREDICTIONS,
    a_lab,
    answer,
    by_name,
    edited,
    finished,
    judged,
    right_answers,
    run,
    started,
)


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("", "lab.lock: is empty"),
        ("[1, 2]", "every lock is a mapping of keys"),
        ("lab: rounds\nversion: 1\n", "'student' must be a text of at most 100 characters"),
        ("lab: rounds\nversion: many\nstudent: me\n", "says no version"),
        (f"lab: rounds\nversion: 1\nstudent: {'x' * 101}\n", "'student' must be a text"),
        ('lab: rounds\nversion: 1\nstudent: "\\x1b[2J"\n', "'student' must be a text"),
        ("a: &x [1]\nb: *x\n", "anchors and aliases"),
        ("a: " + "[" * 50 + "]" * 50, "nested more than"),
        ("a" * 300_000, "300|0 MB|larger|read at most"),
    ],
)
def test_a_lock_that_is_none_is_one_line(tmp_path: Path, lock: str, said: str) -> None:
    (tmp_path / "lab.lock").write_text(lock)
    with pytest.raises(ScenarioError, match=said) as refused:
        Workbook.read(tmp_path)
    assert str(refused.value).isprintable()


def test_links_pipes_and_what_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="there is no such folder"):
        Workbook.read(tmp_path / "nowhere")
    with pytest.raises(ScenarioError, match="no work of a lab lies here"):
        Workbook.read(tmp_path)
    with pytest.raises(ScenarioError, match="no lab was started here"):
        enclosing(tmp_path)
    mine = finished(tmp_path / "mine")
    (tmp_path / "link").symlink_to(mine)
    with pytest.raises(ScenarioError, match="there is no such folder"):
        Workbook.read(tmp_path / "link")
    (mine / "answers.yaml").unlink()
    assert judged(mine).fault.endswith("answers.yaml: is not there")
    (mine / "answers.yaml").symlink_to("/etc/passwd")
    assert "is a link" in judged(mine).fault
    (mine / "answers.yaml").unlink()
    os.mkfifo(mine / "answers.yaml")
    assert "is no ordinary file" in judged(mine).fault
    (mine / "lab.lock").unlink()
    (mine / "lab.lock").symlink_to("/etc/passwd")
    with pytest.raises(ScenarioError, match="is a link"):
        Workbook.read(mine)


def test_runs_behind_links_and_of_strange_names_are_no_runs(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    (mine / "runs/main-1").rename(tmp_path / "elsewhere")
    (mine / "runs/main-1").symlink_to(tmp_path / "elsewhere")
    for name in ("main-", "-1", "main-0", "main-01", "../x", "main-1x", "main-9999999"):
        (mine / "runs" / name.replace("/", "_")).mkdir()
    assert Workbook.read(mine).runs == {}
    assert "there is no run yet" in by_name(judged(mine))["own"].reason
    (mine / "runs").rename(tmp_path / "runs")
    (mine / "runs").symlink_to(tmp_path / "runs")
    assert Workbook.read(mine).runs == {}


def test_a_damaged_record_costs_nothing_and_is_said(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    (mine / "runs/main-1/summary.json").write_text('{"schema": 1, "valid": NaN}')
    result = judged(mine)
    assert by_name(result)["own"].standing == "not asked" and "is not JSON" in by_name(result)["own"].reason


def test_a_record_that_cannot_be_read_is_flagged_for_the_teacher(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    (mine / "runs/main-1/summary.json").write_text("{")
    (flag,) = judged(mine).flags
    assert flag.startswith("main-1: its record cannot be read") and "is not JSON" in flag


def of_two_runs(folder: Path) -> LabFolder:
    return a_lab(
        folder,
        "lab: mine\ntitle: mine\nminutes: 1\nruns: {main: {}, other: {}}\n",
        "from testbed.labs.check import check, own\n"
        "@check(10, 'made', after=own, run='other')\ndef made(lab, run): pass\n",
    )


def test_a_run_that_is_to_be_made_again_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = of_two_runs(tmp_path / "mine")
    monkeypatch.chdir(start(lab, ME, to=tmp_path / "work"))
    again = [run(Path(), name, lab=lab) for name in ("main", "other")][1] / "summary.json"
    asked = ["lab", "check", "--from", str(lab.path)]
    assert main(asked) == 0
    edited(again, lambda tree: tree.update(valid=False, invalid_reasons=["the link was off"]))
    assert main(asked) == 1


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    lab = of_two_runs(tmp_path / "mine")
    work = start(lab, ME, to=tmp_path / "work")
    run(work, "main", lab=lab)
    before = judged(work, lab)
    assert (before.score, before.most) == (5, 20)
    (work / "runs/other-1").mkdir()
    shutil.copy(work / "scenario.yaml", work / "runs/other-1/scenario.yaml")
    after = judged(work, lab)
    assert (after.score, after.most) == (5, 20), "else who makes a folder is asked less than who does not"
    assert by_name(after)["made"].reason == (
        "there is no run 'other' yet (there is no summary.json in other-1): testbed lab run other"
    )
    assert prepared(lab, Workbook.read(work)).record.run == "other", "what was broken off is what is next"
    assert prepared(lab, Workbook.read(work)).out.name == "other-2"


def test_a_lab_without_questions_is_run_checked_and_handed_in(tmp_path: Path) -> None:
    made = (
        "from testbed.labs.check import check, own\n\n\n@check(10, 'made', after=own)\ndef made(lab, run):\n    pass\n"
    )
    lab = a_lab(tmp_path / "mine", "lab: mine\ntitle: mine\nminutes: 1\n", made)
    work = start(lab, ME, to=tmp_path / "work")
    assert judged(work, lab).fault == "" and judged(work, lab).score == 0
    run(work, lab=lab)
    with opened(pack(work)) as handed_in:
        assert (judged(handed_in, lab).score, judged(handed_in, lab).most) == (20, 20)


def test_answers_that_were_emptied_are_none_and_the_rest_is_judged(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    (mine / "answers.yaml").write_text("# later\n")
    result = judged(mine)
    assert result.fault == "" and by_name(result)["total"].standing == "right", "a prediction is in the record"
    assert by_name(result)["transfer"].reason == "answers.yaml: 'other_ram_mb' is not answered yet"


def test_the_scenario_of_a_run_may_be_missing_or_none(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    (mine / "runs/main-1/scenario.yaml").write_text("{{{")
    assert "not valid YAML" in by_name(judged(mine))["own"].reason
    (mine / "runs/main-1/scenario.yaml").unlink()
    assert "there is no scenario.yaml" in by_name(judged(mine))["own"].reason


def test_no_code_of_a_student_is_run(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    for name in ("checks.py", "numpy.py", "evil.py", "sitecustomize.py"):
        (mine / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    scenario = mine / "runs/main-1/scenario.yaml"
    scenario.write_text(scenario.read_text().replace("name: plain", f"name: {mine / 'evil.py'}"))
    result = judged(mine)
    assert "its policy is " in by_name(result)["own"].reason and not (tmp_path / "ran").exists()


def test_the_parameters_of_the_lock_are_not_believed(tmp_path: Path) -> None:
    mine = finished(tmp_path / "mine")
    lock = mine / "lab.lock"
    lock.write_text(lock.read_text().replace("student: me@uni.example", "student: you@uni.example"))
    assert judged(mine).score == 0
    lock.write_text(lock.read_text().replace("version: 1", "version: 2"))
    assert "started with version 2 of the lab, which is now 1" in judged(mine).fault
    with pytest.raises(ScenarioError, match="started with version 2 of the lab, which is now 1"):
        run(mine)
    lock.write_text(lock.read_text().replace("lab: rounds", "lab: hello"))
    assert "this is work of the lab 'hello', not of 'rounds'" in judged(mine).fault


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("abc", "answers.yaml:1: 'total_s' must be a number of s, without the unit, not 'abc'"),
        (".nan", "answers.yaml:1: 'total_s' must be a number of s, without the unit, not '.nan'"),
        ("9.5 s", "answers.yaml:1: 'total_s' must be a number of s, without the unit, not '9.5 s'"),
        ("[1, 2]", "answers.yaml:1: 'total_s' must be a number"),
        ("true", "answers.yaml:1: 'total_s' must be a number"),
        ("1e99", "answers.yaml:1: 'total_s' must be a number of s, without the unit, and one that can be"),
        ("1.0e-60", "answers.yaml:1: 'total_s' must be a number of s, without the unit, and one that can be"),
        ("", "answers.yaml: 'total_s' is not answered yet"),
    ],
)
def test_what_is_no_number_is_one_line_and_the_rest_is_judged(tmp_path: Path, given: str, said: str) -> None:
    lab = find("rounds")
    assert of_text(f"total_s: {given}\npasses: 4\n", lab.spec).missing("total_s").startswith(said)
    mine = finished(tmp_path / "mine")
    (mine / "answers.yaml").write_text(f"other_ram_mb: {given}\nstopped_after: {given}\n")
    result = judged(mine)
    assert result.fault == "" and by_name(result)["own"].standing == by_name(result)["total"].standing == "right"
    assert by_name(result)["transfer"].standing == "wrong"


def test_a_choice_is_told_as_it_is_written_and_one_is_one_point_nought() -> None:
    question = AnswerSpec(ask="x", type="choice", choices=[1.0, 2.5, "10 Gbit"])
    assert taken(1, question) == 1.0 and taken("10 gbit", question) == "10 Gbit"
    with pytest.raises(ValueError, match=r"must be one of 1\.0, 2\.5, 10 Gbit, not"):
        taken(True, question)


@pytest.mark.parametrize(
    ("text", "said"),
    [("why: " + 900_000 * "x", "has 900 kB; 262 kB are read at most"), ("- 1", "every answer file is a")],
)
def test_answers_that_cannot_be_taken_say_why(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "answers.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=said):
        read(tmp_path / "answers.yaml", find("rounds").spec)


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=2)))
@settings(deadline=None)
def test_whatever_is_answered_is_a_value_of_its_kind_or_a_line(value: Any) -> None:
    for question in (
        AnswerSpec(ask="x"),
        AnswerSpec(ask="x", type="integer"),
        AnswerSpec(ask="x", type="text"),
        AnswerSpec(ask="x", type="truth"),
        AnswerSpec(ask="x", type="choice", choices=["a", "true", 3]),
    ):
        try:
            known = taken(value, question)
        except ValueError as refused:
            assert str(refused).isprintable()
        else:
            assert not isinstance(known, str) or known.isprintable()


def test_a_question_that_there_is_not_is_told_with_the_nearest() -> None:
    (strange,) = of_text("pases: 4\n", find("rounds").spec).strange
    assert strange == "answers.yaml:1: there is no question 'pases'; did you mean 'passes'?"


def test_the_last_runs_are_kept_and_numbers_go_on(tmp_path: Path) -> None:
    mine = started(tmp_path / "mine")
    answer(mine, right_answers(mine))
    assert set(right_answers(mine)) == set(PREDICTIONS)
    made = [run(mine).name for _ in range(KEPT + 2)]
    assert made == [f"main-{number}" for number in range(1, KEPT + 3)]
    assert sorted(each.name for each in (mine / "runs").iterdir()) == made[2:]
    assert Workbook.read(mine).runs["main"][0].name == made[-1]


def test_runs_that_were_interrupted_or_are_not_valid_leave_the_one_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_what: object, out: Path, **_options: object) -> None:
        RunFolder.create(out)
        raise KeyboardInterrupt

    def invalid(*what: Any, out: Path, **options: Any) -> None:
        run_scenario(*what, out=out, **options)
        edited(out / "summary.json", lambda tree: tree.update(valid=False, invalid_reasons=["the link was off"]))

    mine = finished(tmp_path / "mine")
    with monkeypatch.context() as patched:
        patched.setattr("testbed.labs.running.run_scenario", interrupted)
        for _ in range(KEPT + 1):
            with pytest.raises(KeyboardInterrupt):
                run(mine)
    assert judged(mine).score == 90
    assert [each.name for each in Workbook.read(mine).runs["main"]] == ["main-1"]
    monkeypatch.setattr("testbed.labs.running.run_scenario", invalid)
    for _ in range(KEPT + 1):
        run(mine)
    left = ["main-1", *(f"main-{number}" for number in range(10, 14))]
    assert sorted(each.name for each in (mine / "runs").iterdir()) == left
    assert [each.name for each in Workbook.read(mine).runs["main"]] == left[:0:-1] + left[:1]
    assert judged(mine).score == 90

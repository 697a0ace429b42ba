"""``lab new`` and ``lab test``: what is wrong with a lab is found before students meet it."""

from pathlib import Path
from typing import Any

import pytest

from testbed.cli import main
from testbed.core.records.migration import Summary
from testbed.labs.catalogue import LabFolder, folders, shipped
from testbed.labs.proving import proof
from testbed.labs.running import PreparedRun, carried_out
from tests.unit.graded import a_lab

Captured = pytest.CaptureFixture[str]


def test_a_lab_of_ones_own_begins_small_and_passes_its_test(tmp_path: Path, capsys: Captured) -> None:
    assert main(["lab", "new", "mine", "--to", str(tmp_path)]) == 0
    lab = tmp_path / "mine"
    assert sum(len(file.read_text().splitlines()) for file in lab.rglob("*") if file.is_file()) < 100
    assert main(["lab", "test", str(lab), "--students", "2"]) == 0
    out = capsys.readouterr().out
    assert "student-001: right answers earn 30 of 40" in out and "wrong/round-one earns 10 of 40" in out
    assert main(["lab", "new", "mine", "--to", str(tmp_path)]) == 2
    assert main(["lab", "new", "Mine It", "--to", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 2
    (lab / "lab.yaml").write_text((lab / "lab.yaml").read_text().replace("A lab of my own", '"[/] [red]my own"'))
    assert main(["lab", "list", "--from", str(tmp_path)]) == 0
    assert "[/] [red]my own" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("right.yaml", "256 * rho", "256 * rho * 2", "right answers: 'second' earns 0 of 20"),
        ("wrong/round-one.yaml", "That is round 1", "That is round 2", "should hint 'That is round 2'"),
        ("wrong/round-one.yaml", "256}", "12}", "should hint 'That is round 1', and says ''"),
        ("checks.py", "    near(", "    lab.parameters['x']\n    near(", "the check itself broke, checks.py:"),
        ("lab.yaml", "[0.2, 0.3, 0.4]", "[0.2, 30.0]", "longer than its timeout"),
        ("scenario.yaml", "migration:", "migraton:", "mine/scenario.yaml:"),
    ],
)
def test_what_is_wrong_with_a_lab_is_found_before_students_meet_it(
    tmp_path: Path, capsys: Captured, file: str, old: str, new: str, said: str
) -> None:
    assert main(["lab", "new", "mine", "--to", str(tmp_path)]) == 0
    text = (tmp_path / "mine" / file).read_text()
    assert old in text
    (tmp_path / "mine" / file).write_text(text.replace(old, new))
    assert main(["lab", "test", str(tmp_path / "mine"), "--students", "4"]) in (1, 2)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("points", [1, 20])
def test_what_students_are_given_earns_next_to_nothing(tmp_path: Path, capsys: Captured, points: int) -> None:
    lab = a_lab(tmp_path / "total")
    (lab / "README.md").write_text("What is six times seven?\n")
    (lab / "right.yaml").write_text("answers: {total: 42}\n")
    checks = lab / "checks.py"
    checks.write_text(checks.read_text() + f"\n\n@check({points}, 'it is there')\ndef there(lab, run):\n    pass\n")
    assert main(["lab", "test", str(lab), "--students", "1"]) == (points > 1)
    said = capsys.readouterr()
    assert f"student-001: untouched, the folder earns {10 + points} of {20 + points}\n" in said.out
    if points > 1:
        assert f"untouched: what students are given earns too much: 'there' {points}\n" in said.err


def test_what_of_starter_no_student_gets_is_found(tmp_path: Path, capsys: Captured) -> None:
    assert main(["lab", "new", "mine", "--to", str(tmp_path)]) == 0
    starter = tmp_path / "mine/starter"
    (starter / "data").mkdir(parents=True)
    (starter / "answers.yaml").write_text("second: 1\n")
    (starter / "large.bin").write_bytes(bytes((1 << 20) + 1))
    assert main(["lab", "test", str(tmp_path / "mine"), "--students", "1"]) == 1
    told = [line.split()[1].rstrip(":") for line in capsys.readouterr().err.splitlines()]
    assert told == ["starter/answers.yaml", "starter/data", "starter/large.bin"]


OTHER_RUN = "runs: {main: {}, other: {scenario: other.yaml, set: [vm.workload.write_rate]}}\n"
OTHER_CHECK = """

@check(20, "the other guest writes fast", after=own, run="other")
def other(lab, run):
    near(run.write_rate, 20e6, 0.9, hints={1e6: "That one is slow."})
"""


def test_of_a_mistake_in_one_run_that_run_alone_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["lab", "new", "mine", "--to", str(tmp_path)]) == 0
    lab, made = tmp_path / "mine", list[str]()
    (lab / "lab.yaml").write_text((lab / "lab.yaml").read_text() + OTHER_RUN)
    (lab / "checks.py").write_text((lab / "checks.py").read_text() + OTHER_CHECK)
    (lab / "other.yaml").write_text((lab / "scenario.yaml").read_text())
    slow = "check: other\nhint: That one is slow\nruns: {other: [{vm.workload.write_rate: 1MB/s}]}\n"
    (lab / "wrong/slow.yaml").write_text(slow)

    def carried(run: PreparedRun, **options: Any) -> Summary:
        made.append(run.record.run)
        return carried_out(run, **options)

    monkeypatch.setattr("testbed.labs.proving.made_work.carried_out", carried)
    assert proof.prove(LabFolder.read(lab), students=1).faults == []
    assert made == ["main", "other", "other"]


@pytest.mark.parametrize("name", folders())
def test_every_lab_that_is_shipped_passes_its_test(name: str) -> None:
    lab = LabFolder.read(folders()[name])
    students = 2 if lab.spec.runs else 1  # without runs it is code that is tried, in sandboxes
    assert proof.prove(lab, students=students).faults == []


def test_every_shipped_lab_knows_some_mistakes_and_predictions_are_at_most_half() -> None:
    for path in folders().values():
        lab = LabFolder.read(path)
        assert list((path / "wrong").glob("*.yaml")), path
        needed = [name for name, run in lab.spec.runs.items() if not run.optional]  # of others none can be demanded
        assert not needed or lab.spec.predictions(needed[0]), path
    assert {"hello", "rounds"} <= set(folders()) and (shipped() / "lab.schema.json").is_file()

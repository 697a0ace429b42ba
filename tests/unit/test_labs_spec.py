"""``lab.yaml`` and ``course.yaml``: what is wrong is one line, with the place and the nearest right word."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from testbed.cli import main
from testbed.core.errors import ScenarioError
from testbed.core.text.yaml_text import tree_of
from testbed.labs import find
from testbed.labs.catalogue import folders, shipped
from testbed.labs.course import Course
from testbed.labs.definition.spec import lab_schema, parsed
from testbed.labs.own_checks import checks
from tests.unit.learning import a_lab

LAB = """\
lab: tried
title: tried
minutes: 5
parameters:
  rho: {choose: [0.2, 0.3]}
answers:
  passes: {ask: "How many?", type: integer, before: run}
runs:
  main: {}
"""
READ = '  why: {ask: "Why?", type: text, read_by: teacher, points: 4}\n'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minutes: 5", "minute: 5", "lab.yaml:3: unknown key 'minute'; did you mean 'minutes'?"),
        ("minutes: 5", "minutes: much", "lab.yaml:3: 'minutes': must be a whole number from 1"),
        ("title: tried\n", "", "lab.yaml: 'title' is missing: one line for people"),
        ("choose: [", "chose: [", "lab.yaml:5: unknown key 'parameters.rho.chose'; did you mean 'choose'?"),
        ("{choose: [0.2, 0.3]}", "{is: 1, seed: true}", "lab.yaml:5: 'parameters.rho.is': must be text"),
        ("{choose: [0.2, 0.3]}", "{is: '1', seed: true}", "lab.yaml:5: 'parameters.rho': needs one of these"),
        ("{choose: [0.2, 0.3]}", "{choose: []}", "lab.yaml:5: 'parameters.rho.choose': must be a list of values"),
        ("type: integer", "type: whole", "lab.yaml:7: 'answers.passes.type': no kind of answer is called 'whole'"),
        ("type: integer", "type: choice", "lab.yaml:7: 'answers.passes': a choice has choices"),
        ("before: run", "before: lunch", "lab.yaml: 'passes' is to be there before 'lunch', which is no run"),
        ("before: run", "points: 3", "lab.yaml:7: 'answers.passes': points are for what a teacher reads"),
        ("main: {}", "main: {scenario: ../x.yaml}", "lab.yaml:9: 'runs.main.scenario': must be the name of a file"),
        ("main: {}", "Main: {}", "lab.yaml: a run cannot be called 'Main'"),
        ("rho:", "student:", "lab.yaml: 'student' cannot be a name"),
        ("main: {}", "main: {}\nhand_in: [lab.lock]", "lab.yaml: 'lab.lock' is no file to hand in"),
        ("lab: tried", "lab: Tried It", "lab.yaml:1: 'lab': may hold small letters"),
        ("lab: tried", "lab: &a tried", "lab.yaml:1: anchors and aliases"),
    ],
)
def test_what_is_wrong_with_a_lab_is_one_line(old: str, new: str, said: str) -> None:
    assert old in LAB
    with pytest.raises(ScenarioError) as refused:
        parsed(LAB.replace(old, new), "lab.yaml")
    assert str(refused.value).startswith(said)


def test_the_shipped_schema_is_that_of_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    said = "testbed schema lab > labs/lab.schema.json"
    assert json.loads((shipped() / "lab.schema.json").read_text()) == lab_schema(), f"made anew by: {said}"
    assert main(["schema", "lab"]) == 0
    assert json.loads(capsys.readouterr().out) == lab_schema()


@pytest.mark.parametrize("name", [*folders(), "_skeleton"])
def test_every_lab_goes_through_its_schema_and_has_a_line_for_editors(name: str) -> None:
    file = folders().get(name, shipped() / name) / "lab.yaml"
    text = file.read_text(encoding="utf-8")
    jsonschema.Draft7Validator(lab_schema()).validate(tree_of(text, str(file))[0])
    path = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", text.splitlines()[0])
    assert path is not None and (file.parent / path[1]).samefile(shipped() / "lab.schema.json")


def test_a_lab_that_there_is_not_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no lab is called 'round'; did you mean 'rounds'"):
        find("round")
    with pytest.raises(ScenarioError, match="no such folder of labs"):
        find("rounds", tmp_path / "nowhere")
    a_lab(tmp_path / "07-other", LAB, "")
    with pytest.raises(ScenarioError, match="is called 'other' by its folder and 'tried' here"):
        find("other", tmp_path)
    assert find("tried", tmp_path / "07-other").name == "tried"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", r"checks.py:1: the checks in it do not run: ZeroDivisionError"),
        ("\n\ncompile('def f(:', 'other.py', 'exec')", r"checks.py:3: the checks in it do not run: SyntaxError"),
        ("def f(:", r"checks.py:1: the checks in it do not run: SyntaxError"),
        ("from testbed.labs.check import *\n@check(1.5, 'x')\ndef f(lab, run): ...", "points are whole numbers"),
        (
            "from testbed.labs.check import *\n@check(1, 'x', run=3)\ndef f(lab, run): ...",
            "run= is the name of a run, not 3",
        ),
        (
            "from testbed.labs.check import *\n@check(1, 'x', after='own')\ndef f(lab, run): ...",
            "after= is a check that stands",
        ),
        (
            "from testbed.labs.check import *\n@check(1, 2)\ndef f(lab, run): ...",
            "the sentence is a text that students read",
        ),
        ("from testbed.labs.check import *\n@check(1, 'x')\ndef why(lab, run): ...", "'why' is called as a question"),
        (
            "from testbed.labs.check import *\n@check(1, 'x')\ndef a(lab, run): ...\nb = a",
            "two checks that are called 'a'",
        ),
        ("from testbed.labs.check import *\n@check(1, 'x', run='y')\ndef f(lab, run): ...", "of a run 'y', which"),
        (
            "from testbed.labs.check import *\n@check(1, 'x')\ndef a(lab, run): ...\n"
            "@check(1, 'x', after=a)\ndef b(lab, run): ...\ndel a",
            "check 'b' is after 'a', which has to stand before it",
        ),
    ],
)
def test_checks_that_cannot_be_are_one_line(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        checks(a_lab(tmp_path / "tried", LAB.replace("runs:", f"{READ}runs:"), code))


COURSE = """\
course: net-2026
labs:
  rounds: {due: 2026-10-12T23:59+02:00, points: 100}
late: {per_day: 10, at_most: 3}
arena_key: key.txt
"""


def test_a_course_says_when_what_is_due(tmp_path: Path) -> None:
    file = tmp_path / "course.yaml"
    file.write_text(COURSE)
    known = Course.read(file)
    due = known.labs["rounds"].due
    assert due is not None and due.isoformat() == "2026-10-12T23:59:00+02:00"
    assert (known.late.per_day, known.late.at_most, known.arena_key) == (10, 3, "key.txt")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("+02:00", "", "course.yaml:3: 'labs.rounds.due': must be a time with its zone"),
        ("due:", "dew:", "course.yaml:3: unknown key 'labs.rounds.dew'; did you mean 'due'?"),
        ("per_day: 10", "per_day: 110", "course.yaml:4: 'late.per_day': must be a whole number from 0 to 100"),
        ("course: net-2026\n", "", "'course' is missing"),
    ],
)
def test_what_is_wrong_with_a_course_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "course.yaml"
    file.write_text(COURSE.replace(old, new))
    with pytest.raises(ScenarioError) as refused:
        Course.read(file)
    assert said in str(refused.value)

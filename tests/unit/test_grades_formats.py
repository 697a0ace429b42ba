"""Grades in the formats that others read, held against what their readers say that they take."""

import base64
import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from testbed.grades.formats import as_json, classroom, classroom50, gradescope, junit, tables
from testbed.grades.roster import Roster
from testbed.grades.work import Terms, told, work
from testbed.labs.graded import Graded
from tests.unit.graded import RESULTS, a_work

DUE = datetime(2026, 10, 12, 23, 59, tzinfo=UTC)
SHOWN = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
WRITTEN = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
GRADESCOPE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "anyOf": [
        {"required": ["score"]},
        {"properties": {"tests": {"minItems": 1, "items": {"required": ["score"]}}}, "required": ["tests"]},
    ],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": WRITTEN,
        "test_output_format": WRITTEN,
        "test_name_format": WRITTEN,
        "visibility": SHOWN,
        "stdout_visibility": SHOWN,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": WRITTEN,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": WRITTEN,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": SHOWN,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "value"],
                "properties": {
                    "name": {"type": "string"},
                    "value": {"type": ["number", "string"]},
                    "order": {"enum": ["asc", "desc"]},
                },
            },
        },
    },
}
"""``results.json`` as Gradescope's specification has it."""
WHOLE = {"type": "integer"}
CLASSROOM50 = {
    "type": "object",
    "additionalProperties": False,
    "required": [*classroom50.FROM, "schema", "datetime", "score", "max-score", "tests"],
    "properties": {
        "schema": {"const": "classroom50/result/v1"},
        "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
        "score": WHOLE,
        "max-score": WHOLE,
        **{name: {"type": "string"} for name in classroom50.FROM},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {
                    "test-name": {"type": "string"},
                    "passed": {"type": "boolean"},
                    "score": WHOLE,
                    "max-score": WHOLE,
                },
            },
        },
    },
}


def taken(document: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The document, which its schema takes."""
    made: dict[str, Any] = json.loads(document)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(made, schema)
    return made


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_reason_has_its_hint_and_what_is_right_has_none() -> None:
    work = a_work()
    assert [told(each) for each in work.graded.results] == [
        "", "you wrote 5.1 s and it took 6.4 s That is one pass.", "=1+1", "not asked: it was simulated",
        "read by a teacher",
    ]  # fmt: skip
    assert (work.score, work.most) == (22, 50)


@pytest.mark.parametrize(
    ("late", "terms", "days", "score", "most"),
    [
        (timedelta(0), Terms(due=DUE, per_day=10), 0, 22, 50),
        (timedelta(seconds=1), Terms(due=DUE, per_day=10), 1, 20, 50),
        (timedelta(days=1), Terms(due=DUE, per_day=10), 1, 20, 50),
        (timedelta(days=2, hours=1), Terms(due=DUE, per_day=10, points=100), 3, 31, 100),
        (timedelta(days=4), Terms(due=DUE, per_day=10, at_most=3), 4, 0, 50),
        (timedelta(days=20), Terms(due=DUE, per_day=10), 20, 0, 50),
        (timedelta(days=20), Terms(points=100), 0, 44, 100),
        (timedelta(0), Terms(points=7), 0, 3, 7),
    ],
)
def test_days_and_points_are_the_courses_and_whole(
    late: timedelta, terms: Terms, days: int, score: int, most: int
) -> None:
    from testbed.grades.work import work

    found = work(a_work().graded, terms, handin="x", at=DUE + late)
    assert (found.days_late, found.score, found.most) == (days, score, most)
    if days:
        assert found.reasons[-1].startswith(f"handed in {days} day")


def test_csv_has_a_row_a_hand_in_and_a_column_a_check() -> None:
    (mine, broken) = rows(tables.rows([a_work(), a_work("x", fault="is an empty file")]))
    assert mine == {
        "student": "me@uni.example", "lab": "rounds", "score": "22", "max": "50", "own": "10", "total": "12",
        "passes": "0", "hosts": "", "why": "0", "flags": "", "late_days": "0",
        "reasons": "total: you wrote 5.1 s and it took 6.4 s That is one pass. | passes: =1+1 | "
        "hosts: not asked: it was simulated | why: read by a teacher",
    }  # fmt: skip
    assert (broken["student"], broken["score"], broken["reasons"]) == ("x", "0", "is an empty file")


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(name: str) -> None:
    for text in (tables.rows([a_work(name)]), tables.moodle([a_work(name)], name)):
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert f"'{name.replace(name[0], ' ', 1) if name[0].isspace() else name}" in cells and not any(
            cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells
        )


def test_moodle_has_its_three_columns_and_no_flags() -> None:
    (row,) = rows(tables.moodle([a_work()], "Lab 1"))
    assert list(row) == ["Email address", "Lab 1", "Feedback comments"]
    assert (row["Email address"], row["Lab 1"]) == ("me@uni.example", "24")


def test_a_gradebook_with_one_maximum_for_all_takes_nothing_for_what_was_not_asked() -> None:
    right = replace(RESULTS[0], points=50, earned=50)
    asked_less = Graded(lab="rounds", version="1", student="me@uni.example", results=(right, RESULTS[3]))
    mine = work(asked_less, Terms(), handin="x")
    (row,) = rows(tables.moodle([mine], "rounds"))
    said = "50 of the 50 points that were asked for count as 55 of 55"
    assert row["rounds"] == "55" and row["Feedback comments"].endswith(said)
    roster = Roster(header=("Email", "rounds (1)"), rows=(("me@uni.example", ""),))
    assert rows(roster.filled([mine], "rounds"))[0]["rounds (1)"] == "55"
    made = taken(gradescope.document(mine), GRADESCOPE)
    assert made["score"] == 55 and made["output"] == f"50 of 50 points.\n{said}"
    assert rows(tables.rows([mine]))[0]["score"] == "50", "where the most stands beside it, it is of what was asked"
    scaled = work(asked_less, Terms(points=100), handin="x")
    assert (scaled.score, scaled.entry, scaled.in_proportion) == (100, 100, "")


def test_gradescope_takes_what_is_written() -> None:
    made = taken(gradescope.document(a_work()), GRADESCOPE)
    assert made["score"] == 24
    assert made["output"] == "22 of 50 points.\n22 of the 50 points that were asked for count as 24 of 55"
    assert [(test["score"], test["max_score"], test.get("status")) for test in made["tests"]] == [
        (10, 10, "passed"), (12, 20, "failed"), (0, 15, "failed"), (0, 0, None), (0, 5, None),
    ]  # fmt: skip
    assert made["tests"][1]["output"].endswith("That is one pass.")


@pytest.mark.parametrize(
    "document",
    [
        gradescope.document(a_work(fault="holds no lab.lock: it is no hand-in")),
        gradescope.unfinished("The grading did not come to its end"),
    ],
)
def test_gradescope_takes_what_is_written_when_nothing_could_be_judged(document: str) -> None:
    made = taken(document, GRADESCOPE)
    assert made["score"] == 0 and made["output"]


def test_classroom50_takes_what_is_written() -> None:
    environment = {"CLASSROOM": "net", "ASSIGNMENT": "rounds", "COMMIT_URL": "https://example.org/c"}
    now = datetime(2026, 10, 12, 2, tzinfo=UTC).astimezone()
    made = taken(classroom50.document(a_work(), environment, now), CLASSROOM50)
    assert (made["score"], made["max-score"], made["datetime"]) == (22, 50, "2026-10-12T02:00:00Z")
    assert (made["classroom"], made["commit"], made["review"]) == (
        "net",
        "https://example.org/c",
        "https://example.org/c",
    )
    assert sum(test["max-score"] for test in made["tests"]) == 50
    assert made["tests"][1]["hint"] == "That is one pass."
    broken = taken(classroom50.document(a_work(fault="is empty"), {}, now), CLASSROOM50)
    assert broken["tests"][0]["reason"] == "is empty"
    taken(classroom50.unfinished("not done", {}, now), CLASSROOM50)
    scaled = taken(classroom50.document(a_work(terms=Terms(points=100)), {}, now), CLASSROOM50)
    assert scaled["score"] == 44 and "come to 44 of 100" in scaled["tests"][-1]["reason"]


@pytest.mark.parametrize(("fault", "status"), [("", "fail"), ("is empty", "error")])
def test_the_reporter_gets_its_base64(fault: str, status: str) -> None:
    name, _, value = classroom.document(a_work(fault=fault)).partition("=")
    made = json.loads(base64.b64decode(value))
    assert (name, made["version"], made["status"]) == ("result", 1, status)
    known = {"name", "status", "score", "message", "test_code", "filename", "line_no", "duration"}
    assert all(set(test) == known for test in made["tests"])


def test_junit_skips_what_was_not_asked() -> None:
    text = junit.document([a_work(), a_work("x\x00<&", fault="is \x1b[2J empty")])
    root = ElementTree.fromstring(text)  # noqa: S314 - ours
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["me@uni.example", "x\\x00<&"]
    assert {name: suites[0].get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5", "failures": "2", "errors": "0", "skipped": "2",
    }  # fmt: skip
    assert suites[1].find("testcase/error") is not None


def test_json_has_everything() -> None:
    (known,) = json.loads(as_json.document([a_work()]))["works"]
    assert known["checks"][1]["hint"] == "That is one pass." and known["max"] == 50


@pytest.mark.parametrize(("points", "days", "score"), [(None, 0, 22), (100, 0, 44), (7, 0, 3), (50, 3, 15), (50, 9, 0)])
def test_classrooms_reporter_adds_up_what_is_left(points: int | None, days: int, score: int) -> None:
    """Its sum is of the tests' scores, whatever stands beside them."""
    terms = Terms(due=DUE, points=points, per_day=10, at_most=5)
    graded = a_work().graded
    made = work(graded, terms, handin="x", at=DUE + timedelta(days=days) - timedelta(hours=1))
    known = json.loads(base64.b64decode(classroom.document(made).partition("=")[2]))
    assert (sum(test["score"] for test in known["tests"]), known["max_score"]) == (score, points or 50)
    assert all(type(test["score"]) is int and test["score"] >= 0 for test in known["tests"])
    late = [test["message"] for test in known["tests"] if test["name"] == "late"]
    assert late == ([f"handed in {days} days late: {score} of {points} points are left"] if days else [])

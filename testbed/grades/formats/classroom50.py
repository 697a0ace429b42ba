"""Classroom 50's ``result.json``, version 1: one hand-in, all points whole numbers.

Whose it is and where it lies is in the environment of the workflow. Fields of a test beside its own are kept as they
are: the reason and the hint.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from testbed.core.text.from_json import JsonObject
from testbed.grades.work import GradedWork

SCHEMA = "classroom50/result/v1"
FROM = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}
"""The fields that are variables of the environment."""


def document(work: GradedWork, environment: Mapping[str, str], now: datetime) -> str:
    """What Classroom 50 takes; ``now`` has a zone."""
    tests: list[JsonObject] = [
        {
            "test-name": each.check,
            "passed": each.standing == "right",
            "score": each.earned,
            "max-score": each.points,
            "standing": each.standing,
            "sentence": each.sentence,
            "reason": each.reason,
            "hint": each.hint,
        }
        for each in work.asked
    ]
    if work.graded.fault:
        tests = [_broken(work.graded.fault)]
    elif work.score != sum(each.earned for each in work.graded.results):
        tests.append({"test-name": "points", "passed": True, "score": 0, "max-score": 0, "reason": told_points(work)})
    return _text(environment, now, work.score, work.most, tests)


def unfinished(sentence: str, environment: Mapping[str, str], now: datetime) -> str:
    """What stands there until it is done, and stays when it never is."""
    return _text(environment, now, 0, 0, [_broken(sentence)])


def told_points(work: GradedWork) -> str:
    """Why the sum is another than that of the tests."""
    late = f"; {work.reasons[-1]}" if work.days_late else ""
    return f"the tests' points come to {work.score} of {work.most}{late}"


def _broken(sentence: str) -> JsonObject:
    return {"test-name": "hand-in", "passed": False, "score": 0, "max-score": 0, "reason": sentence}


def _text(environment: Mapping[str, str], now: datetime, score: int, most: int, tests: list[JsonObject]) -> str:
    known = {name: environment.get(variable, "") for name, variable in FROM.items()}
    known["review"] = known["review"] or known["commit"]
    when = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = {"schema": SCHEMA, **known, "datetime": when, "score": score, "max-score": most, "tests": tests}
    return json.dumps(made, indent=2) + "\n"

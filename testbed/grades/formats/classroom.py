"""What GitHub Classroom's autograding reporter reads: a step's output ``result``, JSON in base64.

Classroom itself has ended; its actions still run, and others read what they read.
"""

import base64
import json

from testbed.core.text.from_json import JsonObject
from testbed.grades.work import GradedWork, told


def document(work: GradedWork) -> str:
    """The line ``result=...`` for ``$GITHUB_OUTPUT``."""
    tests: list[JsonObject] = [
        {
            "name": each.check,
            "status": {"right": "pass"}.get(each.standing, "fail"),
            "score": each.earned,
            "message": told(each),
            "test_code": each.sentence,
            "filename": "",
            "line_no": 0,
            "duration": 0,
        }
        for each in work.graded.results
        if each.standing != "not asked"
    ]
    if work.graded.fault:
        return unfinished(work.graded.fault)
    right = all(test["status"] == "pass" for test in tests)
    return _line({"version": 1, "status": "pass" if right else "fail", "max_score": work.most, "tests": tests})


def unfinished(sentence: str) -> str:
    """An error in that form."""
    test: JsonObject = {
        "name": "hand-in", "status": "error", "score": 0, "message": sentence, "test_code": "", "filename": "",
        "line_no": 0, "duration": 0,
    }  # fmt: skip
    return _line({"version": 1, "status": "error", "max_score": 0, "tests": [test]})


def _line(made: JsonObject) -> str:
    return f"result={base64.b64encode(json.dumps(made).encode()).decode()}\n"

"""What GitHub Classroom's autograding reporter reads: a step's output ``result``, JSON in base64.

Classroom itself has ended; its actions still run, and others read what they read.
"""

import base64
import json

from testbed.core.text.from_json import JsonObject
from testbed.grades.work import GradedWork, told


def document(work: GradedWork) -> str:
    """The line ``result=...`` for ``$GITHUB_OUTPUT``, with one error where nothing could be judged."""
    if work.graded.fault:
        return _line("error", 0, [_test("hand-in", "error", message=work.graded.fault)])
    tests: list[JsonObject] = [
        _test(each.check, "pass" if each.standing == "right" else "fail", told(each), each.earned, each.sentence)
        for each in work.asked
    ]
    right = all(test["status"] == "pass" for test in tests)
    return _line("pass" if right else "fail", work.most, tests)


def _test(name: str, status: str, message: str, score: int = 0, code: str = "") -> JsonObject:
    return {
        "name": name, "status": status, "score": score, "message": message, "test_code": code,
        "filename": "", "line_no": 0, "duration": 0,
    }  # fmt: skip


def _line(status: str, most: int, tests: list[JsonObject]) -> str:
    made = {"version": 1, "status": status, "max_score": most, "tests": tests}
    return f"result={base64.b64encode(json.dumps(made).encode()).decode()}\n"
